import { DEFAULT_SETTINGS, type Settings } from "@skep/core/world/world.ts";
import type { PodSettings } from "@skep/core/workspace/pod-spec.ts";
import { createRecordingLog, type LogLine } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { createMemoryNetwork, type MemoryNetwork } from "@skep/kit/memory-bus.ts";
import { createIdSource, seededRandom } from "@skep/kit/random.ts";
import { createVirtualClock, type VirtualClock } from "@skep/kit/virtual-clock.ts";
import type { LoopPorts } from "../loop/ports.ts";
import { createMemoryDatabase, type MemoryDatabase } from "../store/memory/memory-store.ts";
import { createScheduler, type Scheduler } from "../create-scheduler.ts";
import { FakeAgent } from "./fake-agent.ts";

/** Schedulers and agents on one virtual clock, one memory bus and one memory database. */
export interface Rig {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly database: MemoryDatabase;
  /** What all schedulers logged. */
  readonly lines: readonly LogLine[];
  /** Ports under a name, for a loop that is tested by itself. */
  ports(name: string): LoopPorts;
  /** One that also gives workspaces their hosts where `isHosting`, and makes their `pods`. */
  scheduler(name: string, isHosting?: boolean, pods?: PodSettings): Scheduler;
  agent(nodeId: string, sessionId?: string): FakeAgent;
}

/** Makes an empty rig; nothing runs before it is started. */
export function createRig(settings: Partial<Settings> = {}): Rig {
  const clock = createVirtualClock(1_700_000_000_000);
  const network = createMemoryNetwork(clock);
  const database = createMemoryDatabase(clock);
  const log = createRecordingLog();
  let started = 0;
  const ports = (name: string): LoopPorts => {
    const own = { clock, log: log.child({ scheduler: name }), random: seededRandom(name) };
    return {
      ...own,
      store: database.connect(name),
      bus: network.connect(name),
      loops: createLoops(own),
      settings: { ...DEFAULT_SETTINGS, ...settings },
    };
  };
  return {
    clock,
    network,
    database,
    lines: log.lines,
    ports,
    scheduler: (name, isHosting = false, pods) => {
      const ids = createIdSource(seededRandom(`${name} ${(started += 1)}`));
      return createScheduler({
        ...ports(name),
        ids,
        name,
        version: "1",
        isHosting,
        ...(pods === undefined ? {} : { pods }),
      });
    },
    agent: (nodeId, sessionId) => new FakeAgent(nodeId, network.connect(nodeId), clock, sessionId),
  };
}
