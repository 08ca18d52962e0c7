import type { LookupAddress } from "node:dns";
import { expect, test } from "vitest";
import { guardedLookup } from "./guarded-lookup.ts";

const IN_INTERNET = { address: "93.184.216.34", family: 4 };
const INSIDE = { address: "10.77.0.11", family: 4 };

function ask(found: readonly LookupAddress[], host = "db.example.com", allowed: readonly string[] = [], all = false) {
  const lookup = guardedLookup(allowed, (_host, _options, done) => done(null, [...found]));
  return new Promise(resolve => {
    lookup(host, { all }, (error, address) => resolve(error === null ? address : error.message));
  });
}

test("a name in the Internet that leads inside is not followed", async () => {
  expect(await ask([IN_INTERNET])).toBe(IN_INTERNET.address);
  expect(await ask([INSIDE])).toContain("leads into the platform's own network");
  expect(await ask([{ address: "::1", family: 6 }])).toContain("leads into");
});

test("of several addresses those inside are left out", async () => {
  expect(await ask([INSIDE, IN_INTERNET])).toBe(IN_INTERNET.address);
  expect(await ask([INSIDE, IN_INTERNET], "db.example.com", [], true)).toEqual([IN_INTERNET]);
});

test("a host that the operator allows may be inside", async () => {
  expect(await ask([INSIDE], "Mongo.internal", ["mongo.internal"])).toBe(INSIDE.address);
  expect(await ask([INSIDE], "a.db.internal", [".db.internal"])).toBe(INSIDE.address);
  expect(await ask([INSIDE], "other.internal", ["mongo.internal"])).toContain("leads into");
});
