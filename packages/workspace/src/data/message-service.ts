import type { JsonObject } from "@bufbuild/protobuf";
import {
  timestampDate,
  timestampFromDate,
  timestampFromMs,
  timestampNow,
  type Timestamp,
} from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { fromUint64, toUint64 } from "@skep/api/codec/number.ts";
import type { MessageService } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { ServedWorkspace } from "./served.ts";
import { servedOf } from "./call.ts";
import { followMessages, type FollowFilter } from "./follow.ts";
import { followJournal } from "./follow-journal.ts";
import type { Journal, JournalLine } from "./journal.ts";
import { letterToProto, messageToProto } from "./message-codec.ts";

const MINUTE_MS = 60_000;

/** What the messages of a host's workspaces are answered with. */
export interface MessageServiceOptions {
  readonly clock: Clock;
  readonly journal: Journal;
}

/** Messages and dead letters of the workspace that a call is for. */
export function messageService({ clock, journal }: MessageServiceOptions): ServiceImpl<typeof MessageService> {
  return {
    listMessages: async (request, context) => {
      const order = request.oldestFirst ? "oldest" : "newest";
      const range = { ...dateOf("from", request.from), ...dateOf("to", request.to) };
      const page = { ...pageOf(request), order } as const;
      const found = await servedOf(context).database.messages({ ...filterOf(request), ...range, ...page });
      return { messages: found.documents.map(messageToProto), nextPageToken: found.next ?? "" };
    },
    followMessages: async function* (request, context) {
      const since = request.since === undefined ? undefined : timestampDate(request.since);
      const pieces = followMessages(servedOf(context), filterOf(request), since, { clock, signal: context.signal });
      for await (const { documents, notice } of pieces) yield { messages: documents.map(messageToProto), notice };
    },
    listLatestMessages: async ({ pageSize, pageToken }, context) => {
      const most = pageSize || 100;
      const found = await servedOf(context).database.latestMessages(pageToken || undefined, most);
      const last = found.length < most ? undefined : found.at(-1);
      return { messages: found.map(one => messageToProto(one.message)), nextPageToken: last?.deviceId ?? "" };
    },
    getSeries: async ({ deviceId, field, from, to = timestampNow(), bucketMs }, context) => {
      const range = { from: timestampDate(from ?? timestampNow()), to: timestampDate(to) };
      const query = { deviceId, field, ...range, bucketMs: fromUint64(bucketMs, "bucket_ms") || MINUTE_MS };
      const buckets = await servedOf(context).database.series(query);
      return {
        buckets: buckets.map(one => ({ ...one, from: timestampFromDate(one.from), count: toUint64(one.count) })),
      };
    },
    listDeadLetters: async (request, context) => {
      const found = await servedOf(context).database.deadLetters(pageOf(request));
      return { letters: found.documents.map(letterToProto), nextPageToken: found.next ?? "" };
    },
    getDeadLetter: async ({ letterId }, context) => ({
      letter: letterToProto(await servedOf(context).database.deadLetter(letterId)),
    }),
    replayDeadLetter: async ({ letterId }, context) => {
      await replay(servedOf(context), letterId);
      return {};
    },
    deleteDeadLetter: async ({ letterId }, context) => {
      const served = servedOf(context);
      refuseMoving(served);
      await served.database.forgetLetter(letterId);
      return {};
    },
    followWorkspaceLog: async function* ({ follow, tail = 100 }, context) {
      const served = servedOf(context);
      const pieces = followJournal(served, journal, { follow, tail }, { clock, signal: context.signal });
      for await (const { lines, notice } of pieces) yield { lines: lines.map(lineToProto), notice };
    },
  };
}

async function replay(served: ServedWorkspace, id: string): Promise<void> {
  refuseMoving(served);
  const { database, again } = served;
  const letter = await database.deadLetter(id);
  await database.replay(id, () => again(letter));
}

/** What is copied already is not looked at once more. */
function refuseMoving({ id, isMoving }: ServedWorkspace): void {
  if (!isMoving()) return;
  const sentence = `Workspace ${id} moves, and its dead letters stay as they are until that is over; see skep workspace show ${id}.`;
  throw new SkepError("failed_precondition", "WORKSPACE_MOVING", sentence);
}

interface FilterFields {
  readonly deviceId: string;
  readonly category: string;
  readonly type: string;
}

function filterOf({ deviceId, category, type }: FilterFields): FollowFilter {
  return {
    ...(deviceId === "" ? {} : { deviceId }),
    ...(category === "" ? {} : { category }),
    ...(type === "" ? {} : { type }),
  };
}

function pageOf({ pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string }) {
  return { ...(pageSize === 0 ? {} : { limit: pageSize }), ...(pageToken === "" ? {} : { after: pageToken }) };
}

function dateOf<Name extends string>(name: Name, at: Timestamp | undefined): { readonly [N in Name]?: Date } {
  return (at === undefined ? {} : { [name]: timestampDate(at) }) as { readonly [N in Name]?: Date };
}

function lineToProto({ at, level, event, sentence, fields }: JournalLine) {
  return { at: timestampFromMs(at), level, event, sentence, fields: JSON.parse(JSON.stringify(fields)) as JsonObject };
}
