import type { AssignedInstance } from "../model/assignment.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { DETACHED, endContainer, endGroup, on, runs } from "./end.ts";
import type { PartState } from "./part.ts";
import { judgePort } from "./port-taken.ts";
import { isByNetd, makeNetwork, makeReady } from "./ready.ts";
import { longestDelay, noteEnd, noteRunning, noteVanished } from "./restart.ts";
import { attempt, attemptInTurn, isAhead, recall, remember, wake } from "./round.ts";
import type { Round } from "./round.ts";
import { netdSandboxHash, sandboxHash } from "./spec-hash.ts";
import { stepKey } from "./step.ts";

/** The hash of the sandbox that the instance is to have. */
export function wantedSandbox(round: Round, instance: AssignedInstance): string {
  return isByNetd(round.input) ? netdSandboxHash(instance) : sandboxHash(instance);
}

/** Whether the pod's network stands, so that containers may join it; else how far it is. */
export type SandboxState = { readonly ready: true } | { readonly ready: false; readonly state: PartState };

/**
 * Brings a pod's sandbox a step closer to running. Containers that joined a sandbox that is dead or
 * gone have no network any more, so the whole pod is made anew.
 */
export function convergeSandbox(
  round: Round,
  instance: AssignedInstance,
  seen: ObservedContainer | undefined,
  group: readonly ObservedContainer[],
): SandboxState {
  remember(round, instance, "", {});
  if (seen === undefined) return createSandbox(round, instance, group);
  if (round.exitedAtBoot.has(seen.id)) {
    return not("waiting", "its node started anew: it waits for the scheduler to confirm that it still belongs here");
  }
  if (seen.specHash !== wantedSandbox(round, instance))
    return makeAnew(round, instance, seen, group, "its ports changed");
  if (seen.isDetached) return reattach(round, instance, seen, group);
  switch (seen.state) {
    case "running":
      noteRunning(round, instance, seen);
      return { ready: true };
    case "created":
      return startSandbox(round, instance, seen);
    case "exited":
    case "dead":
      noteEnd(round, instance, seen);
      if (canStartAgain(round, instance, seen, group)) return startSandbox(round, instance, seen);
      return makeAnew(round, instance, seen, group, "its network ended");
    case "paused":
    case "restarting":
    case "removing":
      return not("starting", `the pod's network is ${seen.state}`);
  }
}

function createSandbox(round: Round, instance: AssignedInstance, group: readonly ObservedContainer[]): SandboxState {
  if (group.length > 0) {
    for (const container of group) {
      remember(round, instance, container.name, { replacing: true });
      endContainer(round, container, instance.spec.stopGraceMs, "its pod's network is gone");
    }
    return not("starting", "the pod's network is gone: the pod is made anew");
  }
  const key = stepKey.create(instance.instanceId, instance.epoch, "");
  if (!round.inFlight.has(key)) noteVanished(round, instance, "");
  const delayed = delay(round, instance);
  if (delayed !== undefined) return delayed;
  const specHash = wantedSandbox(round, instance);
  if (take(round, instance, specHash)) return not("preparing", "");
  const image = round.input.policy.sandboxImage;
  const waits = makeReady(round, instance, image, !isByNetd(round.input));
  if (waits !== undefined) return not("preparing", waits);
  const { network } = round.input.policy;
  const step = { kind: "create-sandbox", key, instance, image, specHash, network } as const;
  const tried = attemptInTurn(round, "create", step);
  if (tried === undefined) return not("preparing", "the pod waits for its turn to be made");
  const { problem } = tried;
  return not("preparing", problem === undefined ? "" : `the pod's network cannot be made: ${problem}`);
}

/** Gives the instance a sandbox that was made ahead, where one fits. */
function take(round: Round, instance: AssignedInstance, specHash: string): boolean {
  const { instanceId, epoch } = instance;
  if ([...round.inFlight].some(key => key.startsWith("take:") && key.endsWith(`/${instanceId}@${epoch}`))) return true;
  const at = round.warm.findIndex(one => one.isRunning && one.specHash === specHash);
  const [one] = at < 0 ? [] : round.warm.splice(at, 1);
  if (one === undefined) return false;
  const key = stepKey.take(one.id, instanceId, epoch);
  return attempt(round, { kind: "take-sandbox", key, instance, containerId: one.id }).issued;
}

/**
 * Containers name their sandbox and not its network, so they go on with what they wrote when both
 * are started again, as after a restart of the node. One that still runs holds on to a network that
 * leads nowhere.
 */
function canStartAgain(
  round: Round,
  instance: AssignedInstance,
  { state }: ObservedContainer,
  group: readonly ObservedContainer[],
): boolean {
  if (!isByNetd(round.input) || state !== "exited") return false;
  return !group.some(runs) && !recall(round, instance, "").replacing;
}

function delay(round: Round, instance: AssignedInstance): SandboxState | undefined {
  const { nextStartAt, reason } = recall(round, instance, "");
  if (!isAhead(nextStartAt, round.now, longestDelay(instance.spec.restart))) return undefined;
  wake(round, nextStartAt);
  return not("starting", `the pod's network is made again soon: ${reason}`);
}

function startSandbox(round: Round, instance: AssignedInstance, seen: ObservedContainer): SandboxState {
  remember(round, instance, "", { id: seen.id, replacing: false });
  const port = judgePort(round, seen);
  if (port?.kind === "give-up") {
    remember(round, instance, "", { failed: true, reason: port.because });
    return not("failed", `the pod is given up: ${port.because}`);
  }
  if (port !== undefined) return not("starting", `the pod waits: ${port.because}`);
  const delayed = delay(round, instance);
  if (delayed !== undefined) return delayed;
  const waits = isByNetd(round.input) ? undefined : makeNetwork(round, instance.tenantId);
  if (waits !== undefined) return not("starting", `the pod waits: ${waits}`);
  const key = stepKey.start(seen.id);
  const step = { kind: "start-container", key, ...on(seen, "its pod is wanted") } as const;
  const started = attemptInTurn(round, "start", step);
  if (started === undefined) return not("starting", "the pod waits for its turn to start");
  const { problem } = started;
  return not("starting", problem === undefined ? "" : `the pod's network cannot be started: ${problem}`);
}

function makeAnew(
  round: Round,
  instance: AssignedInstance,
  seen: ObservedContainer,
  group: readonly ObservedContainer[],
  because: string,
): SandboxState {
  for (const container of group) remember(round, instance, container.name, { id: container.id, replacing: true });
  remember(round, instance, "", { id: seen.id, replacing: true });
  endGroup(round, group, instance.spec.stopGraceMs, because);
  return not("starting", `the pod is made anew: ${because}`);
}

/**
 * As `makeAnew`, but counted: a pod whose network is taken away again and again waits ever longer.
 */
function reattach(
  round: Round,
  instance: AssignedInstance,
  seen: ObservedContainer,
  group: readonly ObservedContainer[],
): SandboxState {
  const answer = makeAnew(round, instance, seen, group, DETACHED);
  remember(round, instance, "", { startedAt: seen.startedAt, replacing: false });
  return answer;
}

function not(phase: PartState["phase"], message: string): SandboxState {
  return { ready: false, state: { phase, health: "starting", message } };
}
