import { expect, it } from "vitest";
import { digestSecret, isDigest, isSecret } from "./secret-digest.ts";

const KEPT = digestSecret("ws-1", "sk_live_0123456789");

it("knows a secret again by its digest, and by itself", () => {
  expect(isSecret("ws-1", KEPT, "sk_live_0123456789")).toBe(true);
  expect(isSecret("ws-1", "sk_live_0123456789", "sk_live_0123456789")).toBe(true);
  expect(KEPT).not.toContain("sk_live");
  expect(isDigest(KEPT)).toBe(true);
});

it.each([
  ["another secret", "ws-1", KEPT, "sk_live_0123456780"],
  ["a secret of another owner", "ws-2", KEPT, "sk_live_0123456789"],
  ["the digest itself, which was read out of a backup", "ws-1", KEPT, KEPT],
  ["the digest where it is kept as it is", "ws-1", "sha256:anything", "sha256:anything"],
  ["no secret where none is kept", "ws-1", "", ""],
  ["a longer text", "ws-1", "sha256:short", "sk_live_0123456789"],
])("refuses %s", (_, scope, kept, given) => {
  expect(isSecret(scope, kept, given)).toBe(false);
});
