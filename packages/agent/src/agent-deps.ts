import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { IdSource, Random } from "@skep/kit/random.ts";
import type { Engine } from "./engine/engine.ts";
import type { Guard } from "./guard/guard.ts";
import type { NodeLimits } from "./node/facts.ts";
import type { Journal } from "./loop/journal.ts";
import type { Memo } from "./loop/memo.ts";
import type { Prober } from "./loop/prober.ts";
import type { Registries } from "./loop/registry-auth.ts";
import type { Sampler } from "./node/sampler.ts";

/**
 * Everything an agent needs from outside: ports, and what an operator chose. Nothing else in it
 * does I/O.
 */
export interface AgentDeps {
  readonly engine: Engine;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
  readonly log: Log;
  readonly journal: Journal;
  /** Which runs of containers were healthy when the agent ended. */
  readonly healthyMemo: Memo;
  /** What the node knew of names and other nodes. */
  readonly directoryMemo: Memo;
  /** Which tenants the registries gave which images. */
  readonly imagesMemo: Memo;
  readonly prober: Prober;
  readonly sampler: Sampler;
  readonly registries: Registries;
  /** What ends exclusive copies when this agent does not. */
  readonly guard: Guard;
  /** Changes when the machine boots. */
  readonly machineBootId: string;
  readonly limits: NodeLimits;
  readonly sandboxImage: string;
  /** Most containers started at once; `undefined` for one more than the node has cores. */
  readonly startLimit: number | undefined;
  readonly agentVersion: string;
}
