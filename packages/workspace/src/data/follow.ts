import type { Clock } from "@skep/kit/clock.ts";
import { SkepError } from "@skep/core/error.ts";
import { BSON } from "mongodb";
import type { MessagesQuery } from "../database/models/messages.ts";
import type { MessageDocument } from "../message.ts";
import { notHere } from "./call.ts";
import type { ServedWorkspace } from "./served.ts";

/** Which messages are followed. */
export type FollowFilter = Pick<MessagesQuery, "deviceId" | "category" | "type">;

/** Some messages, and what is missing before them. */
export interface Followed {
  readonly documents: readonly MessageDocument[];
  readonly notice: string;
}

/** Followers of one workspace at once: each is told of every message. */
const MOST_FOLLOWERS = 20;
/** What may wait for one that reads slowly. */
const MOST_WAITING = { documents: 2_000, bytes: 8 * 1024 * 1024 } as const;
const PIECE = 200;
/** How often somebody who hears nothing is told that the host is there. */
const ALIVE_MS = 5_000;

/**
 * Messages as they are stored; first those that are stored already, since a time. Ends with
 * `unavailable` once the host does not have the workspace any more.
 */
export async function* followMessages(
  served: ServedWorkspace,
  filter: FollowFilter,
  since: Date | undefined,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<Followed> {
  if (served.stored.listeners >= MOST_FOLLOWERS) throw tooMany();
  const queue = new Waiting();
  // It listens before it reads, so that nothing falls between.
  const leave = served.stored.listen(documents => queue.put(documents.filter(one => isMeant(filter, one))));
  const wake = (): void => queue.wake();
  signal.addEventListener("abort", wake, { once: true });
  try {
    const told = new Set<string>();
    if (since !== undefined) yield* past(served, filter, since, told);
    while (!signal.aborted) {
      if (!served.mayRead()) throw notHere(served.id);
      const { documents, lost } = queue.take();
      const fresh = documents.filter(one => !told.delete(one._id));
      const notice = lost === 0 ? "" : `${lost} messages were left out because this reader is slow`;
      yield { documents: fresh, notice };
      if (queue.isEmpty) await queue.filled(clock, ALIVE_MS);
    }
  } finally {
    leave();
    signal.removeEventListener("abort", wake);
  }
}

async function* past(
  { database }: ServedWorkspace,
  filter: FollowFilter,
  from: Date,
  told: Set<string>,
): AsyncGenerator<Followed> {
  let after: string | undefined;
  do {
    const place = after === undefined ? {} : { after };
    const page = await database.messages({ ...filter, from, order: "oldest", limit: PIECE, ...place });
    for (const { _id } of page.documents) told.add(_id);
    // Only what was stored a moment ago may come a second time.
    for (const id of told) {
      if (told.size <= MOST_WAITING.documents) break;
      told.delete(id);
    }
    yield { documents: page.documents, notice: "" };
    after = page.next;
  } while (after !== undefined);
}

function isMeant({ deviceId, category, type }: FollowFilter, one: MessageDocument): boolean {
  if (deviceId !== undefined && one.deviceId !== deviceId) return false;
  if (category !== undefined && one.category !== category) return false;
  return type === undefined || one.type === type;
}

/** Messages for one follower, bounded: the oldest go, and are counted. */
class Waiting {
  #entries: { readonly document: MessageDocument; readonly bytes: number }[] = [];
  #bytes = 0;
  #lost = 0;
  #wake: (() => void) | undefined;

  get isEmpty(): boolean {
    return this.#entries.length === 0 && this.#lost === 0;
  }

  put(documents: readonly MessageDocument[]): void {
    for (const document of documents) {
      const bytes = BSON.calculateObjectSize(document);
      this.#entries.push({ document, bytes });
      this.#bytes += bytes;
    }
    while (this.#entries.length > MOST_WAITING.documents || this.#bytes > MOST_WAITING.bytes) {
      this.#bytes -= this.#entries.shift()?.bytes ?? 0;
      this.#lost += 1;
    }
    if (documents.length > 0) this.wake();
  }

  take(): { readonly documents: readonly MessageDocument[]; readonly lost: number } {
    const taken = this.#entries.splice(0, PIECE);
    for (const { bytes } of taken) this.#bytes -= bytes;
    const lost = this.#lost;
    this.#lost = 0;
    return { documents: taken.map(one => one.document), lost };
  }

  wake(): void {
    this.#wake?.();
  }

  /** Resolves once there is something, it is woken, or so much time has passed. */
  async filled(clock: Clock, mostMs: number): Promise<void> {
    const over = new AbortController();
    this.#wake = () => over.abort();
    await clock.sleep(mostMs, over.signal);
    this.#wake = undefined;
  }
}

function tooMany(): SkepError {
  const says = `${MOST_FOLLOWERS} follow the workspace already; wait until one has left, or open a socket.`;
  return new SkepError("resource_exhausted", "FOLLOWERS_TOO_MANY", says);
}
