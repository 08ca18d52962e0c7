import { deploymentOf, parseInstanceId } from "@skep/core/model/instance-id.ts";
import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { SkepError } from "@skep/core/error.ts";
import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type {
  Assignment as AssignmentMessage,
  AssignedInstance as AssignedInstanceMessage,
} from "../gen/skep/v1/agent_pb.ts";
import {
  AssignedInstanceSchema,
  AssignmentSchema,
  FetchAssignmentReplySchema,
  FetchAssignmentSchema,
} from "../gen/skep/v1/agent_pb.ts";
import { packAssignment, packWhole, type Packing } from "./assignment-pack.ts";
import { MIN_ASSIGNMENT_READER, PROTOCOL_VERSION, decodeMessage, encodeMessage, readEach } from "./envelope.ts";
import type { Unreadable } from "./envelope.ts";
import { portFromProto, portToProto } from "./instance.ts";
import { fromUint64, toUint64 } from "./number.ts";
import { receiptFromProto } from "./receipt.ts";
import { specFromProto, specToProto } from "./spec.ts";
import { nameOfSpec, smallSpecBytes, specDigest, type SpecName } from "./spec-name.ts";
import { assignedDesires, availabilities } from "./words.ts";

/** An assignment as its agent can read it. */
export interface DecodedAssignment {
  readonly assignment: Assignment;
  /**
   * Instances whose spec this agent is too old to read. They are not in `assignment`; the agent
   * leaves whatever it runs of them alone and reports them as failed with the reason.
   */
  readonly unreadable: readonly Unreadable[];
  /** Instances whose spec is only named: the agent has to hold it or to fetch it. */
  readonly awaiting: readonly Awaiting[];
  /**
   * Instances that the scheduler could not fit into the message; the agent leaves what it runs of
   * them alone.
   */
  readonly leftOut: readonly Unreadable[];
}

/** An instance whose spec is not in the message. */
export interface Awaiting {
  readonly instance: Omit<AssignedInstance, "spec">;
  readonly spec: SpecName;
}

/** An assignment in the form of one message, and what it had no room for. */
export interface PackedAssignment {
  readonly bytes: Uint8Array;
  readonly leftOut: readonly Unreadable[];
  /** How many of the removals are to be told once the node has done the others. */
  readonly removalsLeft: number;
}

/**
 * An agent's request for what it is to run; `term` and `revision` are what it works by, 0 for
 * nothing.
 */
export interface AssignmentFetch {
  readonly nodeId: string;
  readonly sessionId: string;
  readonly incarnation: string;
  readonly term: number;
  readonly revision: number;
  /** The stamp of that revision; absent where it came without one. */
  readonly stamp?: number;
}

/**
 * Writes an assignment with all that it holds, whatever that takes. Instances of one release share
 * one copy of its spec on the wire and again after reading.
 */
export function encodeAssignment(assignment: Assignment): Uint8Array {
  return encodePacked(assignment, packWhole(assignment));
}

/**
 * Writes an assignment so that it takes `maxBytes` at most: `packAssignment` says what becomes of
 * the rest.
 */
export function encodeAssignmentWithin(assignment: Assignment, maxBytes: number): PackedAssignment {
  const packing = packAssignment(assignment, maxBytes);
  const removalsLeft = assignment.removals.length - packing.removals.length;
  return { bytes: encodePacked(assignment, packing), leftOut: packing.leftOut, removalsLeft };
}

/**
 * The message with its instances and specs put behind it. A node's assignment is written with each
 * of its changes, and most of it is as it was: the bytes of each part are made once. A reader of
 * protobuf takes fields in any order.
 */
function encodePacked(assignment: Assignment, packing: Packing): Uint8Array {
  const specs = specNumbers(packing.instances);
  const around = assignmentToProto(assignment, { ...packing, instances: [] }, specs, false);
  const writer = new BinaryWriter().raw(encodeMessage(AssignmentSchema, around, MIN_ASSIGNMENT_READER));
  for (const instance of packing.instances) {
    writer.tag(AssignmentSchema.field.instances.number, WireType.LengthDelimited).fork().raw(instanceBytes(instance));
    writer.tag(AssignedInstanceSchema.field.spec.number, WireType.Varint).uint32(specs.numberOf(instance.spec)).join();
  }
  for (const [number, { spec }] of specs.all) {
    if (packing.named.has(spec)) continue;
    writer.tag(AssignmentSchema.field.specs.number, WireType.LengthDelimited).fork();
    writer.tag(MAP_KEY, WireType.Varint).uint32(number);
    writer.tag(MAP_VALUE, WireType.LengthDelimited).bytes(smallSpecBytes(spec)).join();
  }
  return writer.finish();
}

