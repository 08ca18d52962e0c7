import {
  decodeDirectoryJournal,
  decodeDirectoryNews,
  encodeDirectoryFetch,
  encodeDirectoryJournal,
} from "@skep/api/codec/directory.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { NOTHING_HELD, takeNews, type HeldDirectory } from "@skep/core/network/held-directory.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Loops } from "@skep/kit/loops.ts";
import type { Memo } from "../loop/memo.ts";

/** What the node knows of names and of other nodes. */
export interface DirectoryUplink {
  /** What it goes by, also while nobody answers. */
  held(): HeldDirectory;
  close(): Promise<void>;
}

/** What it is made from. */
export interface DirectoryUplinkDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly loops: Loops;
  readonly nodeId: string;
  readonly sessionId: string;
  readonly memo: Memo;
  /** What the memo held as this life began. */
  readonly kept: readonly string[];
  /** The incarnation that the node works by; `""` while there is none. */
  readonly incarnation: () => string;
}

const FETCH_TIMEOUT_MS = 2_000;
/** An answer has as much as a message takes: the next question follows soon. */
const GAP_MS = 50;
/** Where the leader is another one by now, or the bus is away. */
const RETRY_MS = 1_000;

/**
 * Takes news of names, and asks for what they show to be missing. What is held outlives the
 * process: a node finds its neighbours though no scheduler answers.
 */
export function createDirectoryUplink(deps: DirectoryUplinkDeps): DirectoryUplink {
  const { bus, clock, log, loops, nodeId, sessionId, memo } = deps;
  let held = readKept(deps.kept, log);
  let isWhole = true;
  let isUnwritten = false;

  /** Answers whether it brought anything. */
  function take(bytes: Uint8Array): boolean {
    const news = decodeDirectoryNews(bytes);
    const before = held;
    ({ held, isWhole } = takeNews(before, news, deps.incarnation()));
    const isNews = news.parts.length + news.gone.length > 0 || held.incarnation !== before.incarnation;
    const hasChanged = held !== before && isNews;
    isUnwritten ||= hasChanged;
    return hasChanged;
  }

  async function run(): Promise<void> {
    if (!isWhole && bus.connected()) await ask();
    if (!isUnwritten) return;
    const state = held;
    await memo.write([Buffer.from(encodeDirectoryJournal(state)).toString("base64")]);
    isUnwritten = held !== state;
  }

  async function ask(): Promise<void> {
    const digests = new Map([...held.parts].map(([key, part]) => [key, part.digest] as const));
    const question = encodeDirectoryFetch({ nodeId, sessionId, held: digests });
    try {
      const answer = await bus.request(nodeSubject("find", nodeId), question, { timeoutMs: FETCH_TIMEOUT_MS });
      const hasChanged = take(answer);
      if (isWhole) return;
      // The leader that answered may be another one than the one whose news it was.
      if (hasChanged) loop.hint();
      else loop.at(clock.now() + RETRY_MS);
    } catch (error) {
      log.debug("directory.unanswered", "Nobody answered which names there are.", { error });
      loop.at(clock.now() + RETRY_MS);
    }
  }

  const reading = loops.watch("directory news");
  const loop = loops.begin("directory", run, { minGapMs: GAP_MS, periodMs: 60_000 });
  const subscription = bus.subscribe(nodeSubject("names", nodeId), message => {
    try {
      if (take(message.data) || !isWhole) loop.hint();
      reading.succeeded();
    } catch (error) {
      reading.failed(error);
    }
  });
  return {
    held: () => held,
    close: async () => {
      subscription.close();
      reading.close();
      await loop.close();
    },
  };
}

function readKept([text]: readonly string[], log: Log): HeldDirectory {
  if (text === undefined) return NOTHING_HELD;
  try {
    return decodeDirectoryJournal(Buffer.from(text, "base64"));
  } catch (error) {
    log.warn("directory.spoilt", "The names that this node kept cannot be read; it asks for them anew.", { error });
    return NOTHING_HELD;
  }
}
