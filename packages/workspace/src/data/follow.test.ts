import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { createTold, type Told } from "../ingest/told.ts";
import type { MessageDocument } from "../message.ts";
import { followMessages, type Followed, type FollowFilter } from "./follow.ts";
import type { ServedWorkspace } from "./served.ts";

const at = new Date(1_000);
const aMessage = (id: string, over: Partial<MessageDocument> = {}): MessageDocument => ({
  ...{ _id: id, deviceId: "d1", category: "telemetry", type: "x", at, receivedAt: at, value: { t: 1 } },
  ...over,
});

let clock: ReturnType<typeof createVirtualClock>;
let told: Told;
let stored: MessageDocument[];
let isOwned: boolean;
let ending: AbortController;

beforeEach(() => {
  [clock, told, stored, isOwned, ending] = [createVirtualClock(), createTold(), [], true, new AbortController()];
});

function follow(filter: FollowFilter = {}, since?: Date): AsyncGenerator<Followed> {
  const served = {
    ...{ id: "fleet", stored: told, mayRead: () => isOwned },
    database: {
      messages: async ({ after, limit = 0 }: { after?: string; limit?: number }) => {
        const from = Number(after ?? 0);
        const documents = stored.slice(from, from + limit);
        return { documents, isCut: false, ...(from + limit < stored.length ? { next: String(from + limit) } : {}) };
      },
    },
  } as unknown as ServedWorkspace;
  return followMessages(served, filter, since, { clock, signal: ending.signal });
}

/** What comes next, as the ids of messages and the notice. */
async function next(from: AsyncGenerator<Followed>): Promise<string> {
  const piece = from.next();
  await clock.advance(6_000);
  const { value, done } = await piece;
  if (done === true) return "end";
  return [...value.documents.map(one => one._id), value.notice].filter(Boolean).join(" ");
}

describe("following messages", () => {
  it("tells what is stored from then on, as far as it is meant", async () => {
    const all = follow({ deviceId: "d1", category: "telemetry", type: "x" });
    expect(await next(all)).toBe("");
    told.tell([aMessage("a"), aMessage("b", { deviceId: "d2" }), aMessage("c", { category: "status" })]);
    told.tell([aMessage("d", { type: "y" }), aMessage("e")]);
    expect(await next(all)).toBe("a e");
    expect(await next(all)).toBe("");
  });

  it("begins with what is stored since a time, and tells nothing twice", async () => {
    stored = Array.from({ length: 250 }, (_, index) => aMessage(`s${index}`));
    const all = follow({}, at);
    expect((await next(all)).split(" ")).toHaveLength(200);
    told.tell([aMessage("s249"), aMessage("new")]);
    expect((await next(all)).split(" ")).toHaveLength(50);
    expect(await next(all)).toBe("new");
  });

  it("says how many it left out for a slow reader", async () => {
    const all = follow();
    await next(all);
    told.tell(Array.from({ length: 2_003 }, (_, index) => aMessage(`m${index}`)));
    expect(await next(all)).toMatch(/^m3 .*3 messages were left out because this reader is slow$/);
  });

  it("holds no more bytes than a slow reader may have", async () => {
    const all = follow();
    await next(all);
    const value = "x".repeat(1024 * 1024);
    told.tell(Array.from({ length: 10 }, (_, index) => aMessage(`m${index}`, { value })));
    expect(await next(all)).toMatch(/^m3 m4 m5 m6 m7 m8 m9 3 messages/);
  });

  it("ends once the host does not have the workspace any more", async () => {
    const all = follow();
    expect(await next(all)).toBe("");
    isOwned = false;
    await expect(next(all)).rejects.toThrow("This host does not have the workspace fleet");
    expect(told.listeners).toBe(0);
  });

  it("ends with its reader, and listens no more", async () => {
    const all = follow();
    await next(all);
    expect(told.listeners).toBe(1);
    ending.abort();
    expect(await next(all)).toBe("end");
    expect(told.listeners).toBe(0);
  });

  it("is for so many at once", async () => {
    const some = Array.from({ length: 20 }, () => follow());
    for (const one of some) await one.next();
    await expect(follow().next()).rejects.toMatchObject({ reason: "FOLLOWERS_TOO_MANY" });
    await some[0]!.return(undefined);
    await expect(follow().next()).resolves.toMatchObject({ done: false });
  });
});
