import type { LeaseView } from "@skep/core/converge/round.ts";
import { converge, type Converged } from "@skep/core/converge/converge.ts";
import {
  EMPTY_MEMORY,
  noteBoot,
  noteStepDone,
  noteStepFailed,
  type ConvergeMemory,
  type StepFailure,
} from "@skep/core/converge/memory.ts";
import { turnOf, type Step } from "@skep/core/converge/step.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { Observed, ObservedContainer } from "@skep/core/model/observed.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Loops, OutageWords } from "@skep/kit/loops.ts";
import type { Wake } from "@skep/kit/wake.ts";
import type { Engine, EngineEvent } from "../engine/engine.ts";
import { createExecutors, instanceOf, type StartGate } from "./executors.ts";
import type { HealthWatch } from "./health-watch.ts";
import type { Images } from "./images.ts";
import { createDigest, toPicture, type Digest, type Picture, type SetAside } from "./picture.ts";
import { createWork, type Work } from "./work.ts";

/** What the node is to run by the assignment that the agent has. */
export interface Orders {
  readonly assignment: Assignment | undefined;
  /** Whether a scheduler has said in this life of the agent that the assignment is current. */
  readonly confirmed: boolean;
  /** Instances of the assignment that cannot be worked on yet; what runs of them is left alone. */
  readonly setAside: readonly SetAside[];
}

/** The leases of the node's exclusive instances. */
export interface LeaseBook extends StartGate {
  /** All of them as they are this moment, by `groupKey`. */
  view(): Readonly<Record<string, LeaseView>>;
}

/** What a loop is made from. */
export interface LoopDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly loops: Loops;
  readonly images: Images;
  readonly health: HealthWatch;
  readonly policy: { readonly startLimit: number; readonly sandboxImage: string };
  /** The node, or its engine, was started since the agent last wrote its journal. */
  readonly booted: boolean;
  readonly orders: () => Orders;
  readonly leases: () => LeaseBook;
  readonly onPicture: (picture: Picture) => void;
}

const NOTHING = { instances: [], removals: [] };
/** Hints come in bursts: a container's end is several events. */
const GAP_MS = 20;
/** Without a hint the engine is listed this often, because hints are lost now and then. */
const RELIST_MS = 10_000;
/** While something is under way the list is read more often. */
const ACTIVE_MS = 1_000;
/**
 * Engines tell of an end before they are done with it: a look right after the hint may be too
 * early.
 */
const AFTER_HINT_MS = 250;
/**
 * While steps are under way a look is never older than this, unless the engine has fallen silent.
 */
const FRESH_MS = 2 * ACTIVE_MS;

/** A look that fails is repeated this often; the engine is asked for nothing else meanwhile. */
const RETRY = { baseMs: ACTIVE_MS, maxMs: ACTIVE_MS };
const WORDS: OutageWords = {
  failed: {
    event: "engine.silent",
    level: "error",
    sentence: "The engine could not be looked at; what runs, runs on.",
  },
  recovered: { event: "engine.answered", sentence: "The engine answers again." },
};

/**
 * Makes the node's containers what they are to be, again and again: wake or period → observe →
 * converge → begin steps → show. It begins at the first hint.
 */
export class Loop {
  readonly #deps: LoopDeps;
  readonly #work: Work;
  readonly #wake: Wake;
  #memory: ConvergeMemory = EMPTY_MEMORY;
  #isFirst = true;
  #isBlind = false;
  #isClosed = false;
  /** What was seen last and the mark of that look, while something waits for its turn. */
  #awaited: { readonly observed: Observed; readonly mark: number } | undefined;
  #containers: readonly ObservedContainer[] = [];
  #digest: Digest = { digest: 0n, instances: 0 };
  readonly #digestOf = createDigest();
  #lookAgainAt = 0;
  #passedAt: number;
  #seenAt: number;

  constructor(deps: LoopDeps) {
    const { engine, images, clock, log, loops } = deps;
    this.#deps = deps;
    this.#passedAt = this.#seenAt = clock.monotonic();
    const executors = createExecutors(engine, images, {
      beforeStart: (...of) => deps.leases().beforeStart(...of),
      whyNot: (...of) => deps.leases().whyNot(...of),
    });
    this.#work = createWork({ executors, clock, log, onEnd: (step, failure) => this.#remember(step, failure) });
    const times = { minGapMs: GAP_MS, periodMs: RELIST_MS, retry: RETRY };
    this.#wake = loops.begin("engine", () => this.#pass(), { ...times, words: WORDS });
  }

