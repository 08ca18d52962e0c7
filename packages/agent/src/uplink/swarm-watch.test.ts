import { decodeSwarmNodes } from "@skep/api/codec/swarm.ts";
import type { SwarmNode } from "@skep/core/model/report.ts";
import type { Bus } from "@skep/kit/bus.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { seededRandom } from "@skep/kit/random.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, test } from "vitest";
import type { Engine } from "../engine/engine.ts";
import { watchSwarm } from "./swarm-watch.ts";

const listOf = (length: number): readonly SwarmNode[] =>
  Array.from({ length }, (_, at) => ({
    ...{ nodeId: `node-${at}`, hostname: `host-${at}`, role: "worker", availability: "active", state: "ready" },
    ...{ address: "10.0.0.1", labels: {}, versionIndex: 1 },
  })) as readonly SwarmNode[];

test("a list of the Swarm that no message could carry is not told in halves, but said once", async () => {
  const clock = createVirtualClock(1_700_000_000_000);
  const log = createRecordingLog();
  const told: number[] = [];
  let nodes = listOf(100);
  const bus: Partial<Bus> = {
    maxPayload: () => 1_000,
    publish: (_, bytes) => void told.push(decodeSwarmNodes(bytes).nodes.length),
    onStatus: () => ({ close: () => undefined }),
  };
  const engine: Partial<Engine> = { swarmNodes: async () => nodes };
  const loops = createLoops({ clock, log, random: seededRandom(1) });
  const deps = { engine: engine as Engine, bus: bus as Bus, clock, log, loops, nodeId: "node-0" };
  const watch = watchSwarm(deps);
  await clock.advance(60_000);
  expect(told).toEqual([]);
  expect(log.lines.filter(line => line.event === "swarm.unsendable")).toHaveLength(1);
  nodes = listOf(3);
  await clock.advance(5_000);
  expect(told[0]).toBe(3);
  await watch.close();
});
