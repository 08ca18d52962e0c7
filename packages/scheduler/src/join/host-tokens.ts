import { aHost, type Principal } from "@skep/core/access/principal.ts";
import { isName } from "@skep/core/model/validate-rules.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { HostId } from "@skep/core/workspace/host.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { HostingStore } from "../store/hosting-store.ts";

/** What a host is given to speak with. */
export interface HostToken {
  readonly hostId: HostId;
  readonly token: string;
  readonly expiresInMs: number;
}

/** Who comes to the broker of a pod: gates for devices, or the host that reads there. */
export type BrokerUser = "gate" | "host";

/** Makes and knows what hosts show. */
export interface HostTokens {
  /** Who shows this; `undefined` for what no scheduler made, and for what has expired. */
  authenticate(token: string): Promise<Principal | undefined>;
  /**
   * A token for the process that has this identity. Its id follows from it, and nobody else can
   * name an identity that leads to the same id.
   */
  enrol(identity: string, workspaceId: WorkspaceId | undefined): Promise<HostToken>;
  /** With what the host of one standalone workspace asks for a token, and for no other. */
  workspaceSecret(workspaceId: WorkspaceId): Promise<string>;
  /** The password of a user of the broker in a standalone workspace's pod. */
  brokerPassword(workspaceId: WorkspaceId, user: BrokerUser): Promise<string>;
  /** The key of the S3 server in that pod. */
  filesKey(workspaceId: WorkspaceId): Promise<string>;
}

/** What they are made with. */
export interface HostTokenOptions {
  readonly store: Pick<HostingStore, "loadHostKey">;
  readonly clock: Clock;
  /** What processes of the shared hosts' service show; none may where it is absent. */
  readonly serviceSecret?: string | undefined;
}

const TOKEN_MS = 3_600_000;
/** Another key is another database: it is looked for again at most so often. */
const KEY_MS = 5_000;

/**
 * Tokens say all about themselves and are signed with a key of the database, so that any replica
 * knows them without asking it. No host knows the key: who may run one workspace, or who shares a
 * service's secret, cannot speak as another host.
 */
export function createHostTokens({ store, clock, serviceSecret }: HostTokenOptions): HostTokens {
  let known: { readonly key: string; readonly atMs: number } | undefined;

  async function key(): Promise<string> {
    if (known !== undefined && clock.monotonic() - known.atMs < KEY_MS) return known.key;
    const before = known?.key;
    // While the database is away the key that was read last is as good as ever.
    const loaded = await store.loadHostKey().catch((error: unknown) => {
      if (before === undefined) throw error;
      return before;
    });
    known = { key: loaded, atMs: clock.monotonic() };
    return loaded;
  }

  const sign = async (text: string): Promise<string> =>
    createHmac("sha256", await key())
      .update(text)
      .digest("base64url");
  const isSigned = async (text: string, mac: string): Promise<boolean> => isSame(mac, await sign(text));

  async function fromToken(claims: string, mac: string): Promise<Principal | undefined> {
    if (!(await isSigned(`host ${claims}`, mac))) return undefined;
    const [hostId, workspaceId, until] = JSON.parse(Buffer.from(claims, "base64url").toString()) as [
      string,
      string,
      number,
    ];
    return clock.now() < until ? aHost({ hostId, workspaceId: workspaceId || undefined }) : undefined;
  }

  return {
    authenticate: async token => {
      if (serviceSecret !== undefined && isSame(token, serviceSecret))
        return aHost({ hostId: undefined, workspaceId: undefined });
      const [kind, what = "", mac = "", ...rest] = token.split(".");
      if (rest.length > 0 || what === "" || mac === "") return undefined;
      if (kind === "skep-host") return fromToken(what, mac);
      if (kind !== "skep-workspace" || !isName(what) || !(await isSigned(`workspace ${what}`, mac))) return undefined;
      return aHost({ hostId: undefined, workspaceId: what });
    },
    enrol: async (identity, workspaceId) => {
      const hostId = `host_${createHash("sha256").update(identity).digest("hex").slice(0, 24)}`;
      const claims = JSON.stringify([hostId, workspaceId ?? "", clock.now() + TOKEN_MS]);
      const text = Buffer.from(claims).toString("base64url");
      return { hostId, token: `skep-host.${text}.${await sign(`host ${text}`)}`, expiresInMs: TOKEN_MS };
    },
    brokerPassword: (workspaceId, user) => sign(`broker ${user} ${workspaceId}`),
    filesKey: workspaceId => sign(`files ${workspaceId}`),
    workspaceSecret: async workspaceId => `skep-workspace.${workspaceId}.${await sign(`workspace ${workspaceId}`)}`,
  };
}

function isSame(given: string, wanted: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}