  /**
   * Something may have changed: look now, and once more when the engine has had time to finish it.
   */
  hint(): void {
    this.#lookAgainAt = this.#deps.clock.now() + AFTER_HINT_MS;
    this.#wake.hint();
  }

  /**
   * The engine told of something; what a step of ours brings about is looked at when that step
   * ends.
   */
  hear(event: EngineEvent): void {
    if (!this.#work.isEcho(event)) this.hint();
  }

  /** The containers with our labels, as last seen. */
  containers(): readonly ObservedContainer[] {
    return this.#containers;
  }

  /** What runs, in one number. */
  digest(): Digest {
    return this.#digest;
  }

  /**
   * When the last look ended, well or not, and when the last good one did; on the monotonic clock.
   */
  progress(): { readonly passedAt: number; readonly seenAt: number } {
    return { passedAt: this.#passedAt, seenAt: this.#seenAt };
  }

  /** Ends the loop; containers run on. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#wake.close();
  }

  async #pass(): Promise<void> {
    const { clock, engine } = this.#deps;
    try {
      const mark = this.#work.mark();
      this.#decide(await engine.observe(), mark);
      this.#isBlind = false;
      this.#seenAt = clock.monotonic();
    } catch (error) {
      this.#isBlind = true;
      throw error;
    } finally {
      this.#passedAt = clock.monotonic();
    }
  }

  #decide(seen: Observed, mark: number): void {
    const { clock, health, images, booted } = this.#deps;
    const { assignment, setAside } = this.#deps.orders();
    const observed = health.apply(seen, assignment?.instances ?? []);
    if (this.#isFirst && booted) this.#memory = noteBoot(this.#memory, observed);
    this.#isFirst = false;
    this.#containers = observed.containers;
    const { steps, statuses, wakeAt } = this.#converge(observed, mark);
    const fresh = steps.filter(step => !this.#isStale(step, mark));
    for (const step of fresh) this.#work.begin(step);
    this.#digest = this.#digestOf(statuses);
    const remarks = { progressOf: images.progressOf, healthNotes: health.notes() };
    this.#deps.onPicture(toPicture(statuses, assignment ?? NOTHING, observed, setAside, remarks));
    if (fresh.length < steps.length) this.#wake.hint();
    if (this.#work.running() > 0) this.#wake.at(clock.now() + ACTIVE_MS);
    if (this.#lookAgainAt > clock.now()) this.#wake.at(this.#lookAgainAt);
    if (wakeAt !== undefined) this.#wake.at(wakeAt);
  }

  #converge(observed: Observed, mark: number): Converged {
    const { clock, health, images, policy } = this.#deps;
    const { assignment, confirmed } = this.#deps.orders();
    const withheld = images.withheld(assignment?.instances ?? []);
    const seen = { assignment, confirmed, observed, withheld, leases: this.#deps.leases().view() };
    const input = { ...seen, policy, healthNotes: health.notes(), now: clock.now() };
    const answer = converge({ ...input, ...this.#work.busyKeys(mark), memory: this.#memory });
    this.#memory = answer.memory;
    this.#awaited = answer.isTurnAwaited ? { observed, mark } : undefined;
    return answer;
  }

  /**
   * Gives a turn that has become free to the next instance by the last look, and does not leave the
   * engine idle until the next one. Only steps that wait for turns are begun so; instances to which
   * something was done since are left out.
   */
  #passTurn(): void {
    const isFresh = !this.#isBlind && this.#deps.clock.monotonic() - this.#seenAt < FRESH_MS;
    if (this.#awaited === undefined || this.#isClosed || !isFresh) return;
    const { observed, mark } = this.#awaited;
    for (const step of this.#converge(observed, mark).steps) {
      if (turnOf(step.key) !== undefined && !this.#isStale(step, mark)) this.#work.begin(step);
    }
  }

  /**
   * After a deed the next decision on that instance needs a snapshot that was begun later: acting
   * on an older one makes doubles.
   */
  #isStale(step: Step, mark: number): boolean {
    const instanceId = instanceOf(step);
    return instanceId !== undefined && this.#work.isStale(instanceId, mark);
  }

  #remember(step: Step, failure: StepFailure | undefined): void {
    this.#memory =
      failure === undefined
        ? noteStepDone(this.#memory, step)
        : noteStepFailed(this.#memory, step, failure, this.#deps.clock.now());
    if (turnOf(step.key) !== undefined) this.#passTurn();
    this.#wake.hint();
  }
}
