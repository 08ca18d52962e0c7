import type { AssignedInstance } from "../model/assignment.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { runs, stopContainer } from "./end.ts";
import type { Round } from "./round.ts";
import { containerStatuses } from "./run.ts";
import type { InstanceStatus } from "./status.ts";

/**
 * An instance that is over: its containers stay for their logs, and none is made or started, also
 * where somebody removed one. What still runs of it, as the network of a pod does, ends.
 */
export function keepInstance(
  round: Round,
  instance: AssignedInstance,
  group: readonly ObservedContainer[],
): InstanceStatus {
  const { instanceId, epoch, spec } = instance;
  for (const container of group)
    if (runs(container)) stopContainer(round, container, spec.stopGraceMs, "its instance is over");
  const failed = group.filter(({ role, exitCode }) => role === "app" && exitCode !== undefined && exitCode !== 0);
  return {
    ...{ instanceId, epoch, health: "none", stranger: false, ports: [] },
    state: failed.length > 0 ? "failed" : "completed",
    containers: containerStatuses(round, instance, group),
    message: failed.map(({ name, exitCode }) => `${name} is given up: it ended with exit code ${exitCode}`).join("; "),
  };
}
