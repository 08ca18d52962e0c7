import type { DeploymentRecord } from "../model/deployment.ts";
import type { Instance, InstanceRecord, Location, Refusal } from "../model/instance.ts";
import { isGlobal } from "../model/mode.ts";
import { isWaiting } from "../model/waiting.ts";
import { currentOf, isCompleted, isFinal, isLive, isWell } from "../model/state.ts";

/** Why one instance does not run. */
export interface Trouble {
  readonly instanceId: string;
  readonly sentence: string;
  readonly advice: string;
  readonly refusal: Refusal | undefined;
}

/** How far a deployment is from what is wanted; counts are of instances. */
export interface DeploymentStatus {
  readonly wanted: number;
  readonly placed: number;
  readonly running: number;
  readonly healthy: number;
  /** Of those that ran and have done what they had to do; they are in no other count. */
  readonly completed: number;
  readonly leaving: number;
  readonly converged: boolean;
  readonly message: string;
  readonly troubles: readonly Trouble[];
}

/** Counts a deployment's instances against what is wanted, and says what is missing. */
export function deploymentStatus(
  record: DeploymentRecord,
  records: readonly InstanceRecord[],
  hostnameOf: (nodeId: string) => string,
): DeploymentStatus {
  const { deployment } = record;
  const isEverywhere = deployment.desired === "run" && isGlobal(record.release.spec);
  const slots = new Set(records.filter(one => one.instance.desired === "run").map(one => one.instance.slot));
  const wanted = isEverywhere ? slots.size : deployment.desired === "run" ? deployment.replicas : 0;
  const current = records.filter(
    ({ instance }) => instance.desired === "run" && instance.release === deployment.release,
  );
  const live = current.map(one => ({ ...one, location: currentOf(one.instance, one.locations) }));
  const placed = live.filter(({ location }) => location !== undefined && isLive(location));
  const running = placed.filter(({ location }) => location?.state === "running");
  const healthy = running.filter(({ location }) => location !== undefined && isWell(location));
  const completed = live.filter(({ location }) => location !== undefined && isCompleted(location));
  const leaving = records.filter(one => !current.includes(one) && one.locations.some(isLive));
  const keptBack = records.filter(one => !current.includes(one) && isWaiting(one.instance.refusal));
  const troubles = [
    ...live.flatMap(({ instance, location }) => troubleOf(instance, location, hostnameOf) ?? []),
    ...keptBack.map(({ instance }) => waitOf(instance.id, instance.refusal!)),
  ];
  const counts = {
    wanted,
    placed: placed.length,
    running: running.length,
    healthy: healthy.length,
    completed: completed.length,
    leaving: leaving.length,
  };
  const converged = healthy.length + completed.length === wanted && current.length === wanted && leaving.length === 0;
  if (isEverywhere && wanted === 0)
    return { ...counts, converged: false, message: "No node that takes work fits it yet", troubles };
  return { ...counts, converged, message: converged ? "" : sentence(counts, troubles), troubles };
}

function troubleOf(
  instance: Instance,
  location: Location | undefined,
  hostnameOf: (nodeId: string) => string,
): Trouble | undefined {
  const { refusal } = instance;
  const isNowhere = location === undefined || isFinal(location.state);
  if (refusal !== undefined && isNowhere && isWaiting(refusal)) return waitOf(instance.id, refusal);
  if (refusal !== undefined && isNowhere) {
    const removed = refusal.removed.map(one => one.sentence).join("; ");
    const words = removed === "" ? "it fits on no node" : `it fits on no node: ${removed}`;
    return { instanceId: instance.id, sentence: words, advice: refusal.advice, refusal };
  }
  if (location === undefined) return undefined;
  const where = `on node ${hostnameOf(location.nodeId)}`;
  const says = location.message === "" ? "" : `: ${location.message}`;
  const trouble = (words: string, advice: string): Trouble => ({
    instanceId: instance.id,
    sentence: `${words} ${where}${says}`,
    advice,
    refusal: undefined,
  });
  if (location.state === "failed" && location.desired === "retire")
    return trouble(
      "it has failed for good",
      "Look at its logs; its restart policy tries it no more: skep restart does",
    );
  if (location.state === "failed" || location.state === "lost")
    return trouble(`it is ${location.state}`, "Look at its logs; it is placed again by itself");
  if (location.health === "unhealthy") return trouble("it is unhealthy", "Look at its logs and at its health check");
  if (location.state === "running" || location.state === "completed" || location.message === "") return undefined;
  return trouble(`it is ${location.state}`, "");
}

/** It is no node that is missing: what it waits for is said as it is. */
function waitOf(instanceId: string, refusal: Refusal): Trouble {
  return { instanceId, sentence: refusal.advice, advice: "", refusal };
}

function sentence(
  counts: Pick<DeploymentStatus, "wanted" | "placed" | "running" | "healthy" | "completed" | "leaving">,
  troubles: readonly Trouble[],
): string {
  const { wanted, placed, running, healthy, completed, leaving } = counts;
  const nowhere = wanted - placed - completed;
  const isHeld = troubles.some(one => isWaiting(one.refusal));
  const parts = [
    ...(nowhere > 0 ? [`${nowhere} of ${wanted} ${isHeld ? "wait" : "wait for a node"}`] : []),
    ...(running < placed ? [`${placed - running} of ${wanted} start`] : []),
    ...(healthy < running ? [`${running - healthy} of ${wanted} run and are not healthy`] : []),
    ...(leaving > 0 ? [`${leaving} of before still leave`] : []),
    ...(healthy > wanted ? [`${healthy - wanted} more than wanted still run`] : []),
    ...(completed > 0 ? [`${completed} of ${wanted} are completed`] : []),
  ];
  const [worst] = troubles;
  const why = worst === undefined ? "" : `; ${worst.instanceId}: ${worst.sentence}`;
  return `${parts.length === 0 ? "The change is being carried out" : parts.join(", ")}${why}`;
}
