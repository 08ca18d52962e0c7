import { expect, test } from "vitest";
import { authFor } from "./registry-auth.ts";

const config = {
  auths: {
    "https://index.docker.io/v1/": { auth: Buffer.from("ann:p:w").toString("base64") },
    "10.0.0.1:5000": { username: "bob", password: "secret" },
    "broken.example": { auth: Buffer.from("nocolon").toString("base64") },
  },
};

test.each([
  ["nginx", "ann", "p:w"],
  ["acme/web:1", "ann", "p:w"],
  ["docker.io/acme/web", "ann", "p:w"],
  ["10.0.0.1:5000/web@sha256:0", "bob", "secret"],
])("%s is pulled as %s", (image, username, password) => {
  expect(authFor(image, config)).toMatchObject({ username, password });
});

test.each(["elsewhere.example/web", "broken.example/web"])("%s is pulled as nobody", image => {
  expect(authFor(image, config)).toBeUndefined();
  expect(authFor(image, {})).toBeUndefined();
  expect(authFor(image, null)).toBeUndefined();
});
