import { assessRecords, isUnproven, linesOf, type Holding } from "@skep/core/identity/records-age.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { provesBy } from "../store/receipts.ts";
import type { Edge } from "../store/store.ts";

/** What a replica makes of the records by what agents hold. */
export interface JudgedEdge {
  /**
   * Why the routes are not to be served, in words; `undefined` where they are the fleet's. A
   * database that is empty or an old copy would take from every edge what runs and answers.
   */
  readonly because: string | undefined;
  /** Agents that claim to be ahead of the records and cannot show it. */
  readonly unproven: readonly NodeId[];
  /** The same of one message of such an agent, which may have come to its senses. */
  isUnproven(held: Holding): boolean;
}

/** Judges them. `held` is what the agents worked by before the records were read. */
export function judgeEdge(held: readonly Holding[], { identity, term, nodes }: Edge): JudgedEdge {
  const mark = { identity, term, lines: linesOf(nodes) };
  const proves = provesBy(identity.receiptKey);
  if (identity.unrecovered !== undefined) return nobodyIsUnproven(identity.unrecovered.because);
  const age = assessRecords(held, mark, proves);
  if (age.kind !== "current") return nobodyIsUnproven(age.because);
  const { unproven } = age;
  return {
    because: undefined,
    unproven,
    isUnproven: one => unproven.includes(one.nodeId) && isUnproven(one, mark, proves),
  };
}

/** While nothing is decided nobody is refused: whoever is ahead may be right. */
function nobodyIsUnproven(because: string): JudgedEdge {
  return { because, unproven: [], isUnproven: () => false };
}
