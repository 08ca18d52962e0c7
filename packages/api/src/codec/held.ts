import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { ReportedVolume } from "@skep/core/model/volume.ts";
import type { InstanceId } from "@skep/core/model/instance.ts";
import { AgentJournalSchema, HeldStateSchema } from "../gen/skep/v1/agent_pb.ts";
import type { HeldState as HeldStateMessage, InstanceEpoch } from "../gen/skep/v1/agent_pb.ts";
import { assignmentFromProto, wholeAssignmentToProto } from "./assignment.ts";
import { decodeMessage, encodeMessage } from "./envelope.ts";
import { strangersFromProto, strangerToProto, type Stranger } from "./report.ts";
import { volumeOnNodeFromProto, volumeOnNodeToProto } from "./volume-on-node.ts";

/** What an agent keeps over its own restarts. */
export interface KeptState {
  readonly assignment: Assignment | undefined;
  /** Highest epoch ever accepted per instance, the oldest entry first. */
  readonly epochs: Readonly<Record<InstanceId, number>>;
  readonly bootId: string;
}

/** What an agent holds and what runs on its node, for a recovery of the records. */
export interface HeldState {
  readonly assignment: Assignment | undefined;
  readonly epochs: Readonly<Record<InstanceId, number>>;
  /** Everything of ours that is on the node, assigned or not. */
  readonly present: readonly Stranger[];
  /** All volumes of ours on its engine. */
  readonly volumes: readonly ReportedVolume[];
  /** Why the last assignment that arrived was refused; `""` while none is. */
  readonly refused: string;
}

/** Writes an agent's journal. */
export function encodeJournal({ assignment, epochs, bootId }: KeptState): Uint8Array {
  return encodeMessage(AgentJournalSchema, {
    bootId,
    epochs: epochsToProto(epochs),
    ...(assignment === undefined ? {} : { assignment: wholeAssignmentToProto(assignment) }),
  });
}

/**
 * Reads a journal. Instances whose spec this version is too old to read are left out: what runs of
 * them is left alone like everything that an assignment does not name.
 * @throws SkepError as `decodeMessage`.
 */
export function decodeJournal(bytes: Uint8Array): KeptState {
  const { assignment, epochs, bootId } = decodeMessage(AgentJournalSchema, bytes);
  return {
    bootId,
    epochs: epochsFromProto(epochs),
    assignment: assignment === undefined ? undefined : assignmentFromProto(assignment).assignment,
  };
}

/** The state as its message. */
export function heldToProto({
  assignment,
  epochs,
  present,
  volumes,
  refused,
}: HeldState): MessageInitShape<typeof HeldStateSchema> {
  return {
    refused,
    epochs: epochsToProto(epochs),
    present: present.map(strangerToProto),
    volumes: volumes.map(volumeOnNodeToProto),
    ...(assignment === undefined ? {} : { assignment: wholeAssignmentToProto(assignment) }),
  };
}

/** @throws SkepError for an availability that this version does not know. */
export function heldFromProto({ assignment, epochs, present, volumes, refused }: HeldStateMessage): HeldState {
  return {
    refused,
    epochs: epochsFromProto(epochs),
    present: strangersFromProto(present).read,
    volumes: volumes.map(volumeOnNodeFromProto),
    assignment: assignment === undefined ? undefined : assignmentFromProto(assignment).assignment,
  };
}

/** The state by itself, of which parts are sent. */
export function encodeHeld(held: HeldState): Uint8Array {
  return toBinary(HeldStateSchema, create(HeldStateSchema, heldToProto(held)));
}

/** @throws SkepError as `heldFromProto`, and where it is no such state. */
export function decodeHeld(bytes: Uint8Array): HeldState {
  let message: HeldStateMessage;
  try {
    message = fromBinary(HeldStateSchema, bytes);
  } catch (cause) {
    const sentence = "What the agent holds cannot be read: its parts make no whole.";
    throw new SkepError("invalid_argument", "MALFORMED_MESSAGE", sentence, { cause });
  }
  return heldFromProto(message);
}

function epochsToProto(epochs: KeptState["epochs"]): { readonly instanceId: string; readonly epoch: number }[] {
  return Object.entries(epochs).map(([instanceId, epoch]) => ({ instanceId, epoch }));
}

function epochsFromProto(entries: readonly InstanceEpoch[]): KeptState["epochs"] {
  return Object.fromEntries(entries.map(({ instanceId, epoch }) => [instanceId, epoch]));
}
