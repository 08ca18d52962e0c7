import {
  MongoBulkWriteError,
  MongoNetworkError,
  MongoServerError,
  type BulkWriteResult,
  type Collection,
} from "mongodb";
import { describe, expect, test } from "vitest";
import { insertAll } from "./write.ts";

interface Row {
  readonly _id: string;
  readonly isBad?: boolean;
}

const rows = (count: number): Row[] => Array.from({ length: count }, (_, at) => ({ _id: `r${at}` }));

/** A collection that answers as the driver does; it keeps how large each insert was. */
function aCollection(insert: (batch: readonly Row[]) => void) {
  const sizes: number[] = [];
  const collection = {
    insertMany: async (batch: readonly Row[]) => {
      sizes.push(batch.length);
      await Promise.resolve();
      insert(batch);
    },
  } as unknown as Collection<Row>;
  return { collection, sizes };
}

function bulkError(errors: readonly { index: number; code: number; errmsg: string }[], concern?: string) {
  const result = {
    getWriteConcernError: () => (concern === undefined ? undefined : { errmsg: concern, toString: () => concern }),
  } as unknown as BulkWriteResult;
  const first = errors[0] ?? { code: 0, errmsg: "" };
  return new MongoBulkWriteError(
    { message: first.errmsg, code: first.code, writeErrors: [...errors] as never },
    result,
  );
}

const duplicate = (index: number) => ({ index, code: 11_000, errmsg: "E11000 duplicate key" });

describe("What an insert failed with", () => {
  test("counts what was stored before as stored", async () => {
    const { collection } = aCollection(() => {
      throw bulkError([duplicate(0), duplicate(2)]);
    });
    expect(await insertAll(collection, rows(5))).toEqual({ stored: 3, duplicates: 2, refused: new Map() });
  });

  test("counts nothing as stored that a majority does not have, not even what was there before", async () => {
    const { collection } = aCollection(() => {
      throw bulkError([duplicate(0)], "waiting for replication timed out");
    });
    await expect(insertAll(collection, rows(1))).rejects.toMatchObject({ code: "unavailable" });
  });

  test("names what can never be stored, and stores the rest", async () => {
    const { collection } = aCollection(() => {
      throw bulkError([duplicate(0), { index: 1, code: 121, errmsg: "Document failed validation" }]);
    });
    const written = await insertAll(collection, rows(3));
    expect(written).toEqual({ stored: 1, duplicates: 1, refused: new Map([["r1", "Document failed validation"]]) });
  });

  test("means that all are tried again where one may be stored later", async () => {
    for (const code of [112, 14_031, 11_602, 10_107]) {
      const { collection } = aCollection(() => {
        throw bulkError([{ index: 1, code, errmsg: "later" }]);
      });
      await expect(insertAll(collection, rows(3))).rejects.toMatchObject({ code: "unavailable" });
    }
  });

  test("of a batch that is refused as a whole is found by halves", async () => {
    const tooDeep = (batch: readonly Row[]): void => {
      if (batch.some(one => one.isBad)) throw new MongoServerError({ message: "too deep", code: 15 });
    };
    const { collection, sizes } = aCollection(tooDeep);
    const batch = rows(64).map((one, at) => (at === 41 ? { ...one, isBad: true } : one));
    expect(await insertAll(collection, batch)).toEqual({
      stored: 63,
      duplicates: 0,
      refused: new Map([["r41", "too deep"]]),
    });
    expect(sizes.length).toBe(13);
  });

  test("has nothing to do with the documents where the server is away: nothing is halved", async () => {
    for (const error of [
      new MongoNetworkError("reset"),
      new MongoServerError({ message: "stepped down", code: 189 }),
    ]) {
      const { collection, sizes } = aCollection(() => {
        throw error;
      });
      await expect(insertAll(collection, rows(8))).rejects.toMatchObject({ code: "unavailable" });
      expect(sizes).toEqual([8]);
    }
  });

  test("is nothing for an empty batch, which the server would refuse", async () => {
    const { collection, sizes } = aCollection(() => undefined);
    expect((await insertAll(collection, [])).stored).toBe(0);
    expect(sizes).toEqual([]);
  });
});
