import type { NodeKey } from "@skep/core/identity/admission.ts";
import type { NodeId } from "@skep/core/model/node.ts";

/** Whose agents may speak on the bus. */
export interface KeyStore {
  loadNodeKey(nodeId: NodeId): Promise<NodeKey | undefined>;
  /**
   * Records the key of a node that has none, and answers what stands then: of several, the first
   * one's.
   */
  joinNode(nodeId: NodeId, publicKey: string, now: number): Promise<NodeKey>;
  /** Nothing that the node's agent says counts any more, whether or not it has joined yet. */
  revokeNode(nodeId: NodeId, now: number): Promise<void>;
  /** Forgets key and revocation: the next agent that knows the join secret brings a new key. */
  rejoinNode(nodeId: NodeId): Promise<void>;
  listRevokedNodes(): Promise<readonly NodeId[]>;
}
