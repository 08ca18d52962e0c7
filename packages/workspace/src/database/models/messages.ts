import type { Filter } from "mongodb";
import type { MessageDocument } from "../../message.ts";
import type { Collections } from "../collections.ts";
import type { Order } from "../query/page.ts";
import { readPage, type Answer } from "../query/run.ts";

/** Messages of a range of time, page by page. */
export interface MessagesQuery {
  readonly deviceId?: string;
  readonly category?: string;
  readonly type?: string;
  readonly from?: Date;
  /** Not part of it any more. */
  readonly to?: Date;
  /**
   * Newest first where it is absent. To go back, give the other order and the cursor of a place.
   */
  readonly order?: Order;
  readonly limit?: number;
  readonly after?: string;
}

/** One page of messages. */
export async function messagesPage({ messages }: Collections, query: MessagesQuery): Promise<Answer<MessageDocument>> {
  const { deviceId, category, type, from, to } = query;
  const at = { ...(from === undefined ? {} : { $gte: from }), ...(to === undefined ? {} : { $lt: to }) };
  const filter: Filter<MessageDocument> = {
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(category === undefined ? {} : { category }),
    ...(type === undefined ? {} : { type }),
    ...(Object.keys(at).length === 0 ? {} : { at }),
  };
  const page = await readPage(messages, "at", { ...query, filter });
  return page as Answer<MessageDocument>;
}
