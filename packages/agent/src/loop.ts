import type { Unreadable } from "@skep/api/codec/envelope.ts";
import { converge } from "@skep/core/converge/converge.ts";
import {
  EMPTY_MEMORY,
  noteBoot,
  noteStepDone,
  noteStepFailed,
  type ConvergeMemory,
} from "@skep/core/converge/memory.ts";
import type { Step } from "@skep/core/converge/step.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { createWake } from "@skep/kit/wake.ts";
import type { Engine } from "./engine/engine.ts";
import { createExecutors, instanceOf } from "./executors.ts";
import type { HealthWatch } from "./health-watch.ts";
import type { Images } from "./images.ts";
import { toDigest, toPicture } from "./picture.ts";
import type { Picture } from "./reporter.ts";
import type { Digest } from "./session.ts";
import { createWork } from "./work.ts";

/** What the node is to run, as far as the agent knows. */
export interface Orders {
  readonly assignment: Assignment | undefined;
  /** Whether a scheduler has said in this life of the agent that the assignment is current. */
  readonly confirmed: boolean;
  readonly unreadable: readonly Unreadable[];
}

/** Makes the node's containers what they are to be, again and again. */
export interface Loop {
  /** Something may have changed: look soon. */
  hint(): void;
  containers(): readonly ObservedContainer[];
  digest(): Digest;
  /** When the last look ended, well or not, and when the last good one did; on the monotonic clock. */
  progress(): { readonly passedAt: number; readonly seenAt: number };
  /** Ends the loop; containers run on. */
  close(): Promise<void>;
}

/** What a loop is made from. */
export interface LoopDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly images: Images;
  readonly health: HealthWatch;
  readonly policy: { readonly startLimit: number; readonly sandboxImage: string };
  /** The node, or its engine, was started since the agent last wrote its journal. */
  readonly booted: boolean;
  readonly orders: () => Orders;
  readonly onPicture: (picture: Picture) => void;
}

/** Hints come in bursts: a container's end is several events. */
const GAP_MS = 20;
/** Without a hint the engine is listed this often, because hints are lost now and then. */
const RELIST_MS = 10_000;
/** While something is under way the list is read more often. */
const ACTIVE_MS = 1_000;

/** Makes the loop: wake or period → observe → converge → begin steps → show. It begins at the first hint. */
export function createLoop(deps: LoopDeps): Loop {
  const { engine, clock, log, health } = deps;
  let memory: ConvergeMemory = EMPTY_MEMORY;
  let first = true;
  let containers: readonly ObservedContainer[] = [];
  let digest: Digest = { digest: 0n, instances: 0 };
  let progress = { passedAt: clock.monotonic(), seenAt: clock.monotonic() };
  let blind = false;

  const work = createWork({ executors: createExecutors(engine, deps.images), clock, log, onEnd: remember });

  function remember(step: Step, failure: string | undefined): void {
    memory = failure === undefined ? noteStepDone(memory, step) : noteStepFailed(memory, step, failure, clock.now());
    wake.hint();
  }

  async function pass(): Promise<void> {
    try {
      await look();
      if (blind) log.info("engine.answered", "The engine answers again.");
      blind = false;
      progress = { passedAt: clock.monotonic(), seenAt: clock.monotonic() };
    } catch (error) {
      if (!blind) log.error("engine.silent", "The engine could not be looked at; what runs, runs on.", { error });
      blind = true;
      progress = { ...progress, passedAt: clock.monotonic() };
      wake.at(clock.now() + ACTIVE_MS);
    }
  }

  async function look(): Promise<void> {
    const mark = work.mark();
    const seen = await engine.observe();
    const { assignment, confirmed, unreadable } = deps.orders();
    const instances = assignment?.instances ?? [];
    const observed = health.apply(seen, instances);
    if (first && deps.booted) memory = noteBoot(memory, observed);
    first = false;
    containers = observed.containers;
    const inFlight = work.busyKeys(mark);
    const healthNotes = health.notes();
    const now = clock.now();
    const result = converge({
      assignment,
      confirmed,
      observed,
      memory,
      inFlight,
      policy: deps.policy,
      healthNotes,
      now,
    });
    memory = result.memory;
    const fresh = result.steps.filter(step => !isStale(step, mark));
    for (const step of fresh) work.begin(step);
    digest = toDigest(result.statuses);
    deps.onPicture(
      toPicture(result.statuses, instances, observed, unreadable, { progressOf: deps.images.progressOf, healthNotes }),
    );
    if (fresh.length < result.steps.length) wake.hint();
    if (work.running() > 0) wake.at(clock.now() + ACTIVE_MS);
    if (result.wakeAt !== undefined) wake.at(result.wakeAt);
  }

  /** After a deed the next decision on that instance needs a snapshot that was begun later: acting on an older one makes doubles. */
  function isStale(step: Step, mark: number): boolean {
    const instanceId = instanceOf(step);
    return instanceId !== undefined && work.isStale(instanceId, mark);
  }

  const wake = createWake(pass, { minGapMs: GAP_MS, periodMs: RELIST_MS }, clock, error => {
    log.error("loop.failed", "A pass of the loop failed; the next one tries again.", { error });
  });
  return {
    hint: () => wake.hint(),
    containers: () => containers,
    digest: () => digest,
    progress: () => progress,
    close: () => wake.close(),
  };
}
