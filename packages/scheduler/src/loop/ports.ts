import type { Pool } from "@skep/core/network/blocks.ts";
import type { Settings } from "@skep/core/world/world.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Loops } from "@skep/kit/loops.ts";
import type { Random } from "@skep/kit/random.ts";
import type { Retention } from "./retention-settings.ts";
import type { Store } from "../store/store.ts";

/** What every loop works with; in a simulation all of it is in memory and on virtual time. */
export interface LoopPorts {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** Where loops are made, and their states are known. */
  readonly loops: Loops;
  readonly settings: Settings;
  /** Out of which addresses nodes get their blocks; the default where absent. */
  readonly pool?: Pool;
  /** How long history is kept; the defaults where absent. */
  readonly retention?: Retention;
}

/** Something that runs until it is closed; closing waits for what is under way. */
export interface Running {
  close(): Promise<void>;
}
