import { heldPart } from "@skep/api/codec/held-parts.ts";
import { encodeHeld, type HeldState } from "@skep/api/codec/held.ts";
import { SkepError } from "@skep/core/error.ts";
import { anAssignment } from "@skep/core/testing/builders.ts";
import { expect, test } from "vitest";
import { askHeld } from "./ask-held.ts";
import { createTestPlatform } from "./testing/platform.ts";

const epochs = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`acme.web.${at + 1}`, 1]));
const held: HeldState = { assignment: anAssignment(), epochs, present: [], volumes: [], refused: "" };

test("what an agent holds is asked for in as many messages as it takes", async () => {
  const { deps, answer } = createTestPlatform();
  const bytes = encodeHeld(held);
  const offsets: number[] = [];
  answer("node-1", ask => {
    const rest = ask.kind === "held" ? ask.rest : undefined;
    offsets.push(rest?.offset ?? 0);
    return [{ kind: "held-part", part: heldPart(bytes, "s", rest?.offset ?? 0, 4_000) }];
  });
  expect(await askHeld(deps.bus, "node-1")).toEqual(held);
  expect(offsets.length).toBeGreaterThan(2);
});

test("an agent that cannot tell the rest any more says so", async () => {
  const { deps, answer } = createTestPlatform();
  const error = new SkepError("aborted", "HELD_CHANGED", "Ask again.");
  answer("node-1", ask =>
    ask.kind === "held" && ask.rest === undefined
      ? [{ kind: "held-part", part: heldPart(encodeHeld(held), "s", 0, 4_000) }]
      : [{ kind: "error", error }],
  );
  await expect(askHeld(deps.bus, "node-1")).rejects.toMatchObject({ reason: "HELD_CHANGED" });
});
