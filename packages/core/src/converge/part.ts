import type { AssignedInstance } from "../model/assignment.ts";
import type { ContainerSpec, HealthCheck } from "../model/deployment.ts";
import type { Health } from "../model/instance.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { DETACHED, endContainer, on, runs, stopContainer } from "./end.ts";
import { judgePort } from "./port-taken.ts";
import { makeReady, networkBeforeStart } from "./ready.ts";
import { longestDelay, noteEnd, noteFirstSight, noteRunning, noteVanished } from "./restart.ts";
import { attemptInTurn, isAhead, recall, remember, times, wake } from "./round.ts";
import type { Round } from "./round.ts";
import { containerHash } from "./spec-hash.ts";
import { stepKey } from "./step.ts";

/**
 * How far one container of an instance is. `ended` with `failed` for one that must not be started
 * again and is no good.
 */
export interface PartState {
  readonly phase: "waiting" | "preparing" | "starting" | "running" | "finished" | "failed";
  readonly health: Health;
  readonly message: string;
}

/** Brings one container of the spec a step closer to running, and says how far it is. */
export function convergePart(
  round: Round,
  instance: AssignedInstance,
  container: ContainerSpec,
  seen: ObservedContainer | undefined,
  sandboxId: string | undefined,
): PartState {
  const specHash = containerHash(instance, container, sandboxId);
  remember(round, instance, container.name, {});
  if (seen === undefined) return create(round, instance, container, specHash, sandboxId);
  if (seen.specHash !== specHash) return makeAnew(round, instance, container, seen, "it was made from something else");
  if (seen.isDetached) return reattach(round, instance, container, seen);
  switch (seen.state) {
    case "running":
      return watch(round, instance, container, seen);
    case "created":
      return begin(round, instance, container, seen);
    case "exited":
      return afterEnd(round, instance, container, seen);
    case "dead":
      return makeAnew(round, instance, container, seen, "the engine calls it dead");
    case "paused":
      noteRunning(round, instance, seen);
      return state("starting", container, `${container.name} is paused: somebody paused it by hand`);
    case "restarting":
    case "removing":
      return state("starting", container, `${container.name} is ${seen.state}`);
  }
}

function create(
  round: Round,
  instance: AssignedInstance,
  container: ContainerSpec,
  specHash: string,
  sandboxId: string | undefined,
): PartState {
  const key = stepKey.create(instance.instanceId, instance.epoch, container.name);
  const verdict = round.inFlight.has(key) ? "restart" : noteVanished(round, instance, container.name);
  const memory = recall(round, instance, container.name);
  if (verdict === "failed") return state("failed", container, `${container.name} is given up: ${memory.reason}`);
  if (isAhead(memory.nextStartAt, round.now, longestDelay(instance.spec.restart))) {
    wake(round, memory.nextStartAt);
    return state("starting", container, waitingAfter(container, memory.reason, memory.failures));
  }
  const waits = makeReady(round, instance, container.image, sandboxId === undefined);
  if (waits !== undefined) return state("preparing", container, waits);
  const { network } = round.input.policy;
  const step = { kind: "create-container", key, instance, container, specHash, sandboxId, network } as const;
  const tried = attemptInTurn(round, "create", step);
  if (tried === undefined) return state("preparing", container, `${container.name} waits for its turn to be made`);
  const { problem } = tried;
  return state("preparing", container, problem === undefined ? "" : `${container.name} cannot be made: ${problem}`);
}

/** Starts a container that was made or has ended, when its time and its turn have come. */
function begin(round: Round, instance: AssignedInstance, container: ContainerSpec, seen: ObservedContainer): PartState {
  const { nextStartAt, failures, reason } = remember(round, instance, container.name, {
    id: seen.id,
    replacing: false,
  });
  if (round.exitedAtBoot.has(seen.id)) {
    return state(
      "waiting",
      container,
      "its node started anew: it waits for the scheduler to confirm that it still belongs here",
    );
  }
  if (isAhead(nextStartAt, round.now, longestDelay(instance.spec.restart))) {
    wake(round, nextStartAt);
    return state("starting", container, waitingAfter(container, reason, failures));
  }
  const key = stepKey.start(seen.id);
  const tried = round.input.memory.tries[key];
  const most = instance.spec.restart.maxAttempts;
  if (tried !== undefined && most !== undefined && tried.failures > most) {
    remember(round, instance, container.name, { failed: true, reason: tried.lastError });
    return state("failed", container, `${container.name} is given up: ${tried.lastError}`);
  }
  const port = judgePort(round, seen);
  if (port?.kind === "give-up") {
    remember(round, instance, container.name, { failed: true, reason: port.because });
    return state("failed", container, `${container.name} is given up: ${port.because}`);
  }
  if (port !== undefined) return state("starting", container, `${container.name} waits: ${port.because}`);
  const waits = networkBeforeStart(round, instance);
  if (waits !== undefined) return state("starting", container, `${container.name} waits: ${waits}`);
  const step = { kind: "start-container", key, ...on(seen, reason === "" ? "it is wanted" : reason) } as const;
  const started = attemptInTurn(round, "start", step);
  if (started === undefined) return state("starting", container, `${container.name} waits for its turn to start`);
  const { problem } = started;
  return state("starting", container, problem === undefined ? "" : `${container.name} cannot be started: ${problem}`);
}

