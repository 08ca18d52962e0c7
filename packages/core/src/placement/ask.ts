import type { NodeId } from "../model/node.ts";
import type { Fleet } from "./fleet.ts";
import type { Need } from "./need.ts";

/** What is asked: a need, the slot it is for, and a node that must not be taken. */
export interface Ask {
  readonly need: Need;
  readonly slot: number;
  /** The node that did not get the instance running in time. */
  readonly exclude: NodeId | undefined;
}

/**
 * One reason why a node may not do. `fixed` filters depend on the node and the spec alone; the
 * others also on what is placed, and never turn from refusing to passing while a batch is placed.
 */
export interface Filter {
  readonly name: string;
  readonly fixed: boolean;
  readonly passes: (fleet: Fleet, index: number, ask: Ask) => boolean;
  /** What is wrong with `count` nodes, in the user's words; begins with a verb. */
  readonly sentence: (count: number, ask: Ask, fleet: Fleet) => string;
  /** The change that would make the filter pass somewhere. */
  readonly advice: (ask: Ask, fleet: Fleet) => string;
}
