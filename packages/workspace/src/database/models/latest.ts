import { SkepError } from "@skep/core/error.ts";
import type { MessageDocument } from "../../message.ts";
import type { Collections } from "../collections.ts";
import { operationFailure } from "../failure.ts";
import { BOUNDS } from "../query/run.ts";
import { pathOf, valueAt } from "./field.ts";

/** The newest value of a field of a device. */
export interface LatestValue {
  readonly field: string;
  readonly value: unknown;
  readonly at: Date;
  /** Of the message that it came with. */
  readonly messageId: string;
}

/** The newest message of a device. */
export interface LatestMessage {
  readonly deviceId: string;
  readonly message: MessageDocument;
}

const MOST_FIELDS = 50;
const MOST_DEVICES = 1_000;

/**
 * The newest value of each field of a device; a field that no message has is left out.
 * @throws SkepError `invalid_argument` `FIELD_INVALID` or `FIELDS_TOO_MANY`.
 */
export async function latestValues(
  { messages }: Collections,
  deviceId: string,
  fields: readonly string[],
): Promise<readonly LatestValue[]> {
  if (fields.length > MOST_FIELDS) {
    const says = `There are ${fields.length} fields; ask for at most ${MOST_FIELDS} at once.`;
    throw new SkepError("invalid_argument", "FIELDS_TOO_MANY", says);
  }
  const found = await Promise.all(
    fields.map(async (field): Promise<LatestValue | undefined> => {
      const filter = { deviceId, [pathOf(field)]: { $exists: true } };
      const options = { sort: { at: -1, _id: -1 }, maxTimeMS: BOUNDS.maxTimeMS } as const;
      const message = await messages.findOne(filter, options).catch((error: unknown) => {
        throw operationFailure("The query", error);
      });
      if (message === null) return undefined;
      return { field, value: valueAt(message.value, field), at: message.at, messageId: message._id };
    }),
  );
  return found.filter(one => one !== undefined);
}

/**
 * The newest message of each device, by device; `after` is the last device of the page before. The
 * index `device_at` gives one entry a device, so that its other messages are not read.
 */
export async function latestMessages(
  { messages }: Collections,
  after: string | undefined,
  limit = 100,
): Promise<readonly LatestMessage[]> {
  const stages = [
    { $match: { deviceId: { $gt: after ?? "" } } },
    { $sort: { deviceId: 1, at: -1, _id: -1 } },
    { $group: { _id: "$deviceId", message: { $first: "$$ROOT" } } },
    { $sort: { _id: 1 } },
    { $limit: Math.min(Math.max(1, limit), MOST_DEVICES) },
  ];
  const found = messages.aggregate<{ _id: string; message: MessageDocument }>(stages, { ...BOUNDS });
  try {
    return (await found.toArray()).map(({ _id, message }) => ({ deviceId: _id, message }));
  } catch (error) {
    throw operationFailure("The query", error);
  }
}
