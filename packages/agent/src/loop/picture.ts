import type { ReportedStatus } from "@skep/core/model/report.ts";
import type { ReportedVolume } from "@skep/core/model/volume.ts";
import { hash } from "node:crypto";
import type { Stranger } from "@skep/api/codec/report.ts";
import { digestText, isDigested } from "@skep/core/converge/digest.ts";
import type { InstanceStatus } from "@skep/core/converge/status.ts";
import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import type { PortBinding } from "@skep/core/model/instance.ts";
import type { Observed, ObservedContainer } from "@skep/core/model/observed.ts";

/** All that the agent has to say at one moment; each picture replaces the one before. */
export interface Picture {
  readonly statuses: readonly ReportedStatus[];
  readonly gone: readonly { readonly instanceId: string; readonly epoch: number }[];
  readonly strangers: readonly Stranger[];
  readonly volumes: readonly ReportedVolume[];
}

/** An instance of an assignment that cannot be worked on, as it is reported. */
export interface SetAside {
  readonly instanceId: string;
  readonly epoch: number;
  readonly state: "preparing" | "failed";
  readonly message: string;
  /** As assigned, where that could be read; a row written back from this keeps its ports. */
  readonly ports: readonly PortBinding[];
}

/** What the agent runs, in one number that the scheduler can compute as well. */
export interface Digest {
  readonly digest: bigint;
  readonly instances: number;
}

/** What only the agent's shell knows about instances, to be put into words. */
export interface Remarks {
  /** How far the pull of an image has come; `undefined` while none runs. */
  readonly progressOf: (image: string) => string | undefined;
  /** Why the last probe of a container failed, by container id. */
  readonly healthNotes: Readonly<Record<string, string>>;
}

/**
 * What the agent has to say after a look: statuses, what is gone, what it cannot explain, what it
 * cannot begin.
 */
export function toPicture(
  statuses: readonly InstanceStatus[],
  { instances, removals }: Pick<Assignment, "instances" | "removals">,
  observed: Observed,
  setAside: readonly SetAside[],
  remarks: Remarks,
): Picture {
  const ours = statuses.filter(status => !status.stranger);
  const seen = new Set(statuses.map(keyOf));
  const mounted = new Set(observed.containers.flatMap(container => container.mounts));
  const toStop = new Set(instances.filter(one => one.desired === "stop").map(keyOf));
  return {
    statuses: [...ours.map(status => withRemark(status, instances, remarks)), ...setAside.map(toStatus)],
    gone: [
      ...ours.filter(one => toStop.has(keyOf(one)) && one.state === "stopped" && one.containers.length === 0),
      ...removals.filter(one => !seen.has(keyOf(one))),
    ].map(({ instanceId, epoch }) => ({ instanceId, epoch })),
    strangers: statuses
      .filter(status => status.stranger)
      .flatMap(status => toStranger(status, observed.containers) ?? []),
    volumes: observed.volumes.map(({ engineName, ...volume }) => ({ ...volume, inUse: mounted.has(engineName) })),
  };
}

/** Everything of ours on the node with its owner, as the agent last told of it. */
export function toPresent(picture: Picture, containers: readonly ObservedContainer[]): readonly Stranger[] {
  const told = [...picture.statuses, ...picture.strangers.map(one => one.status)];
  return told.flatMap(status => toStranger({ ...status, stranger: true }, containers) ?? []);
}

/**
 * Answers the digest of all that is seen, strangers among it: the scheduler's records must explain
 * them too. Most of it is as at the last look, whose hashes are kept by their text.
 */
export function createDigest(): (statuses: readonly InstanceStatus[]) => Digest {
  let last: ReadonlyMap<string, bigint> = new Map();
  return statuses => {
    const hashes = new Map<string, bigint>();
    const digested = statuses.filter(isDigested);
    let digest = 0n;
    for (const status of digested) {
      const text = digestText(status);
      const hashed = last.get(text) ?? hash("md5", text, "buffer").readBigUInt64BE();
      hashes.set(text, hashed);
      digest ^= hashed;
    }
    last = hashes;
    return { digest, instances: digested.length };
  };
}

function withRemark(status: InstanceStatus, instances: readonly AssignedInstance[], remarks: Remarks): ReportedStatus {
  const { stranger: _, ...reported } = status;
  if (status.state === "preparing") {
    const spec = instances.find(one => keyOf(one) === keyOf(status))?.spec;
    const pulling = spec?.containers
      .map(container => remarks.progressOf(container.image))
      .find(text => text !== undefined);
    if (pulling !== undefined) return { ...reported, message: pulling };
  }
  if (status.health !== "starting" || status.message !== "") return reported;
  const failing = status.containers.find(one => remarks.healthNotes[one.id] !== undefined);
  return failing === undefined
    ? reported
    : { ...reported, message: `${failing.name} is not healthy yet: ${remarks.healthNotes[failing.id]}` };
}

function toStatus({ instanceId, epoch, state, message, ports }: SetAside): ReportedStatus {
  return { instanceId, epoch, state, health: "none", containers: [], ports, message };
}

function toStranger(status: InstanceStatus, containers: readonly ObservedContainer[]): Stranger | undefined {
  const container = containers.find(one => keyOf(one) === keyOf(status));
  if (container === undefined) return undefined;
  const { stranger: _, ...reported } = status;
  const { tenantId, deploymentId, release } = container;
  return { status: reported, tenantId, deploymentId, release };
}

function keyOf(one: { readonly instanceId: string; readonly epoch: number }): string {
  return `${one.instanceId}@${one.epoch}`;
}
