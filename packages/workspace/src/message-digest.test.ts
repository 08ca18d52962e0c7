import fc from "fast-check";
import { expect, it } from "vitest";
import { messageDigest, readDigests, writeDigests } from "./message-digest.ts";

const text = fc.string({ maxLength: 4 });
const message = fc.tuple(text, fc.uint8Array({ maxLength: 4 }), fc.option(text, { nil: undefined }));

it("is the same for the same message, and for no other", () => {
  fc.assert(
    fc.property(message, message, (a, b) => {
      const isSame = a[0] === b[0] && a[2] === b[2] && Buffer.from(a[1]).equals(Buffer.from(b[1]));
      expect(messageDigest(...a) === messageDigest(...b)).toBe(isSame);
    }),
    { numRuns: 1_000 },
  );
});

it.each<[string, Parameters<typeof messageDigest>, Parameters<typeof messageDigest>]>([
  ["a topic and an id", ["a", Buffer.from("1:bc"), undefined], ["a", Buffer.from("c"), "b"]],
  ["an id and a payload", ["a", Buffer.from("cd"), "b"], ["a", Buffer.from("d"), "bc"]],
  ["none and an empty one", ["a", Buffer.from(""), undefined], ["a", Buffer.from(""), ""]],
])("does not take for the same what is divided otherwise: %s", (_, a, b) => {
  expect(messageDigest(...a)).not.toBe(messageDigest(...b));
});

it("is sent as twelve bytes, in order, in pieces that a broker takes", () => {
  const digests = Array.from({ length: 9_001 }, (_, n) => messageDigest("a", Buffer.from(String(n)), undefined));
  const pieces = writeDigests(digests);
  expect(pieces.flatMap(readDigests)).toEqual(digests);
  expect(pieces.reduce((sum, one) => sum + one.length, 0)).toBe(12 * digests.length);
  expect(Math.max(...pieces.map(one => one.length))).toBeLessThan(65_536);
  expect(readDigests(Buffer.from("cut off"))).toEqual([]);
});
