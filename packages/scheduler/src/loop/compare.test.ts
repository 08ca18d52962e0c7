import { decodeAsk } from "@skep/api/codec/ask.ts";
import { encodeBeat } from "@skep/api/codec/beat.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRig, type Rig } from "../testing/rig.ts";
import { createBeats, type Beats } from "./beats.ts";
import { createSenders } from "./senders.ts";
import { createComparison, type Comparison } from "./compare.ts";

let rig: Rig;
let beats: Beats;
let comparison: Comparison;
let asked: number;
let beating: boolean;
let examined: boolean;

beforeEach(async () => {
  rig = createRig();
  [asked, beating, examined] = [0, true, false];
  const node = rig.network.connect("node-1");
  // An agent that gets the question; its answer is lost.
  node.subscribe(nodeSubject("ask", "node-1"), message => {
    if (decodeAsk(message.data).kind === "report") asked += 1;
  });
  let seq = 0;
  const beat = (): void => {
    const times = { incarnation: "", refused: "", appliedTerm: 0, appliedRevision: 0, reportSeq: 0, at: 0, seq: ++seq };
    const what = { nodeId: "node-1", bootId: "b", sessionId: "s", instances: 0, digest: 0n };
    const data = encodeBeat({ ...times, ...what, load: undefined, leaving: false });
    if (beating) node.publish(nodeSubject("beat", "node-1"), data);
    rig.clock.timer(1_000, beat);
  };
  beat();
  const ports = rig.ports("s1");
  beats = createBeats(ports, createSenders(ports));
  comparison = createComparison(ports, {
    beats,
    leadership: { ...(await ports.store.takeLease("s1", 60_000)), holds: () => true },
    knows: () => examined,
  });
  await rig.clock.advance(1_100);
  await comparison.compare();
});
afterEach(async () => {
  const closing = Promise.all([comparison.close(), beats.close()]);
  await rig.clock.advance(20_000);
  await closing;
});

describe("an agent that is to report in full", () => {
  it("is asked again within seconds while its report does not come, and ever more slowly", async () => {
    await rig.clock.advance(12_000);
    expect(asked).toBeGreaterThanOrEqual(2);
    const soon = asked;
    await rig.clock.advance(120_000);
    expect(asked).toBeGreaterThan(soon);
    expect(asked).toBeLessThan(15);
  });

  it("is not asked again once its report came by and its digest is that of the records", async () => {
    await rig.clock.advance(100);
    comparison.heard("node-1");
    examined = true;
    await comparison.compare();
    await rig.clock.advance(60_000);
    expect(asked).toBe(1);
  });

  it("is left alone while it is silent", async () => {
    await rig.clock.advance(100);
    beating = false;
    await rig.clock.advance(60_000);
    expect(asked).toBe(1);
  });

  it("is asked as soon as it comes back, where none of its reports was examined in this term", async () => {
    await rig.clock.advance(100);
    comparison.heard("node-1");
    beating = false;
    await rig.clock.advance(10_000);
    expect(asked).toBe(1);
    beating = true;
    await rig.clock.advance(1_500);
    expect(asked).toBe(2);
    comparison.heard("node-1");
    await rig.clock.advance(10_000);
    expect(asked).toBe(2);
  });

  it("is not asked as it comes back, where one was examined", async () => {
    await rig.clock.advance(100);
    comparison.heard("node-1");
    [beating, examined] = [false, true];
    await rig.clock.advance(10_000);
    beating = true;
    await rig.clock.advance(10_000);
    expect(asked).toBe(1);
  });
});
