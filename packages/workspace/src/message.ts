import type { DeviceTopic } from "@skep/core/workspace/topic.ts";

/** A time in base 36, until the year 5188. */
export const KEY_TIME_LENGTH = 9;
/** Of what is read in a millisecond, in base 36: 1.6 million. */
export const KEY_PLACE_LENGTH = 4;

/**
 * A key begins with so many characters of when it was made and of its place among those of that
 * millisecond, so that keys are in the order of what was read, and an index of them grows at one
 * end; then comes what recalls it.
 */
export const KEY_ORDER_LENGTH = KEY_TIME_LENGTH + KEY_PLACE_LENGTH;

/** One message of a device, the same value on its whole way from the wire to the socket. */
export interface Message {
  /** What it is stored under: one that is delivered twice has the same key both times. */
  readonly key: string;
  readonly topic: DeviceTopic;
  readonly payload: Uint8Array;
  /** When it was read, ms since 1970. */
  readonly receivedAt: number;
}

/** A message as it stands in the collection `messages` of its workspace's database. */
export interface MessageDocument {
  readonly _id: string;
  readonly deviceId: string;
  readonly category: string;
  readonly type: string;
  /** When the device says that it was, else when it was read. */
  readonly at: Date;
  readonly receivedAt: Date;
  /** The typed fields where a schema fits; else the decoded payload, or its bytes. */
  readonly value: unknown;
  /** Of the schema that typed it; absent where none fits. */
  readonly schema?: string;
}

/** A message that cannot be stored as what it claims to be, kept as it came. */
export interface DeadLetter {
  readonly _id: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly receivedAt: Date;
  /** What was wrong with it and where, for people. */
  readonly because: string;
}

/** Something that sockets are told. */
export interface WorkspaceEvent {
  /** A topic of the workspace, without the workspace's id at the front. */
  readonly topic: string;
  readonly data: unknown;
  /** ms since 1970. */
  readonly at: number;
}
