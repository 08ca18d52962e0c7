import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import type { DeadLetter, MessageDocument } from "../message.ts";
import type { Processed } from "../parts.ts";
import { createTwinDatabase } from "../testing/twin-database.ts";
import { again } from "./again.ts";
import { createTold } from "./told.ts";

const letter: DeadLetter = {
  ...{ _id: "key", topic: "fleet/devices/d1/telemetry/x", payload: Buffer.from("{}") },
  ...{ receivedAt: new Date(5), because: "no schema" },
};

function setting(dead: readonly DeadLetter[] = []) {
  const did: string[] = [];
  const database = createTwinDatabase();
  const told = createTold();
  told.listen(documents => did.push(`told ${documents.map(one => one._id).join()}`));
  const ports = {
    database,
    clock: createVirtualClock(1_000),
    stored: told.tell,
    events: { emit: () => void did.push("emit") },
    rules: {
      process: ([one]: readonly { readonly key: string; readonly receivedAt: number }[]) => {
        const receivedAt = new Date(one!.receivedAt);
        const document = { _id: one!.key, receivedAt } as MessageDocument;
        return { documents: dead.length > 0 ? [] : [document], dead, effects: [], events: [] } as Processed;
      },
      act: async () => void did.push("act"),
    },
  };
  return { ports, database, did };
}

describe("a dead letter that is replayed", () => {
  it("is stored by the rules of now under its own key, told and acted on; twice changes nothing", async () => {
    const { ports, database, did } = setting();
    await again(ports, "fleet", letter);
    await again(ports, "fleet", letter);
    expect([...database.stored.values()]).toEqual([{ _id: "key", receivedAt: new Date(5) }]);
    expect(did.slice(0, 3)).toEqual(["emit", "told key", "act"]);
  });

  it("stays one that the rules refuse still, or whose topic is another workspace's", async () => {
    const { ports, database, did } = setting([{ ...letter, because: "temp: it is no number" }]);
    await expect(again(ports, "fleet", letter)).rejects.toThrow("Dead letter key stays one: temp: it is no number.");
    const good = setting();
    const foreign = again(good.ports, "other", letter);
    await expect(foreign).rejects.toThrow("its topic is none of a device of this workspace");
    expect(good.database.stored.size).toBe(0);
    expect([database.stored.size, did]).toEqual([0, []]);
  });

  it("is told to nobody where it cannot be stored", async () => {
    const { ports, database, did } = setting();
    database.before = () => {
      throw new Error("the database is away");
    };
    await expect(again(ports, "fleet", letter)).rejects.toThrow("the database is away");
    expect(did).toEqual([]);
  });
});
