import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { EventNoticeSchema, WakeSchema } from "../gen/skep/v1/agent_pb.ts";
import type { Event as EventMessage, EventSchema } from "../gen/skep/v1/event_pb.ts";
import { decodeMessage, encodeMessage } from "./envelope.ts";

/** One decision or transition worth showing to a person. */
export interface EventValue {
  readonly at: number;
  readonly kind: string;
  readonly tenantId: string | undefined;
  readonly deploymentId: string | undefined;
  readonly instanceId: string | undefined;
  readonly nodeId: string | undefined;
  readonly epoch: number | undefined;
  readonly sentence: string;
}

/** What happened and which records changed, as a hint to every scheduler. */
export interface EventNotice {
  readonly events: readonly EventValue[];
  readonly deploymentIds: readonly string[];
  readonly nodeIds: readonly string[];
}

/** An event as a message. */
export function eventToProto(event: EventValue): MessageInitShape<typeof EventSchema> {
  return {
    at: timestampFromMs(event.at),
    kind: event.kind,
    tenantId: event.tenantId ?? "",
    deploymentId: event.deploymentId ?? "",
    instanceId: event.instanceId ?? "",
    nodeId: event.nodeId ?? "",
    epoch: event.epoch,
    sentence: event.sentence,
  };
}

/** A message as an event. */
export function eventFromProto(message: EventMessage): EventValue {
  const word = (text: string): string | undefined => (text === "" ? undefined : text);
  return {
    at: message.at === undefined ? 0 : timestampMs(message.at),
    kind: message.kind,
    tenantId: word(message.tenantId),
    deploymentId: word(message.deploymentId),
    instanceId: word(message.instanceId),
    nodeId: word(message.nodeId),
    epoch: message.epoch,
    sentence: message.sentence,
  };
}

/** Writes a notice. */
export function encodeEventNotice(notice: EventNotice): Uint8Array {
  return encodeMessage(EventNoticeSchema, {
    events: notice.events.map(eventToProto),
    deploymentIds: [...notice.deploymentIds],
    nodeIds: [...notice.nodeIds],
  });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeEventNotice(bytes: Uint8Array): EventNotice {
  const { events, deploymentIds, nodeIds } = decodeMessage(EventNoticeSchema, bytes);
  return { events: events.map(eventFromProto), deploymentIds, nodeIds };
}

/** Writes the hint to the leader that something changed. */
export function encodeWake(because: string): Uint8Array {
  return encodeMessage(WakeSchema, { because });
}

/** Why the leader was woken. @throws SkepError as `decodeMessage`. */
export function decodeWake(bytes: Uint8Array): string {
  return decodeMessage(WakeSchema, bytes).because;
}
