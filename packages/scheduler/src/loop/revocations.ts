import type { NodeId } from "@skep/core/model/node.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** Ends the connections of nodes at the server of the bus. */
export type Kick = (nodeIds: readonly NodeId[]) => Promise<void>;

/**
 * Which nodes are revoked, as this scheduler last read it: what they send is dropped, and their
 * connections are ended.
 */
export interface Revocations extends Running {
  isRevoked(nodeId: NodeId): boolean;
  /** Something was revoked or taken back: look now. */
  soon(): void;
}

const PERIOD_MS = 5_000;

/**
 * Reads them each 5 s, and at once when told. Connections are ended each time anew, since a node
 * may come back by a server that had no word of it; `kick` is `undefined` where the bus has no
 * logins of nodes.
 */
export function createRevocations({ store, loops, log }: LoopPorts, kick: Kick | undefined): Revocations {
  let revoked: ReadonlySet<NodeId> = new Set();

  const looking = loops.begin(
    "revocations",
    async () => {
      const listed = await store.listRevokedNodes();
      const news = listed.filter(id => !revoked.has(id));
      revoked = new Set(listed);
      if (news.length > 0)
        log.warn("node.revoked", "Nodes are revoked: nothing that they say counts.", { nodes: news });
      await kick?.(listed);
    },
    { minGapMs: 100, periodMs: PERIOD_MS },
  );
  looking.hint();
  return {
    isRevoked: nodeId => revoked.has(nodeId),
    soon: () => looking.hint(),
    close: () => looking.close(),
  };
}
