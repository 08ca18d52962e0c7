import { isSocketFilter } from "@skep/core/workspace/scope.ts";
import type { Offset } from "@skep/core/workspace/offset.ts";
import { readOffset } from "./event-log.ts";
import { overLimit, Refusal } from "./refusal.ts";
import { mayHear, type Grant } from "./token.ts";

/** What a client asks with `subscribe`, checked. */
export interface SubscribeRequest {
  readonly filters: readonly string[];
  /** After which event the past is wanted too. */
  readonly from: Offset | undefined;
}

/** Filters that one request may name. */
const MOST_FILTERS = 1_000;

/**
 * Reads what a stranger sent: a filter, several, or `{ filters, from }`.
 * @throws Refusal saying what is wrong.
 */
export function readSubscribe(value: unknown): SubscribeRequest {
  const { filters, from, ...rest } = asFields(value);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw bad(`there is no field "${unknown.slice(0, 60)}": use filters and from`);
  const list = typeof filters === "string" ? [filters] : filters;
  if (!Array.isArray(list) || list.length === 0) throw bad("name one filter or several as filters");
  if (list.length > MOST_FILTERS) throw bad(`${list.length} filters at once: use at most ${MOST_FILTERS}`);
  for (const filter of list) {
    if (typeof filter === "string" && isSocketFilter(filter)) continue;
    const text = typeof filter === "string" ? `"${filter.slice(0, 60)}"` : "what is no text";
    throw new Refusal("BAD_FILTER", `${text} is no filter: use one such as devices/+/telemetry/#.`);
  }
  const offset = from === undefined || from === null ? undefined : readOffset(from);
  if (from !== undefined && from !== null && offset === undefined) {
    throw new Refusal("BAD_OFFSET", "from is no offset: give back what came with an event.");
  }
  return { filters: [...new Set(list as string[])], from: offset };
}

/**
 * Refuses filters that the grant does not hold, and more of them than a socket may have. A request
 * is done whole or not at all.
 */
export function checkSubscribe(grant: Grant, held: ReadonlySet<string>, asked: readonly string[], most: number): void {
  const denied = asked.find(filter => !mayHear(grant, filter));
  if (denied !== undefined) {
    const scopes = grant.scopes.join(", ");
    throw new Refusal("NOT_ALLOWED", `The token does not allow "${denied.slice(0, 60)}"; it allows ${scopes}.`);
  }
  if (held.size + asked.filter(filter => !held.has(filter)).length > most) throw overLimit("channels", most);
}

function asFields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "string" || Array.isArray(value)) return { filters: value };
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function bad(what: string): Refusal {
  return new Refusal("BAD_REQUEST", `The request is no good: ${what}.`);
}
