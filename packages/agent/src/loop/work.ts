import type { StepFailure } from "@skep/core/converge/memory.ts";
import { stepKey, type OnContainer, type Step } from "@skep/core/converge/step.ts";
import { mountKey } from "@skep/core/model/volume.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { EngineEvent } from "../engine/engine.ts";
import { engineErrorCode } from "../engine/errors.ts";
import { createEchoes } from "./echoes.ts";
import { execute, instanceOf, type Executors } from "./executors.ts";

/** The steps that are under way, and which snapshots are too old to decide from after them. */
export interface Work {
  /** Begins a step; it goes its own way, so that a slow one holds up no other. */
  begin(step: Step): void;
  /** A mark for a snapshot that is begun now. */
  mark(): number;
  /**
   * Keys that must not be issued again by a decision on the snapshot of this mark; `ended` are
   * those that are done.
   */
  busyKeys(mark: number): { readonly inFlight: readonly string[]; readonly ended: readonly string[] };
  /**
   * Whether something was done to the instance after the snapshot was begun, so that it shows the
   * instance as it was.
   */
  isStale(instanceId: string, mark: number): boolean;
  /** Whether the event only says what a step of ours brings about, whose end is told anyway. */
  isEcho(event: EngineEvent): boolean;
  /** How many steps are under way. */
  running(): number;
}

/** Makes the work; `onEnd` is told how each step ended, `undefined` for well. */
export function createWork(deps: {
  readonly executors: Executors;
  readonly clock: Clock;
  readonly log: Log;
  readonly onEnd: (step: Step, failure: StepFailure | undefined) => void;
}): Work {
  const { executors, clock, log, onEnd } = deps;
  const running = new Map<string, Promise<void>>();
  const echoes = createEchoes(clock);
  /**
   * Of steps that ended: the mark that was last given out by then. Snapshots up to that mark are
   * too old.
   */
  const endedKeys = new Map<string, number>();
  const endedInstances = new Map<string, number>();
  let marks = 0;

  async function run(step: Step, made: Promise<void> | undefined): Promise<void> {
    await made;
    const startedAt = clock.monotonic();
    let failure: StepFailure | undefined;
    try {
      await execute(executors, step);
    } catch (error) {
      const code = engineErrorCode(error);
      const words = error instanceof Error ? error.message : String(error);
      failure = { words, isPortTaken: code === "port_taken" };
      log.warn("step.failed", `${step.kind} failed: ${words}`, { step: step.key, code, error });
    }
    const durationMs = Math.round(clock.monotonic() - startedAt);
    if (failure === undefined) log.info("step.done", sentenceOf(step), { step: step.key, durationMs });
    running.delete(step.key);
    echoes.end(step, failure === undefined);
    endedKeys.set(step.key, marks);
    const instanceId = instanceOf(step);
    if (instanceId !== undefined) endedInstances.set(instanceId, marks);
    onEnd(step, failure);
  }

  return {
    begin: step => {
      echoes.begin(step);
      // Engines list a container a moment before they find it by its id: it is started as soon as
      // its create has ended.
      const made = step.kind === "start-container" ? running.get(createOf(step)) : undefined;
      running.set(step.key, run(step, made));
    },
    mark: () => ++marks,
    busyKeys: mark => {
      for (const [key, ended] of endedKeys) if (ended < mark) endedKeys.delete(key);
      for (const [id, ended] of endedInstances) if (ended < mark) endedInstances.delete(id);
      const ended = [...endedKeys.keys()];
      return { inFlight: [...running.keys(), ...ended], ended };
    },
    isStale: (instanceId, mark) => (endedInstances.get(instanceId) ?? -1) >= mark,
    isEcho: event => echoes.isEcho(event),
    running: () => running.size,
  };
}

function createOf({ instanceId, epoch, container }: OnContainer): string {
  return stepKey.create(instanceId, epoch, container);
}

function sentenceOf(step: Step): string {
  switch (step.kind) {
    case "pull-image":
      return `Image ${step.image} is here.`;
    case "create-network":
      return `The network of ${step.tenantId} is there.`;
    case "remove-network":
      return `The network ${step.name} is gone.`;
    case "remove-volume":
      return `The volume ${mountKey(step.volume)} is gone with its data.`;
    case "create-sandbox":
      return `Made the sandbox of ${step.instance.instanceId}.`;
    case "create-container":
      return `Made ${step.container.name} of ${step.instance.instanceId}.`;
    case "take-sandbox":
      return `A sandbox that was ready is ${step.instance.instanceId}'s.`;
    case "make-warm":
      return "Made a sandbox ahead.";
    case "remove-warm":
      return `Removed a sandbox that was made ahead: ${step.because}.`;
    case "start-container":
      return `Started ${step.container || "the sandbox"} of ${step.instanceId}: ${step.because}.`;
    case "stop-container":
      return `Stopped ${step.container || "the sandbox"} of ${step.instanceId}: ${step.because}.`;
    case "remove-container":
      return `Removed ${step.container || "the sandbox"} of ${step.instanceId}: ${step.because}.`;
  }
}
