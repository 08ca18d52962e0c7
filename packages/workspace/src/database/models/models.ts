import type { BSON } from "mongodb";
import type { DeadLetter, MessageDocument } from "../../message.ts";
import type { Collections } from "../collections.ts";
import { aggregateAll, findPage, type AggregateQuery, type Answer, type FindQuery } from "../query/run.ts";
import {
  deadLetter,
  deadLettersPage,
  forgetLetter,
  replay,
  type InspectedLetter,
  type LetterLine,
} from "./dead-letters.ts";
import { latestMessages, latestValues, type LatestMessage, type LatestValue } from "./latest.ts";
import { messagesPage, type MessagesQuery } from "./messages.ts";
import { series, type Bucket, type SeriesQuery } from "./series.ts";

/** What may be asked of a workspace's database (R55): named models, and a tenant's own queries. */
export interface QueryModels {
  /** The newest value of each of these fields of a device. */
  latestValues(deviceId: string, fields: readonly string[]): Promise<readonly LatestValue[]>;
  /** The newest message of each device, by device; `after` is the last one of the page before. */
  latestMessages(after?: string, limit?: number): Promise<readonly LatestMessage[]>;
  /** A field of a device over time. */
  series(query: SeriesQuery): Promise<readonly Bucket[]>;
  messages(query: MessagesQuery): Promise<Answer<MessageDocument>>;
  deadLetters(query: Pick<FindQuery, "order" | "limit" | "after">): Promise<Answer<LetterLine>>;
  deadLetter(id: string): Promise<InspectedLetter>;
  /** Gives a dead letter's topic and bytes to `again`, and forgets it once that has taken them. */
  replay(id: string, again: (letter: Pick<DeadLetter, "topic" | "payload">) => Promise<void>): Promise<void>;
  forgetLetter(id: string): Promise<void>;
  /** A tenant's own filter (R33). */
  find(query: FindQuery): Promise<Answer<BSON.Document>>;
  /** A tenant's own pipeline (R33). */
  aggregate(query: AggregateQuery): Promise<Answer<BSON.Document>>;
}

/** The models over whatever lets them ask the collections. */
export function queryModels(ask: <T>(work: (collections: Collections) => Promise<T>) => Promise<T>): QueryModels {
  return {
    latestValues: (deviceId, fields) => ask(all => latestValues(all, deviceId, fields)),
    latestMessages: (after, limit) => ask(all => latestMessages(all, after, limit)),
    series: query => ask(all => series(all, query)),
    messages: query => ask(all => messagesPage(all, query)),
    deadLetters: query => ask(all => deadLettersPage(all, query)),
    deadLetter: id => ask(all => deadLetter(all, id)),
    replay: (id, again) => ask(all => replay(all, id, again)),
    forgetLetter: id => ask(all => forgetLetter(all, id)),
    find: query => ask(all => findPage(all, query)),
    aggregate: query => ask(all => aggregateAll(all, query)),
  };
}
