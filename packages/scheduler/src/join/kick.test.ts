import type { Msg, NatsConnection } from "nats";
import { expect, it } from "vitest";
import { kickAll } from "./kick.ts";

/** A server's system account that lists connections and ends all but those it fails at. */
function serverWith(users: readonly string[], failsAt: ReadonlySet<number>, unlistedFrom = Infinity) {
  const kicked: number[] = [];
  const connections = users.map((user, cid) => ({ cid, authorized_user: user }));
  const page = (question: string): Msg => {
    const { offset, limit } = JSON.parse(question) as { offset: number; limit: number };
    if (offset >= unlistedFrom) throw new Error("no list");
    const left = connections.filter(({ cid }) => !kicked.includes(cid));
    const data = { connections: left.slice(offset, offset + limit), total: left.length };
    return { json: () => ({ server: { id: "S" }, data }) } as unknown as Msg;
  };
  const system = {
    requestMany: async (_: string, payload: string) =>
      (async function* () {
        yield page(payload);
      })(),
    request: async (subject: string, payload: string) => {
      if (subject === "$SYS.REQ.SERVER.S.CONNZ") return page(payload);
      const { cid } = JSON.parse(payload) as { cid: number };
      if (failsAt.has(cid)) throw new Error("no answer");
      kicked.push(cid);
      return {} as Msg;
    },
  } as unknown as Pick<NatsConnection, "request" | "requestMany">;
  return { system, kicked };
}

it("ends every connection of revoked nodes though one cannot be ended, and says that it failed", async () => {
  const { system, kicked } = serverWith(["bad", "good", "bad", "worse"], new Set([0]));
  await expect(kickAll(system, new Set(["bad", "worse"]))).rejects.toThrow("1 of 3 connections");
  expect(kicked).toEqual([2, 3]);
});

it("finds them on every page that a server lists", async () => {
  const { system, kicked } = serverWith(["bad", "good", "good", "bad", "bad"], new Set());
  await kickAll(system, new Set(["bad"]), 2);
  expect(kicked).toEqual([0, 3, 4]);
});

it("ends those of the pages before one that cannot be read, and says that it failed", async () => {
  const { system, kicked } = serverWith(["bad", "good", "bad", "bad"], new Set(), 2);
  await expect(kickAll(system, new Set(["bad"]), 2)).rejects.toThrow("1 servers did not list all");
  expect(kicked).toEqual([0]);
});
