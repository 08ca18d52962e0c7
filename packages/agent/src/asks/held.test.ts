import type { AskReply } from "@skep/api/codec/ask-reply.ts";
import type { HeldRest } from "@skep/api/codec/ask.ts";
import { collectHeld, type HeldPart } from "@skep/api/codec/held-parts.ts";
import { decodeHeld } from "@skep/api/codec/held.ts";
import { expect, test } from "vitest";
import { anAssignment } from "../testing/builders.ts";
import { openRig, settle } from "../testing/rig.ts";

test("an agent tells nothing of what it holds before it has seen its engine", async () => {
  const rig = await openRig();
  const { observe } = rig.engine;
  rig.kill();
  rig.engine.observe = () => rig.clock.sleep(10_000).then(() => observe.call(rig.engine));
  await rig.revive();
  const ask = async () => {
    const answer = rig.scheduler.ask({ kind: "held" });
    await rig.clock.advance(1_000);
    return answer;
  };
  expect(await ask()).toMatchObject({ kind: "error", error: { reason: "NOT_LOOKED_YET" } });
  await rig.clock.advance(20_000);
  expect(await ask()).toMatchObject({ kind: "held", held: { present: [], volumes: [] } });
});

test("an agent tells in parts what is too large for a message, as it was at the first one", async () => {
  const rig = await openRig();
  rig.scheduler.assign({ ...anAssignment(), term: 4, succeeds: Array.from({ length: 400 }, (_, at) => `inc_${at}`) });
  await rig.clock.advance(20_000);
  rig.network.setMaxPayload(2_048);
  const ask = (rest?: HeldRest) =>
    settle(rig, rig.scheduler.ask(rest === undefined ? { kind: "held" } : { kind: "held", rest }));
  const partOf = (reply: AskReply): HeldPart => {
    if (reply.kind !== "held-part") throw new Error(`answered with ${reply.kind}`);
    return reply.part;
  };
  let count = 1;
  const bytes = await collectHeld(partOf(await ask()), async (snapshot, offset) => {
    count += 1;
    await rig.clock.advance(1_000);
    return partOf(await ask({ snapshot, offset }));
  });
  expect(decodeHeld(bytes).assignment).toMatchObject({ term: 4, succeeds: { length: 400 } });
  expect(count).toBeGreaterThan(2);
  // It was told to its end: nothing of it is kept.
  const again = await ask({ snapshot: partOf(await ask()).snapshot, offset: bytes.byteLength - 1 });
  const { snapshot } = partOf(again);
  expect(await ask({ snapshot, offset: 0 })).toMatchObject({ kind: "error", error: { reason: "HELD_CHANGED" } });
});
