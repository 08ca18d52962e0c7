import { SkepError, type Issue } from "@skep/core/error.ts";
import { BSON, type AggregateOptions, type Collection, type Filter, type FindOptions } from "mongodb";
import { COLLECTION_NAMES, type Collections } from "../collections.ts";
import { operationFailure } from "../failure.ts";
import { filterIssues, pipelineIssues } from "./check.ts";
import { fromExtendedJson } from "./extended-json.ts";
import { pageAfter, toCursor, type Order } from "./page.ts";

/** A collection that may be asked. */
export type CollectionName = keyof Collections;

/** Documents by a filter, page by page. */
export interface FindQuery {
  readonly collection: CollectionName;
  /** As MongoDB has it; dates and the like may come as Extended JSON, such as `{"$date": ...}`. */
  readonly filter?: unknown;
  /** Newest first where it is absent. */
  readonly order?: Order;
  /** Of a page; 100 where it is absent. */
  readonly limit?: number;
  /** Where the page before ended. */
  readonly after?: string;
}

/** Documents that a pipeline makes. */
export interface AggregateQuery {
  readonly collection: CollectionName;
  readonly pipeline: unknown;
}

/** Documents, and what there is beyond them. */
export interface Answer<T> {
  readonly documents: readonly T[];
  /** What leads to the next page; absent at the end. */
  readonly next?: string;
  /** Whether there is more than an answer may hold. */
  readonly isCut: boolean;
}

/** Longest that the server works on one question. */
const MOST_TIME_MS = 5_000;
/** Documents of an answer at most. */
export const MOST_RESULTS = 10_000;
const MOST_A_PAGE = 1_000;
const USUAL_PAGE = 100;
/** Bytes of an answer at most: a host holds the answers of many workspaces. */
const MOST_BYTES = 8 * 1024 * 1024;

/** By what time the documents of a collection are in order. */
const TIME_OF = { messages: "at", deadLetters: "receivedAt" } as const satisfies Record<CollectionName, string>;

/** Every question goes with these: nothing runs without an end, and nothing is put on a disk. */
export const BOUNDS = { maxTimeMS: MOST_TIME_MS, batchSize: 200 } as const satisfies FindOptions & AggregateOptions;

/**
 * Answers a tenant's own filter, one page.
 * @throws SkepError `invalid_argument` `QUERY_REFUSED` with each part that is refused.
 */
export async function findPage(collections: Collections, query: FindQuery): Promise<Answer<BSON.Document>> {
  const filter = parsed(query.filter ?? {}, "filter");
  refuse(filterIssues(filter));
  return readPage(collectionOf(collections, query.collection), TIME_OF[query.collection], {
    ...query,
    filter: filter as Filter<BSON.Document>,
  });
}

/**
 * Answers a tenant's own pipeline, up to 10,000 documents.
 * @throws SkepError `invalid_argument` `QUERY_REFUSED` with each part that is refused.
 */
export async function aggregateAll(collections: Collections, query: AggregateQuery): Promise<Answer<BSON.Document>> {
  const pipeline = parsed(query.pipeline, "pipeline");
  refuse(pipelineIssues(pipeline));
  const stages = [...(pipeline as BSON.Document[]), { $limit: MOST_RESULTS + 1 }];
  const cursor = collectionOf(collections, query.collection).aggregate(stages, { ...BOUNDS, allowDiskUse: false });
  const { documents, isCut } = await collect(cursor, MOST_RESULTS);
  return { documents, isCut };
}

/** One page of a collection in the order of time. */
export async function readPage<T extends BSON.Document>(
  collection: Collection<T>,
  time: string,
  query: Pick<FindQuery, "order" | "limit" | "after"> & {
    readonly filter: Filter<T>;
    readonly projection?: BSON.Document;
  },
): Promise<Answer<BSON.Document>> {
  const limit = pageSize(query.limit);
  const page = pageAfter(time, query.order ?? "newest", query.after);
  const filter = { $and: [query.filter, page.filter] } as unknown as Filter<T>;
  const options: FindOptions = { ...BOUNDS, sort: { ...page.sort }, limit: limit + 1 };
  if (query.projection !== undefined) options.projection = query.projection;
  const { documents, isCut } = await collect(collection.find(filter, options), limit);
  const last = documents.at(-1);
  if (!isCut || last === undefined) return { documents, isCut: false };
  return { documents, next: toCursor({ at: last[time] as Date, id: String(last._id) }), isCut };
}

interface Documents extends AsyncIterable<BSON.Document> {
  close(): Promise<void>;
}

/** Reads until there are so many documents or bytes; the first is always among them. */
async function collect(
  cursor: Documents,
  most: number,
): Promise<{ readonly documents: readonly BSON.Document[]; readonly isCut: boolean }> {
  const documents: BSON.Document[] = [];
  let bytes = 0;
  try {
    for await (const document of cursor) {
      bytes += BSON.calculateObjectSize(document);
      if (documents.length >= most || (bytes > MOST_BYTES && documents.length > 0)) return { documents, isCut: true };
      documents.push(document);
    }
  } catch (error) {
    throw operationFailure("The query", error);
  } finally {
    await cursor.close().catch(() => undefined);
  }
  return { documents, isCut: false };
}

/** Dates and other kinds that JSON lacks come as Extended JSON. */
function parsed(query: unknown, path: string): unknown {
  try {
    return fromExtendedJson(query);
  } catch {
    throw refused([
      { path, problem: "it is no Extended JSON", advice: 'write dates as {"$date": "2026-01-01T00:00:00Z"}' },
    ]);
  }
}

function collectionOf(collections: Collections, name: CollectionName): Collection<BSON.Document> {
  const collection = Object.hasOwn(COLLECTION_NAMES, name) ? collections[name] : undefined;
  if (collection !== undefined) return collection as unknown as Collection<BSON.Document>;
  const advice = `use one of ${Object.keys(COLLECTION_NAMES).join(", ")}`;
  throw refused([{ path: "collection", problem: `"${String(name).slice(0, 60)}" is no collection`, advice }]);
}

function pageSize(limit: number | undefined): number {
  if (limit === undefined) return USUAL_PAGE;
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MOST_A_PAGE) return limit;
  const advice = `use 1 to ${MOST_A_PAGE}, and next for what follows`;
  throw refused([{ path: "limit", problem: `${limit} is no size of a page`, advice }]);
}

function refuse(issues: readonly Issue[]): void {
  if (issues.length > 0) throw refused(issues);
}

function refused(issues: readonly Issue[]): SkepError {
  const [first] = issues;
  const says = `The query is refused: ${first?.path}: ${first?.problem}; ${first?.advice}.`;
  return new SkepError("invalid_argument", "QUERY_REFUSED", says, { issues });
}