function watch(round: Round, instance: AssignedInstance, container: ContainerSpec, seen: ObservedContainer): PartState {
  noteRunning(round, instance, seen);
  const health = healthOf(container, seen);
  const unwell = health === "unhealthy" && instance.spec.restart.condition !== "none";
  const note = round.input.healthNotes?.[seen.id];
  const reason = `its health check failed${note === undefined ? "" : `: ${note}`}`;
  remember(round, instance, container.name, unwell ? { unwell, reason } : { unwell });
  if (unwell) stopContainer(round, seen, instance.spec.stopGraceMs, reason);
  if (health === "unhealthy") return { phase: "running", health, message: `${container.name}: ${reason}` };
  return { phase: "running", health, message: isUnchecked(container, seen) ? unchecked(container) : "" };
}

function afterEnd(
  round: Round,
  instance: AssignedInstance,
  container: ContainerSpec,
  seen: ObservedContainer,
): PartState {
  noteFirstSight(round, instance, seen);
  if (round.exitedAtBoot.has(seen.id)) return begin(round, instance, container, seen);
  const verdict = noteEnd(round, instance, seen);
  const { reason, unwell } = recall(round, instance, container.name);
  if (verdict === "finished") return { phase: "finished", health: "none", message: `${container.name}: ${reason}` };
  if (verdict === "failed")
    return { phase: "failed", health: "none", message: `${container.name} is given up: ${reason}` };
  const part = begin(round, instance, container, seen);
  return unwell ? { ...part, health: "unhealthy" } : part;
}

function makeAnew(
  round: Round,
  instance: AssignedInstance,
  container: ContainerSpec,
  seen: ObservedContainer,
  because: string,
): PartState {
  remember(round, instance, container.name, { id: seen.id, replacing: true });
  endContainer(round, seen, instance.spec.stopGraceMs, because);
  return state("starting", container, `${container.name} is made anew: ${because}`);
}

/**
 * As `makeAnew`, but counted: one whose network is taken away again and again waits ever longer.
 */
function reattach(
  round: Round,
  instance: AssignedInstance,
  container: ContainerSpec,
  seen: ObservedContainer,
): PartState {
  const answer = makeAnew(round, instance, container, seen, DETACHED);
  remember(round, instance, container.name, { startedAt: seen.startedAt, replacing: false });
  return answer;
}

/**
 * A container's health as its check tells; the engine's word stands for the agent's own probes as
 * well.
 */
export function healthOf(container: ContainerSpec, seen: ObservedContainer): Health {
  if (!runs(seen)) return healthBefore(container);
  const { health } = container;
  const isByImage = health === undefined || health.probe.kind === "image";
  if (seen.engineHealth !== "none" || isByImage || isSwitchedOff(health)) return seen.engineHealth;
  return "starting";
}

/** The health of what does not run yet. */
function healthBefore({ health }: ContainerSpec): Health {
  return health === undefined || isSwitchedOff(health) ? "none" : "starting";
}

/** Docker's word for no check, not even the image's. */
function isSwitchedOff({ probe }: HealthCheck): boolean {
  return probe.kind === "docker" && probe.test[0] === "NONE";
}

/** Whether a spec gives times to a check that its image does not have. */
function isUnchecked({ health }: ContainerSpec, seen: ObservedContainer): boolean {
  return health?.probe.kind === "image" && seen.engineHealth === "none";
}

function unchecked({ name, image }: ContainerSpec): string {
  return `${name}: the image ${image} has no health check of its own, so nothing is asked; give \`healthcheck\` a \`test\``;
}

function state(phase: PartState["phase"], container: ContainerSpec, message: string): PartState {
  return { phase, health: healthBefore(container), message };
}

function waitingAfter(container: ContainerSpec, reason: string, failures: number): string {
  return `${container.name} is started again soon: ${reason} (${times(failures)} in a row)`;
}
