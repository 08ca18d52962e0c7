import { aContainer, anAssignedInstance, anAssignment, aSpec } from "@skep/core/testing/builders.ts";
import { LARGE_SPEC_BYTES } from "@skep/core/model/assignment.ts";
import { expect, it } from "vitest";
import { decodeHeld, decodeJournal, encodeHeld, encodeJournal } from "./held.ts";

const large = aSpec({ containers: [aContainer({ labels: { note: "x".repeat(2 * LARGE_SPEC_BYTES) } })] });
const assignment = anAssignment({ instances: [anAssignedInstance({ spec: large })] });

it("A journal has every spec, however large: an agent without one would not know what it runs", () => {
  const kept = decodeJournal(encodeJournal({ assignment, epochs: {}, bootId: "boot-1" }));
  expect(kept.assignment?.instances[0]?.spec).toEqual(large);
});

it("What an agent holds has every spec, however large: a recovery would adopt nothing without it", () => {
  const held = { assignment, epochs: {}, present: [], volumes: [], refused: "" };
  expect(decodeHeld(encodeHeld(held)).assignment?.instances[0]?.spec).toEqual(large);
});
