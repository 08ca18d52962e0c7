import { anAssignment } from "@skep/core/testing/builders.ts";
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { provesBy, withReceipt } from "./receipts.ts";

const assignment = anAssignment({ nodeId: "node-1", incarnation: "inc-1", term: 3, revision: 5, stamps: [14, 15] });
const told = { ...withReceipt(assignment, "key"), stamp: 15 };

describe("a receipt", () => {
  it("shows what its node was told, by the key that made it", () => {
    expect(provesBy("key")(told)).toBe(true);
    expect(told.receipt).not.toContain("key");
  });

  it.each([
    ["another node", { nodeId: "node-2" }],
    ["another database", { incarnation: "inc-2" }],
    ["a higher term", { term: 4 }],
    ["a higher revision", { revision: 6 }],
    ["another stamp", { stamp: 77 }],
    ["numbers that read alike", { term: 35, revision: 5 }],
    ["nothing that was signed", { receipt: "" }],
    ["as much that was not signed", { receipt: "x".repeat(43) }],
  ])("shows nothing of %s", (_, over) => {
    expect(provesBy("key")({ ...told, ...over })).toBe(false);
  });

  it("shows nothing where its stamp is left out", () => {
    const { stamp: _, ...without } = told;
    expect(provesBy("key")(without)).toBe(false);
  });

  it("shows nothing by another key, nor by the one of a row that was lost", () => {
    expect(provesBy("other")(told)).toBe(false);
    expect(withReceipt(anAssignment(), "").receipt).toBeUndefined();
    const text = JSON.stringify(["node-1", "inc-1", 3, 5, 15]);
    const receipt = createHmac("sha256", "").update(text).digest("base64url");
    expect(provesBy("")({ ...told, receipt })).toBe(false);
  });
});
