import type { Msg, NatsConnection } from "nats";
import { expect, it } from "vitest";
import { kickAll } from "./kick.ts";

/** A server's system account that lists connections and ends all but those it fails at. */
function serverWith(users: readonly string[], failsAt: ReadonlySet<number>) {
  const kicked: number[] = [];
  const connections = users.map((user, cid) => ({ cid, authorized_user: user }));
  const system = {
    requestMany: async () =>
      (async function* () {
        yield { json: () => ({ server: { id: "S" }, data: { connections } }) } as unknown as Msg;
      })(),
    request: async (_: string, payload: string) => {
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
