import { expect, test } from "vitest";
import { fromExtendedJson } from "./extended-json.ts";
import { fromCursor, pageAfter, toCursor } from "./page.ts";

test("a cursor means the place that it was made of", () => {
  const place = { at: new Date(1_700_000_000_123), id: 'a"b/ü' };
  expect(fromCursor(toCursor(place))).toEqual(place);
});

test.each([
  "",
  "x",
  "bnVsbA",
  Buffer.from('[{"$gt":""},"a"]').toString("base64url"),
  Buffer.from("[1,{}]").toString("base64url"),
])("%j is no cursor", cursor => {
  expect(() => pageAfter("at", "newest", cursor)).toThrow(expect.objectContaining({ reason: "CURSOR_INVALID" }));
});

test("Extended JSON gives dates and long numbers, and leaves code and patterns as they came", () => {
  const query = { at: { $gt: { $date: "2026-01-01T00:00:00Z" } }, n: { $numberLong: "5" }, c: { $code: "1" } };
  const read = fromExtendedJson(query) as { at: { $gt: Date }; n: number; c: unknown };
  expect(read.at.$gt).toEqual(new Date("2026-01-01T00:00:00Z"));
  expect(read.n).toBe(5);
  expect(read.c).toEqual({ $code: "1" });
});

test("Extended JSON loses nothing that stands beside a pattern", () => {
  const query = { a: { $regex: "x", $gt: 1 } };
  expect(fromExtendedJson(query)).toEqual(query);
});
