import { connect, type NatsConnection } from "nats";
import { signedLogin } from "@skep/kit/nats-keys.ts";
import type { Kick } from "../loop/revocations.ts";

interface Page {
  readonly server: { readonly id: string };
  readonly data: {
    readonly connections?: readonly { readonly cid: number; readonly authorized_user?: string }[];
    /** How many there are, on all pages. */
    readonly total?: number;
  };
}

type System = Pick<NatsConnection, "request" | "requestMany">;

const LARGEST_PAGE = 10_000;
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
 * others. A connection that changes its page while pages are read may be missed: the caller does it
 * again and again, as long as a node is revoked.
 * @throws AggregateError with what failed, after all were tried.
 */
export async function kickAll(
  system: System,
  wanted: ReadonlySet<string>,
  pageSize: number = LARGEST_PAGE,
): Promise<void> {
  const answers = await system.requestMany("$SYS.REQ.SERVER.PING.CONNZ", question(0, pageSize), {
    strategy: "stall",
    maxWait: ASK_MS,
  });
  const kicks: Promise<unknown>[] = [];
  const unlisted: unknown[] = [];
  for await (const answer of answers) {
    const first = answer.json<Page>();
    // All pages first: each connection that ends moves those behind it.
    const { cids, error } = await connectionsOf(system, first, wanted, pageSize);
    if (error !== undefined) unlisted.push(error);
    for (const cid of cids) {
      const subject = `$SYS.REQ.SERVER.${first.server.id}.KICK`;
      const kick = system.request(subject, JSON.stringify({ cid }), { timeout: ASK_MS });
      kick.catch(() => undefined);
      kicks.push(kick);
    }
  }
  const failed = (await Promise.allSettled(kicks)).flatMap(one => (one.status === "rejected" ? [one.reason] : []));
  if (failed.length + unlisted.length === 0) return;
  const lists = unlisted.length === 0 ? "" : ` ${unlisted.length} servers did not list all of theirs.`;
  const words = `${failed.length} of ${kicks.length} connections of revoked nodes live on.${lists}`;
  throw new AggregateError([...failed, ...unlisted], words);
}

/** The connections of those nodes at one server, up to a page that cannot be read. */
async function connectionsOf(
  system: System,
  first: Page,
  wanted: ReadonlySet<string>,
  pageSize: number,
): Promise<{ readonly cids: readonly number[]; readonly error: unknown }> {
  const cids: number[] = [];
  const subject = `$SYS.REQ.SERVER.${first.server.id}.CONNZ`;
  try {
    for (let page = first, seen = 0; ;) {
      const { connections = [], total = 0 } = page.data;
      for (const { cid, authorized_user: user } of connections)
        if (user !== undefined && wanted.has(user)) cids.push(cid);
      seen += connections.length;
      if (connections.length === 0 || seen >= total) return { cids, error: undefined };
      page = (await system.request(subject, question(seen, pageSize), { timeout: ASK_MS })).json<Page>();
    }
  } catch (error) {
    return { cids, error };
  }
}

function question(offset: number, limit: number): string {
  return JSON.stringify({ auth: true, sort: "cid", offset, limit });
}
