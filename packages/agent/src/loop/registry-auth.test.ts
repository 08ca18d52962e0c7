import { expect, test } from "vitest";
import { authFor, createRegistries } from "./registry-auth.ts";

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
  ["index.docker.io/acme/web", "ann", "p:w"],
  ["10.0.0.1:5000/web@sha256:0", "bob", "secret"],
])("%s is pulled as %s", (image, username, password) => {
  expect(authFor(image, config)).toMatchObject({ username, password });
});

test.each(["elsewhere.example/web", "broken.example/web", "Acme/web"])("%s is pulled as nobody", image => {
  expect(authFor(image, config)).toBeUndefined();
  expect(authFor(image, {})).toBeUndefined();
  expect(authFor(image, null)).toBeUndefined();
});

const auths = (username: string) => ({ auths: { "registry.example.com": { username, password: "p" } } });

test("a tenant's own credentials come before the shared ones, and nobody gets another's", () => {
  const registries = createRegistries(JSON.stringify({ shared: auths("all"), tenants: { acme: auths("ann") } }));
  const image = "registry.example.com/web";
  expect(registries.find(image, "acme")).toMatchObject({ auth: { username: "ann" }, isOwn: true });
  expect(registries.find(image, "mmm")).toMatchObject({ auth: { username: "all" }, isOwn: false });
  expect(registries.find(image, "constructor")).toMatchObject({ isOwn: false });
  const own = createRegistries(JSON.stringify({ tenants: { acme: auths("ann") } }));
  expect(own.find(image, "mmm")).toBeUndefined();
  expect([own.isRestricted(image), own.isRestricted("nginx")]).toEqual([true, false]);
});

test.each([
  ["no JSON", "{p", "are no JSON"],
  ["credentials that do not say whose they are", JSON.stringify(auths("ann")), "whose they are"],
  ["an unknown part", JSON.stringify({ tenant: {} }), "unknown parts tenant"],
])("refuses %s, without repeating the text", (_, text, words) => {
  expect(() => createRegistries(text)).toThrow(words);
});
