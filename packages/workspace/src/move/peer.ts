import { createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { PeerCollection, PeerService } from "@skep/api/gen/skep/v1/peer_pb.ts";
import { toUint64 } from "@skep/api/codec/number.ts";
import type { Connector } from "@skep/core/workspace/connector.ts";
import { pathOf } from "@skep/core/workspace/reach.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { signCall } from "@skep/kit/workspace-token.ts";
import type { KeyPages } from "../database/keys.ts";
import type { Importing } from "../database/portable.ts";
import type { CollectionName } from "../database/query/run.ts";

/**
 * The database of the other half of a workspace that moves. Every call rejects with a SkepError.
 */
export interface Peer extends KeyPages, Importing {}

/** Finds the other half of a workspace at an address, as `host:port`. */
export type FindPeer = (address: string, connector: Connector) => Peer;

/** Longest that one call may take: a page of keys looks at many documents. */
const CALL_MS = 60_000;

const COLLECTIONS: Readonly<Record<CollectionName, PeerCollection>> = {
  messages: PeerCollection.MESSAGES,
  deadLetters: PeerCollection.DEAD_LETTERS,
};

/** The collection that a call names. */
export function collectionNamed(number: PeerCollection): CollectionName {
  return number === PeerCollection.DEAD_LETTERS ? "deadLetters" : "messages";
}

/** The other half over Connect, by a token that only hosts of the workspace can make. */
export function createFindPeer(clock: Clock): FindPeer {
  return (address, { id, access }) => {
    const baseUrl = `http://${address}${pathOf(id).replace(/\/$/, "")}`;
    const client = createClient(PeerService, createConnectTransport({ baseUrl, httpVersion: "1.1" }));
    const headers = (): Record<string, string> => ({
      authorization: `Bearer ${signCall(id, access.secret, "peer", "host", clock.now())}`,
    });
    return over(client, headers);
  };
}

function over(client: Client<typeof PeerService>, headers: () => Record<string, string>): Peer {
  const options = () => ({ headers: headers(), timeoutMs: CALL_MS });
  return {
    importAll: async (collection, documents) => {
      try {
        const request = { collection: COLLECTIONS[collection], documents: documents.map(one => Uint8Array.from(one)) };
        const { stored, refused } = await client.import(request, options());
        return { stored, refused: new Map(Object.entries(refused)) };
      } catch (thrown) {
        throw fromConnectError(thrown);
      }
    },
    keysPage: async (collection, { from, until, keptSince = from }, after) => {
      try {
        const window = { fromMs: toUint64(Math.max(from, keptSince)), untilMs: toUint64(until) };
        return (await client.keys({ collection: COLLECTIONS[collection], ...window, after }, options())).keys;
      } catch (thrown) {
        throw fromConnectError(thrown);
      }
    },
  };
}
