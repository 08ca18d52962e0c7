import { SkepError } from "@skep/core/error.ts";
import { Binary } from "mongodb";
import type { DeadLetter } from "../../message.ts";
import type { Collections, StoredLetter } from "../collections.ts";
import { operationFailure } from "../failure.ts";
import { readPage, type Answer, type FindQuery } from "../query/run.ts";

/** A dead letter in a list: without its bytes. */
export type LetterLine = Omit<DeadLetter, "payload">;

/** A dead letter with its bytes. */
export interface InspectedLetter extends DeadLetter {
  /** How many bytes there were where too many came: `payload` has the first ones then. */
  readonly cutFrom?: number;
}

/** As it is stored. */
export function toStoredLetter({ payload, ...rest }: DeadLetter): StoredLetter {
  return { ...rest, payload: new Binary(payload) };
}

/** Bytes that are kept of a payload that does not fit into a document. */
const KEPT_OF_CUT = 64 * 1024;

/** A dead letter that surely fits, with the first bytes of its payload. */
export function cutLetter(letter: DeadLetter): StoredLetter {
  const { byteLength } = letter.payload;
  const because = `${letter.because.slice(0, 1_000)} (its ${byteLength} bytes are too many to keep)`;
  const stored = toStoredLetter({ ...letter, because, payload: letter.payload.subarray(0, KEPT_OF_CUT) });
  return { ...stored, cutFrom: byteLength };
}

/** One page of dead letters, newest first. */
export async function deadLettersPage(
  { deadLetters }: Collections,
  query: Pick<FindQuery, "order" | "limit" | "after">,
): Promise<Answer<LetterLine>> {
  const page = await readPage(deadLetters, "receivedAt", { ...query, filter: {}, projection: { payload: 0 } });
  return page as unknown as Answer<LetterLine>;
}

/** One with its bytes as they came. @throws SkepError `not_found` `NO_SUCH_LETTER`. */
export async function deadLetter({ deadLetters }: Collections, id: string): Promise<InspectedLetter> {
  const found = await deadLetters.findOne({ _id: id }).catch((error: unknown) => {
    throw operationFailure("The query", error);
  });
  if (found === null) throw noLetter(id);
  const { payload, ...rest } = found;
  return { ...rest, payload: Uint8Array.from(payload.buffer.subarray(0, payload.position)) };
}

/**
 * Gives a dead letter's topic and bytes to `again`, and forgets the letter once that has taken
 * them.
 * Where it ends in between, the letter stays and may be given twice: its message has the same key.
 * @throws SkepError `not_found` `NO_SUCH_LETTER`, `failed_precondition` `LETTER_CUT`.
 */
export async function replay(
  collections: Collections,
  id: string,
  again: (letter: Pick<DeadLetter, "topic" | "payload">) => Promise<void>,
): Promise<void> {
  const { topic, payload, cutFrom } = await deadLetter(collections, id);
  if (cutFrom !== undefined) {
    const says = `Dead letter ${id.slice(0, 100)} had ${cutFrom} bytes and kept the first; the device has to send it anew.`;
    throw new SkepError("failed_precondition", "LETTER_CUT", says);
  }
  await again({ topic, payload });
  await forgetLetter(collections, id);
}

/** Forgets a dead letter; nothing happens where there is none. */
export async function forgetLetter({ deadLetters }: Collections, id: string): Promise<void> {
  await deadLetters.deleteOne({ _id: id }).catch((error: unknown) => {
    throw operationFailure("Forgetting a dead letter", error);
  });
}

function noLetter(id: string): SkepError {
  const says = `There is no dead letter ${id.slice(0, 100)}; it was replayed, forgotten or is too old. List them anew.`;
  return new SkepError("not_found", "NO_SUCH_LETTER", says);
}
