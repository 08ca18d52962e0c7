import { isOver } from "@skep/core/workspace/migration.ts";
import type { Platform } from "../platform.ts";
import type { Hosting } from "./hosting.ts";
import { MOVE_FAULTS, type MoveFault } from "./move-faults.ts";

const KINDS = Object.entries<MoveFault>(MOVE_FAULTS);
/** How the calls of pods travel in a seed. */
const WAYS = [
  { drop: 0, delayMs: 2 },
  { drop: 0.03, delayMs: 100 },
  { drop: 0.1, delayMs: 400 },
] as const;

/**
 * Plays the world's malice on workspaces that move, by chance of its own: on their pods, the
 * engines of both halves, and the gates. What happens to shared hosts goes on beside it.
 */
export class MoveAdversary {
  readonly #platform: Platform;
  readonly #hosting: Hosting;
  readonly #healing = new Set<() => void>();
  #isCalm = false;

  constructor(platform: Platform, hosting: Hosting) {
    this.#platform = platform;
    this.#hosting = hosting;
  }

  /** Faults come, each after its while, until `calm`. */
  async rage(): Promise<void> {
    const { clock } = this.#platform;
    const chance = this.#platform.chance("adversary of moves");
    const kinds = KINDS.filter(() => chance.happens(0.6));
    const [way, everyMs] = [chance.pick(WAYS), chance.pick([1_500, 4_000])];
    this.#platform.say(`mischief of moves ${JSON.stringify({ kinds: kinds.map(([kind]) => kind), way, everyMs })}`);
    for (;;) {
      await clock.sleep(chance.between(everyMs / 2, everyMs * 1.5));
      if (this.#isCalm) return;
      const ids = this.#moving();
      for (const id of ids) Object.assign(this.#hosting.pods?.hostOf(id)?.way ?? {}, way);
      if (ids.length === 0 || kinds.length === 0) continue;
      const [[kind, strike], workspaceId] = [chance.pick(kinds), chance.pick(ids)];
      this.#platform.say(`FAULT ${kind} at ${workspaceId}`);
      const heal = strike({ platform: this.#platform, hosting: this.#hosting, workspaceId }, chance);
      this.#healing.add(heal);
      clock.timer(chance.between(300, 9_000), () => void (this.#healing.delete(heal) && heal()));
    }
  }

  /** Ends everything that is wrong. */
  calm(): void {
    this.#isCalm = true;
    for (const heal of this.#healing) heal();
    this.#healing.clear();
    for (const id of this.#platform.database.records.workspaces.keys())
      Object.assign(this.#hosting.pods?.hostOf(id)?.way ?? {}, WAYS[0]);
  }

  /** Those that move, or have a host of their own. */
  #moving(): readonly string[] {
    const { workspaces, workspaceMoves } = this.#platform.database.records;
    return [...workspaces.keys()].filter(id => {
      const move = workspaceMoves.get(id);
      return this.#hosting.pods?.hostOf(id) !== undefined || (move !== undefined && !isOver(move));
    });
  }
}
