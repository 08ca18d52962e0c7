import { connect, type NatsConnection } from "nats";
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
      await kickAll(system, wanted);
    } finally {
      await system.close();
    }
  };
}

/**
 * Ends every connection of those nodes at every server. One that cannot be ended keeps none of the
 * others. @throws AggregateError with what failed, after all were tried: the caller tries again.
 */
export async function kickAll(
  system: Pick<NatsConnection, "request" | "requestMany">,
  wanted: ReadonlySet<string>,
): Promise<void> {
  const asked = JSON.stringify({ auth: true, limit: 10_000 });
  const answers = await system.requestMany("$SYS.REQ.SERVER.PING.CONNZ", asked, {
    strategy: "stall",
    maxWait: ASK_MS,
  });
  const kicks: Promise<unknown>[] = [];
  for await (const answer of answers) {
    const { server, data } = answer.json<Connections>();
    for (const { cid, authorized_user: user } of data.connections ?? []) {
      if (user === undefined || !wanted.has(user)) continue;
      const kick = system.request(`$SYS.REQ.SERVER.${server.id}.KICK`, JSON.stringify({ cid }), { timeout: ASK_MS });
      kick.catch(() => undefined);
      kicks.push(kick);
    }
  }
  const failed = (await Promise.allSettled(kicks)).flatMap(one => (one.status === "rejected" ? [one.reason] : []));
  if (failed.length > 0)
    throw new AggregateError(failed, `${failed.length} of ${kicks.length} connections of revoked nodes live on.`);
}
