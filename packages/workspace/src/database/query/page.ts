import { SkepError } from "@skep/core/error.ts";

/** Where a page ends: the time and the `_id` of its last document. */
export interface Place {
  readonly at: Date;
  readonly id: string;
}

/** Which way pages go. */
export type Order = "newest" | "oldest";

/** A place as a text that whoever pages gives back; it holds for every process and never ages. */
export function toCursor({ at, id }: Place): string {
  return Buffer.from(JSON.stringify([at.getTime(), id])).toString("base64url");
}

/** The place that a cursor means. @throws SkepError `invalid_argument` `CURSOR_INVALID`. */
export function fromCursor(cursor: string): Place {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    throw noCursor();
  }
  const [at, id]: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
  if (!Number.isSafeInteger(at) || typeof id !== "string") throw noCursor();
  return { at: new Date(Number(at)), id };
}

/** A filter for what comes after a place, and the order in which it comes. */
export function pageAfter(field: string, order: Order, after: string | undefined): PageFilter {
  const direction = order === "newest" ? -1 : 1;
  const sort: Readonly<Record<string, 1 | -1>> = { [field]: direction, _id: direction };
  if (after === undefined) return { filter: {}, sort };
  const { at, id } = fromCursor(after);
  const beyond = order === "newest" ? "$lt" : "$gt";
  // The first line alone lets the index begin there; the second leaves out what was shown.
  const within = { [field]: { [`${beyond}e`]: at } };
  const isBeyond = { $or: [{ [field]: { [beyond]: at } }, { _id: { [beyond]: id } }] };
  return { filter: { $and: [within, isBeyond] }, sort };
}

/** What a page adds to a query. */
export interface PageFilter {
  readonly filter: Readonly<Record<string, unknown>>;
  readonly sort: Readonly<Record<string, 1 | -1>>;
}

function noCursor(): SkepError {
  const says = "The cursor is none of this workspace; begin without one, and give back `next` as it came.";
  return new SkepError("invalid_argument", "CURSOR_INVALID", says);
}
