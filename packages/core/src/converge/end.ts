import type { ObservedContainer } from "../model/observed.ts";
import { attempt } from "./round.ts";
import type { Round } from "./round.ts";
import { stepKey } from "./step.ts";
import type { OnContainer } from "./step.ts";

/** Why a container that nothing reaches any more is ended. */
export const DETACHED = "somebody disconnected it from its tenant's network";

/** Stops a container that runs; the engine kills what outlasts the grace. */
export function stopContainer(round: Round, container: ObservedContainer, graceMs: number, because: string): void {
  attempt(round, { kind: "stop-container", key: stepKey.stop(container.id), graceMs, ...on(container, because) });
}

/** Stops a container that may not run, also where a stop is under way that gives it longer. */
export function stopNow(round: Round, container: ObservedContainer, graceMs: number, because: string): void {
  attempt(round, { kind: "stop-container", key: stepKey.stopNow(container.id), graceMs, ...on(container, because) });
}

/** Ends a container for good: stopped first where it runs, then removed. */
export function endContainer(round: Round, container: ObservedContainer, graceMs: number, because: string): void {
  if (container.state === "removing") return;
  // While it is being started or stopped it is neither here nor there: the next look tells.
  if (round.inFlight.has(stepKey.start(container.id))) return;
  if (runs(container)) stopContainer(round, container, graceMs, because);
  else attempt(round, { kind: "remove-container", key: stepKey.remove(container.id), ...on(container, because) });
}

/** Ends all containers of a group: the sandbox last, since the others stand in its network. */
export function endGroup(
  round: Round,
  containers: readonly ObservedContainer[],
  graceMs: number,
  because: string,
): void {
  const apps = containers.filter(container => container.role === "app");
  for (const container of apps) endContainer(round, container, graceMs, because);
  if (apps.length > 0) return;
  for (const container of containers) endContainer(round, container, 0, because);
}

/** Whether the container has processes. */
export function runs(container: ObservedContainer): boolean {
  return container.state === "running" || container.state === "paused" || container.state === "restarting";
}

/** The part of a step that names its container. */
export function on(container: ObservedContainer, because: string): OnContainer {
  return {
    containerId: container.id,
    instanceId: container.instanceId,
    epoch: container.epoch,
    container: container.name,
    because,
  };
}