const written = new WeakMap<AssignedInstance, Uint8Array>();

/** An instance without the number of its spec, which is the message's. */
function instanceBytes(instance: AssignedInstance): Uint8Array {
  let bytes = written.get(instance);
  if (bytes === undefined) {
    bytes = toBinary(AssignedInstanceSchema, create(AssignedInstanceSchema, instanceToProto(instance)));
    written.set(instance, bytes);
  }
  return bytes;
}

/** Fields of an entry of a protobuf map. */
const MAP_KEY = 1;
const MAP_VALUE = 2;

/**
 * @throws SkepError as `decodeMessage`, and for an availability that this version does not know.
 */
export function decodeAssignment(bytes: Uint8Array): DecodedAssignment {
  return assignmentFromProto(decodeMessage(AssignmentSchema, bytes));
}

/** Writes an agent's request. */
export function encodeFetch(fetch: AssignmentFetch): Uint8Array {
  return encodeMessage(FetchAssignmentSchema, {
    ...fetch,
    term: toUint64(fetch.term),
    revision: toUint64(fetch.revision),
    stamp: fetch.stamp ?? 0,
  });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeFetch(bytes: Uint8Array): AssignmentFetch {
  const message = decodeMessage(FetchAssignmentSchema, bytes);
  return {
    nodeId: message.nodeId,
    sessionId: message.sessionId,
    incarnation: message.incarnation,
    term: fromUint64(message.term, "fetch.term"),
    revision: fromUint64(message.revision, "fetch.revision"),
    ...(message.stamp === 0 ? {} : { stamp: message.stamp }),
  };
}

/**
 * Writes the answer in at most `maxBytes`; `undefined` says that the agent has what is current, or
 * that nothing is recorded for it yet.
 */
export function encodeFetchReply(assignment: Assignment | undefined, maxBytes = Infinity): Uint8Array {
  return encodeMessage(
    FetchAssignmentReplySchema,
    assignment === undefined ? {} : { assignment: assignmentToProto(assignment, packAssignment(assignment, maxBytes)) },
    MIN_ASSIGNMENT_READER,
  );
}

/** @throws SkepError as `decodeAssignment`. */
export function decodeFetchReply(bytes: Uint8Array): DecodedAssignment | undefined {
  const { assignment } = decodeMessage(FetchAssignmentReplySchema, bytes);
  return assignment === undefined ? undefined : assignmentFromProto(assignment);
}

/** The whole assignment with every spec, for what no message limits. */
export function wholeAssignmentToProto(assignment: Assignment): MessageInitShape<typeof AssignmentSchema> {
  return assignmentToProto(assignment, packWhole(assignment));
}

function assignmentToProto(
  assignment: Assignment,
  { instances, removals, volumeRemovals, named, leftOut }: Packing,
  specs = specNumbers(instances),
  hasSpecs = true,
): MessageInitShape<typeof AssignmentSchema> {
  const isNamed = ([, { spec }]: [number, Numbered]): boolean => named.has(spec);
  const [away, here] = [[...specs.all].filter(isNamed), [...specs.all].filter(one => !isNamed(one))];
  return {
    version: PROTOCOL_VERSION,
    minReaderVersion: MIN_ASSIGNMENT_READER,
    nodeId: assignment.nodeId,
    incarnation: assignment.incarnation,
    succeeds: [...assignment.succeeds],
    term: toUint64(assignment.term),
    revision: toUint64(assignment.revision),
    stamps: [...assignment.stamps],
    receipt: assignment.receipt ?? "",
    availability: availabilities.toProto(assignment.availability),
    instances: instances.map(one => ({ ...instanceToProto(one), spec: specs.numberOf(one.spec) })),
    removals: removals.map(removal => ({ ...removal })),
    volumeRemovals: volumeRemovals.map(one => ({ ...one, serial: toUint64(one.serial) })),
    specs: hasSpecs ? Object.fromEntries(here.map(([number, { spec }]) => [number, specToProto(spec)])) : {},
    named: Object.fromEntries(
      away.map(([number, one]) => [number, nameOfSpec(one.deploymentId, one.release, one.spec)]),
    ),
    leftOut: leftOut.map(one => ({ ...one })),
  };
}

function instanceToProto(instance: AssignedInstance) {
  const { ports, desired, spec: _, volumes, ...rest } = instance;
  return {
    ...rest,
    desired: assignedDesires.toProto(desired),
    ports: ports.map(portToProto),
    volumes: volumes.map(volume => ({ ...volume, serial: toUint64(volume.serial) })),
  };
}

/** A spec with one of the releases that have it. */
interface Numbered {
  readonly spec: DeploymentSpec;
  readonly deploymentId: string;
  readonly release: number;
}

/**
 * Numbers the specs: instances of one release have one, also where they do not share the object.
 */
function specNumbers(instances: readonly AssignedInstance[]): {
  readonly all: ReadonlyMap<number, Numbered>;
  numberOf(spec: DeploymentSpec): number;
} {
  const byObject = new Map<DeploymentSpec, number>();
  const byContent = new Map<string, number>();
  const all = new Map<number, Numbered>();
  for (const instance of instances) {
    const { spec, release } = instance;
    if (byObject.has(spec)) continue;
    const { deploymentId, key } = contentOf(instance);
    const known = byContent.get(key);
    const number = known ?? byContent.size + 1;
    byContent.set(key, number);
    byObject.set(spec, number);
    if (known === undefined) all.set(number, { spec, deploymentId, release });
  }
  return { all, numberOf: spec => byObject.get(spec) ?? 0 };
}

interface Content {
  readonly deploymentId: string;
  readonly key: string;
}

const contents = new WeakMap<AssignedInstance, Content>();

/** What two instances have in common whose specs are the same. */
function contentOf(instance: AssignedInstance): Content {
  let content = contents.get(instance);
  if (content === undefined) {
    const { spec, instanceId, release } = instance;
    // What is no id of ours shares its spec with nobody.
    const deploymentId = parseInstanceId(instanceId)?.deploymentId ?? instanceId;
    content = { deploymentId, key: `${deploymentId} ${release} ${specDigest(spec)}` };
    contents.set(instance, content);
  }
  return content;
}

/** @throws SkepError for an availability that this version does not know. */
export function assignmentFromProto(message: AssignmentMessage): DecodedAssignment {
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
  const isNamed = (one: AssignedInstanceMessage): boolean => message.named[one.spec] !== undefined;
  const here = readEach(
    message.instances.filter(one => !isNamed(one)),
    one => ({ ...assignedFromProto(one), spec: specOf(one) }),
  );
  const away = readEach(message.instances.filter(isNamed), one => {
    const { deploymentId, release, digest, bytes } = message.named[one.spec]!;
    return { instance: assignedFromProto(one), spec: { deploymentId, release, digest, bytes } };
  });
  return {
    assignment: {
      nodeId: message.nodeId,
      incarnation: message.incarnation,
      succeeds: message.succeeds,
      term: fromUint64(message.term, "assignment.term"),
      revision: fromUint64(message.revision, "assignment.revision"),
      stamps: message.stamps,
      ...receiptFromProto(message),
      availability: availabilities.fromProto(message.availability, "assignment.availability"),
      instances: here.read,
      removals: message.removals.map(({ instanceId, epoch, because }) => ({ instanceId, epoch, because })),
      volumeRemovals: message.volumeRemovals.map(({ tenantId, owner, name, serial }) => ({
        tenantId,
        owner,
        name,
        serial: fromUint64(serial, `serial of volume ${name}`),
      })),
    },
    unreadable: [...here.unreadable, ...away.unreadable],
    awaiting: away.read,
    leftOut: message.leftOut.map(({ instanceId, epoch, because }) => ({ instanceId, epoch, because })),
  };
}

function assignedFromProto(message: AssignedInstanceMessage): Omit<AssignedInstance, "spec"> {
  const { instanceId, tenantId, epoch, release, slot } = message;
  return {
    instanceId,
    tenantId,
    epoch,
    release,
    slot,
    desired: assignedDesires.fromProto(message.desired, `desired state of ${instanceId}`),
    ports: message.ports.map(port => portFromProto(port, instanceId)),
    volumes: message.volumes.map(({ owner, name, serial }) => ({
      // A journal of before volumes had owners.
      owner: owner === "" ? deploymentOf(instanceId) : owner,
      name,
      serial: fromUint64(serial, `serial of volume ${name}`),
    })),
  };
}
