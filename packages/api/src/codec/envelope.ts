import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";

/**
 * The version of the agent protocol in this code; it grows when a message gains meaning.
 */
export const PROTOCOL_VERSION = 2;

/**
 * The lowest version that may act on what this code sends. It grows only when ignoring what is new
 * would be wrong; proto/README.md has the rule.
 */
const MIN_READER_VERSION = 1;

/**
 * The lowest version that may act on an assignment. An agent of version 1 would start an
 * `exclusive` copy without a lease, mount a volume of another serial, and obey an older copy of
 * the records.
 */
export const MIN_ASSIGNMENT_READER = 2;

/** Writes a message of the agent protocol with both versions set. */
export function encodeMessage<D extends DescMessage>(
  schema: D,
  init: MessageInitShape<D>,
  minReaderVersion = MIN_READER_VERSION,
): Uint8Array {
  const message = create(schema, init) as MessageShape<D> & { version?: number; minReaderVersion?: number };
  message.version = PROTOCOL_VERSION;
  message.minReaderVersion = minReaderVersion;
  return toBinary(schema, message);
}

/**
 * Reads a message of the agent protocol. Unknown fields are ignored; a sender's higher `version` is
 * no reason to refuse.
 * @throws SkepError `invalid_argument` `MALFORMED_MESSAGE` (not such a message),
 * `failed_precondition` `PROTOCOL_TOO_NEW` (its sender says that this version must not act on it).
 */
export function decodeMessage<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  const message = parse(schema, bytes) as MessageShape<D> & { version?: number; minReaderVersion?: number };
  if ((message.version ?? 0) === 0)
    throw new SkepError(
      "invalid_argument",
      "MALFORMED_MESSAGE",
      `A ${schema.name} names no protocol version; only agents and schedulers may publish on this subject.`,
    );
  const needed = message.minReaderVersion ?? 0;
  if (needed > PROTOCOL_VERSION)
    throw new SkepError(
      "failed_precondition",
      "PROTOCOL_TOO_NEW",
      `A ${schema.name} needs protocol version ${needed} and this program speaks ${PROTOCOL_VERSION}; update this program first.`,
      { details: { needed: String(needed), spoken: String(PROTOCOL_VERSION) } },
    );
  return message;
}

function parse<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new SkepError("invalid_argument", "MALFORMED_MESSAGE", `${bytes.length} bytes are not a ${schema.name}.`, {
      cause,
    });
  }
}

/**
 * An item of a list that this version cannot read, because its sender is newer; the rest of the
 * list stands.
 */
export interface Unreadable {
  readonly instanceId: string;
  readonly epoch: number;
  /** What could not be read, in one sentence. */
  readonly because: string;
}

/**
 * Reads each item of a list; those that a newer sender wrote in words unknown here are set aside,
 * not guessed.
 */
export function readEach<P extends { instanceId: string; epoch: number }, T>(
  items: readonly P[],
  read: (item: P) => T,
): { readonly read: readonly T[]; readonly unreadable: readonly Unreadable[] } {
  const done: T[] = [];
  const unreadable: Unreadable[] = [];
  for (const item of items) {
    try {
      done.push(read(item));
    } catch (error) {
      if (!(error instanceof SkepError)) throw error;
      unreadable.push({ instanceId: item.instanceId, epoch: item.epoch, because: error.message });
    }
  }
  return { read: done, unreadable };
}
