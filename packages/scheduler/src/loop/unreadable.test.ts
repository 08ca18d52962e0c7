import { afterEach, expect, it } from "vitest";
import { createRig, type Rig } from "../testing/rig.ts";
import { createAbsorb } from "./absorb.ts";
import { createBeats } from "./beats.ts";
import { createHints } from "./hints.ts";
import type { Running } from "./ports.ts";
import { createSenders } from "./senders.ts";

const HALF_HOUR_MS = 30 * 60_000;

let loops: readonly Running[] = [];
afterEach(() => Promise.all(loops.map(loop => loop.close())));

function aRig(): Rig {
  const rig = createRig();
  const ports = rig.ports("s1");
  const senders = createSenders(ports);
  const [beats, hints] = [createBeats(ports, senders), createHints(ports.bus, ports.clock)];
  const records = { areOurs: () => true, isUnproven: () => false, unrecoveredMs: () => 0 };
  loops = [createAbsorb(ports, { beats, hints, senders, records, wake: () => undefined }), beats, hints];
  return rig;
}

it.each([
  ["message.unreadable", "report"],
  ["beat.unreadable", "beat"],
])("%s names each sender once, counts the rest, and names it again later", async (event, kind) => {
  const rig = aRig();
  const agent = rig.network.connect("agent");
  const said = (): readonly unknown[] => rig.lines.filter(line => line.event === event).map(line => line.fields);
  const flood = async (): Promise<void> => {
    for (const nodeId of ["node-1", "node-2", "node-1", "node-1", "node-2"])
      agent.publish(`skep.v1.${kind}.${nodeId}`, new Uint8Array([255]));
    await rig.clock.advance(1_000);
  };
  const bySender = ["node-1", "node-2"].map(nodeId => ({ subject: `skep.v1.${kind}.${nodeId}` }));
  await flood();
  expect(said()).toMatchObject(bySender);
  await rig.clock.advance(HALF_HOUR_MS);
  expect(said()).toMatchObject([...bySender, { leftOut: 3 }]);
  await flood();
  expect(said()).toMatchObject([...bySender, { leftOut: 3 }, ...bySender]);
});

it("says nothing any more once its loops are closed", async () => {
  const rig = aRig();
  const agent = rig.network.connect("agent");
  for (const kind of ["report", "report", "beat", "beat"])
    agent.publish(`skep.v1.${kind}.node-1`, new Uint8Array([255]));
  await rig.clock.advance(1_000);
  await Promise.all(loops.map(loop => loop.close()));
  const before = rig.lines.length;
  await rig.clock.advance(HALF_HOUR_MS);
  expect(rig.lines.slice(before).filter(line => line.event.endsWith("unreadable"))).toEqual([]);
});
