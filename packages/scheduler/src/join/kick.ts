import { connect } from "nats";
import { signedLogin } from "@skep/kit/nats-keys.ts";
import type { Kick } from "../loop/revocations.ts";

interface Connections {
  readonly server: { readonly id: string };
  readonly data: { readonly connections?: readonly { readonly cid: number; readonly authorized_user?: string }[] };
}

const ASK_MS = 2_000;

/**
 * Makes it over NATS's system account, whose only user has the key of `seed`. A connection of its
 * own each time: it happens once in a blue moon, and nothing else may be done with it.
 */
export function createKick(servers: readonly string[], seed: string): Kick {
  return async nodeIds => {
    if (nodeIds.length === 0) return;
    const wanted = new Set<string>(nodeIds);
    const login = signedLogin(seed);
    const system = await connect({ servers: [...servers], name: "revocation", timeout: ASK_MS, authenticator: login });
    try {
      const answers = await system.requestMany(
        "$SYS.REQ.SERVER.PING.CONNZ",
        JSON.stringify({ auth: true, limit: 10_000 }),
        {
          strategy: "stall",
          maxWait: ASK_MS,
        },
      );
      for await (const answer of answers) {
        const { server, data } = answer.json<Connections>();
        for (const { cid, authorized_user: user } of data.connections ?? []) {
          if (user === undefined || !wanted.has(user)) continue;
          await system.request(`$SYS.REQ.SERVER.${server.id}.KICK`, JSON.stringify({ cid }), { timeout: ASK_MS });
        }
      }
    } finally {
      await system.close();
    }
  };
}
