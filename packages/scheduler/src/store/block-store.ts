import type { BlockChange, BlockHolder } from "@skep/core/network/blocks.ts";
import type { Mandate } from "./mandate.ts";

/** Which addresses the instances of each node have. */
export interface BlockStore {
  /** Every node that an agent ever came from, by id, also those that have left the Swarm. */
  loadBlocks(): Promise<readonly BlockHolder[]>;
  /**
   * Writes all changes, or none: where a node's block is not what it `was` any more, or where two
   * nodes would share an address. Answers whether they are written.
   * @throws SkepError `aborted` `LEASE_LOST`.
   */
  saveBlocks(changes: readonly BlockChange[], mandate: Mandate): Promise<boolean>;
}
