import { expect, test } from "vitest";
import { databaseName, databaseOfUrl } from "./name.ts";

test("each workspace has a database of its own, and none of the server's (R16)", () => {
  const ids = ["admin", "local", "config", "a", "a-b", "ab", "x".repeat(40)];
  const names = ids.map(databaseName);
  expect(new Set(names).size).toBe(ids.length);
  expect(names.filter(name => ["admin", "local", "config"].includes(name) || name.length > 63)).toEqual([]);
});

test.each([
  ["mongodb://custom:27017/tenant-db", "tenant-db"],
  ["mongodb+srv://a:b%40c@host.example/t?w=1", "t"],
  ["mongodb://a,b,c/?replicaSet=rs", undefined],
  ["mongodb://host.example", undefined],
])("%s names the database %s (R85)", (url, name) => {
  expect(databaseOfUrl(url)).toBe(name);
});
