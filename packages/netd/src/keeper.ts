import type { NetState as NetStateMessage } from "@skep/api/gen/skep/v1/net_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Loops } from "@skep/kit/loops.ts";
import type { Wake } from "@skep/kit/wake.ts";
import { createFaultLog } from "./fault-log.ts";
import type { Failure, Kernel, Sight } from "./kernel/kernel.ts";
import { after } from "./plan/after.ts";
import { desire } from "./plan/desire.ts";
import { difference } from "./plan/difference.ts";
import type { Plane } from "./plan/plane.ts";
import type { Step } from "./plan/step.ts";
import type { Fault } from "./state/fault.ts";
import type { KeptState } from "./state/kept-state.ts";
import type { NetState } from "./state/net-state.ts";
import { readState, type ReadState } from "./state/read-state.ts";
import { faultsOf } from "./step-faults.ts";

/** What a keeper needs. */
export interface KeeperPorts {
  readonly kernel: Kernel;
  readonly kept: KeptState;
  readonly clock: Clock;
  readonly log: Log;
  readonly loops: Loops;
  /** Hears of each state that is kept, before it is made. */
  readonly onTold?: (state: NetState) => void;
}

/** What an application did. */
export interface Applied {
  readonly revision: number;
  readonly done: readonly Step[];
  readonly faults: readonly Fault[];
}

/** What is kept now. */
export interface Kept {
  readonly revision: number;
  readonly sessionId: string;
  readonly faults: readonly Fault[];
  readonly repairs: number;
}

/** Keeps the node's network as it was told last. */
export interface Keeper {
  /**
   * Makes it so, and keeps it.
   * @throws SkepError `invalid_argument` for a state that cannot be meant, `failed_precondition`
   * for one that is older than what the same session told before.
   */
  apply(message: NetStateMessage): Promise<Applied>;
  inspect(): Kept;
  /** Ends the loop. The network stays as it is: traffic goes on without us. */
  close(): Promise<void>;
}

/** How often a look is taken though nothing was heard, and how soon after something was. */
const LOOK_EVERY_MS = 5_000;
const LOOK_GAP_MS = 1_000;

/** Makes one that begins with what was kept on disk. */
export async function createKeeper(ports: KeeperPorts): Promise<Keeper> {
  const keeper = new NetKeeper(ports);
  await keeper.begin();
  return keeper;
}

class NetKeeper implements Keeper {
  readonly #ports: KeeperPorts;
  readonly #faultLog: ReturnType<typeof createFaultLog>;
  readonly #wake: Wake;
  readonly #watch: { close(): void };
  #told: ReadState | undefined;
  /** The latest that was told, which waits for its turn or has had it. */
  #latest: { readonly message: NetStateMessage; readonly told: ReadState } | undefined;
  #applied: (Applied & { readonly told: ReadState }) | undefined;
  /** What the kernel shows as far as is known; absent where it has to be looked at first. */
  #sight: Sight | undefined;
  #faults: readonly Fault[] = [];
  #repairs = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
    this.#faultLog = createFaultLog(ports.log);
    const times = { minGapMs: LOOK_GAP_MS, periodMs: LOOK_EVERY_MS };
    this.#wake = ports.loops.begin("network", () => this.#inTurn(() => this.#mend()), times);
    this.#watch = ports.kernel.watch(() => this.#wake.hint());
  }

  async begin(): Promise<void> {
    const { kept, log } = this.#ports;
    const message = await kept.read();
    if (message === undefined) return log.info("network.untold", "No state was kept; the agent has to tell one.");
    try {
      this.#told = readState(message);
      this.#ports.onTold?.(this.#told.state);
    } catch (error) {
      return log.error("network.unreadable", "The kept state cannot be made; the agent has to tell one.", {
        error,
      });
    }
    this.#wake.hint();
  }

  async apply(latest: NetStateMessage): Promise<Applied> {
    const read = readState(latest);
    this.#refuseOlder(read);
    this.#latest = { message: latest, told: read };
    return this.#inTurn(async () => {
      const { message, told } = this.#latest ?? { message: latest, told: read };
      // What came meanwhile was made in its place: one answer is for all of them.
      if (this.#applied?.told === told) return this.#applied;
      // Kept before it is made: after a crash in between it is made, and not forgotten.
      await this.#ports.kept.write(message);
      this.#told = told;
      this.#ports.onTold?.(told.state);
      const done = await this.#settle(told);
      this.#applied = { told, revision: told.state.revision, done, faults: this.#faults };
      return this.#applied;
    });
  }

  inspect(): Kept {
    const { revision = 0, sessionId = "" } = this.#told?.state ?? {};
    return { revision, sessionId, faults: this.#faults, repairs: this.#repairs };
  }

  async close(): Promise<void> {
    this.#watch.close();
    await this.#wake.close();
    await this.#last;
  }

  #refuseOlder({ state }: ReadState): void {
    const held = (this.#latest?.told ?? this.#told)?.state;
    if (held?.sessionId !== state.sessionId || state.revision >= held.revision) return;
    throw new SkepError(
      "failed_precondition",
      "NET_STATE_OLDER",
      `Revision ${state.revision} is older than ${held.revision}, which this session told before; send the latest.`,
    );
  }

  /** One change of the kernel at a time. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Looks at what there is, and puts back what is not as it was made. */
  async #mend(): Promise<void> {
    if (this.#told === undefined) return;
    const before = this.#sight;
    this.#sight = await this.#ports.kernel.look();
    const done = await this.#settle(this.#told);
    if (before === undefined || done.length === 0) return;
    this.#repairs += done.length;
    const kinds = [...new Set(done.map(step => step.kind))];
    this.#ports.log.warn("network.repaired", "Something had changed the network of the tenants; it is put back.", {
      steps: done.length,
      kinds,
    });
  }

  /** Takes what steps there are from what the kernel shows to what was told. */
  async #settle(told: ReadState): Promise<readonly Step[]> {
    const { kernel } = this.#ports;
    const sight = (this.#sight ??= await kernel.look());
    const wanted = desire(told.state, sight.survey);
    const { steps, failures } = await this.#take(sight.plane, wanted.plane);
    const failed = new Set(failures.map(({ step }) => step));
    const done = steps.filter(step => !failed.has(step));
    // After a failure nobody knows what is there.
    this.#sight = failed.size > 0 ? undefined : { ...sight, plane: after(sight.plane, done) };
    this.#faults = [...told.faults, ...wanted.faults, ...faultsOf(failures, told.state)];
    this.#faultLog.show(this.#faults);
    return done;
  }

  /** Walls first: where they cannot be put up, nothing new gets a way. */
  async #take(seen: Plane, wanted: Plane): Promise<{ steps: readonly Step[]; failures: readonly Failure[] }> {
    const { kernel } = this.#ports;
    const steps = difference(seen, wanted);
    let walls = steps.filter(isOfWalls);
    let failures = await kernel.carryOut(walls);
    if (failures.some(({ step }) => step.kind === "change-elements")) {
      // The sets are not as we thought: the table is put there whole.
      walls = difference({ ...seen, ruleset: undefined }, wanted).filter(isOfWalls);
      failures = await kernel.carryOut(walls);
    }
    const ways = steps.filter(step => !isOfWalls(step) && (failures.length === 0 || step.kind.startsWith("remove-")));
    return { steps: [...walls, ...ways], failures: [...failures, ...(await kernel.carryOut(ways))] };
  }
}

function isOfWalls({ kind }: Step): boolean {
  return kind === "put-table" || kind === "change-elements";
}
