import { expect, test } from "vitest";
import { strangerIn } from "./outside-only.ts";

test("a replica set that names a member inside is not followed", () => {
  expect(strangerIn(["db.example.com:27017", "10.77.0.11:5432"], [])).toContain("10.77.0.11");
  expect(strangerIn(["db.example.com:27017", "postgres:5432"], [])).toContain("postgres");
  expect(strangerIn(["db.example.com:27017", "mongo:27017"], ["mongo"])).toBeUndefined();
});
