import type { MessageInitShape } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";
import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type {
  Assignment as AssignmentMessage,
  AssignedInstance as AssignedInstanceMessage,
} from "../gen/skep/v1/agent_pb.ts";
import { AssignmentSchema, FetchAssignmentReplySchema, FetchAssignmentSchema } from "../gen/skep/v1/agent_pb.ts";
import { MIN_READER_VERSION, PROTOCOL_VERSION, decodeMessage, encodeMessage, readEach } from "./envelope.ts";
import type { Unreadable } from "./envelope.ts";
import { portFromProto, portToProto } from "./instance.ts";
import { fromUint64, toUint64 } from "./number.ts";
import { specFromProto, specToProto } from "./spec.ts";
import { availabilities, instanceDesires } from "./words.ts";

/** An assignment as its agent can read it. */
export interface DecodedAssignment {
  readonly assignment: Assignment;
  /**
   * Instances whose spec this agent is too old to read. They are not in `assignment`; the agent leaves whatever it
   * runs of them alone and reports them as failed with the reason.
   */
  readonly unreadable: readonly Unreadable[];
}

/** An agent's request for what it is to run; `term` and `revision` are what it works by, 0 for nothing. */
export interface AssignmentFetch {
  readonly nodeId: string;
  readonly sessionId: string;
  readonly term: number;
  readonly revision: number;
}

/** Writes an assignment. Instances of one release share one copy of its spec on the wire and again after reading. */
export function encodeAssignment(assignment: Assignment): Uint8Array {
  return encodeMessage(AssignmentSchema, assignmentToProto(assignment));
}

/** @throws SkepError as `decodeMessage`, and for an availability that this version does not know. */
export function decodeAssignment(bytes: Uint8Array): DecodedAssignment {
  return assignmentFromProto(decodeMessage(AssignmentSchema, bytes));
}

/** Writes an agent's request. */
export function encodeFetch(fetch: AssignmentFetch): Uint8Array {
  return encodeMessage(FetchAssignmentSchema, {
    ...fetch,
    term: toUint64(fetch.term),
    revision: toUint64(fetch.revision),
  });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeFetch(bytes: Uint8Array): AssignmentFetch {
  const message = decodeMessage(FetchAssignmentSchema, bytes);
  return {
    nodeId: message.nodeId,
    sessionId: message.sessionId,
    term: fromUint64(message.term, "fetch.term"),
    revision: fromUint64(message.revision, "fetch.revision"),
  };
}

/** Writes the answer; `undefined` says that the agent has what is current, or that nothing is recorded for it yet. */
export function encodeFetchReply(assignment: Assignment | undefined): Uint8Array {
  return encodeMessage(
    FetchAssignmentReplySchema,
    assignment === undefined ? {} : { assignment: assignmentToProto(assignment) },
  );
}

/** @throws SkepError as `decodeAssignment`. */
export function decodeFetchReply(bytes: Uint8Array): DecodedAssignment | undefined {
  const { assignment } = decodeMessage(FetchAssignmentReplySchema, bytes);
  return assignment === undefined ? undefined : assignmentFromProto(assignment);
}

function assignmentToProto(assignment: Assignment): MessageInitShape<typeof AssignmentSchema> {
  const specs = specNumbers(assignment.instances);
  return {
    version: PROTOCOL_VERSION,
    minReaderVersion: MIN_READER_VERSION,
    nodeId: assignment.nodeId,
    term: toUint64(assignment.term),
    revision: toUint64(assignment.revision),
    availability: availabilities.toProto(assignment.availability),
    instances: assignment.instances.map(({ ports, desired, spec, ...rest }) => ({
      ...rest,
      desired: instanceDesires.toProto(desired),
      ports: ports.map(portToProto),
      spec: specs.numberOf(spec),
    })),
    removals: assignment.removals.map(removal => ({ ...removal })),
    specs: Object.fromEntries([...specs.all].map(([number, spec]) => [number, specToProto(spec)])),
  };
}

/** Numbers equal specs alike; two are equal when they are the same object or read the same. */
function specNumbers(instances: readonly AssignedInstance[]): {
  readonly all: ReadonlyMap<number, DeploymentSpec>;
  numberOf(spec: DeploymentSpec): number;
} {
  const byObject = new Map<DeploymentSpec, number>();
  const byText = new Map<string, number>();
  const all = new Map<number, DeploymentSpec>();
  for (const { spec } of instances) {
    if (byObject.has(spec)) continue;
    const text = JSON.stringify(spec);
    const number = byText.get(text) ?? byText.size + 1;
    byText.set(text, number);
    byObject.set(spec, number);
    all.set(number, spec);
  }
  return { all, numberOf: spec => byObject.get(spec) ?? 0 };
}

function assignmentFromProto(message: AssignmentMessage): DecodedAssignment {
  const specs = new Map<number, DeploymentSpec>();
  const specOf = ({ spec, instanceId }: AssignedInstanceMessage): DeploymentSpec => {
    const known = specs.get(spec);
    if (known !== undefined) return known;
    const found = message.specs[spec];
    if (found === undefined)
      throw new SkepError("invalid_argument", "MALFORMED_MESSAGE", `The assignment has no spec for ${instanceId}.`);
    const read = specFromProto(found, `spec of ${instanceId}`);
    specs.set(spec, read);
    return read;
  };
  const { read, unreadable } = readEach(message.instances, one => assignedFromProto(one, specOf(one)));
  return {
    assignment: {
      nodeId: message.nodeId,
      term: fromUint64(message.term, "assignment.term"),
      revision: fromUint64(message.revision, "assignment.revision"),
      availability: availabilities.fromProto(message.availability, "assignment.availability"),
      instances: read,
      removals: message.removals.map(({ instanceId, epoch, because }) => ({ instanceId, epoch, because })),
    },
    unreadable,
  };
}

function assignedFromProto(message: AssignedInstanceMessage, spec: DeploymentSpec): AssignedInstance {
  const { instanceId, tenantId, epoch, release, slot } = message;
  const desired = instanceDesires.fromProto(message.desired, `desired state of ${instanceId}`);
  return {
    instanceId,
    tenantId,
    epoch,
    release,
    slot,
    // A retiring instance still runs: only the routes differ, and those are the scheduler's.
    desired: desired === "stop" ? "stop" : "run",
    ports: message.ports.map(port => portFromProto(port, instanceId)),
    spec,
  };
}
