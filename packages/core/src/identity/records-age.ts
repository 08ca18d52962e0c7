import type { Node, NodeId } from "../model/node.ts";
import { mayHaveGiven, type AssignmentLine } from "./assignment-line.ts";
import type { PlatformIdentity } from "./platform-identity.ts";

/** The records that an agent works by, as it says. */
export interface Holding {
  readonly nodeId: NodeId;
  /** `""` where it holds nothing. */
  readonly incarnation: string;
  readonly term: number;
  readonly revision: number;
  /** The stamp of that revision; absent where it came without one. */
  readonly stamp?: number;
  /** The receipt that came with it; absent where none did. */
  readonly receipt?: string;
}

/** Whether a scheduler of these records told the agent what it claims to hold. */
export type Proves = (held: Holding) => boolean;

/** What the records say of themselves, read after the agents have beaten. */
export interface RecordsMark {
  readonly identity: Pick<PlatformIdentity, "incarnation" | "succeeds">;
  readonly term: number;
  /** Of each node that is recorded, which revisions of its assignment were given. */
  readonly lines: ReadonlyMap<NodeId, AssignmentLine>;
}

/** Which revisions the records gave to each of these nodes. */
export function linesOf(nodes: readonly Node[]): RecordsMark["lines"] {
  return new Map(nodes.map(node => [node.id, { revision: node.assignmentRevision, stamps: node.assignmentStamps }]));
}

/** How the records stand to what the agents hold. */
export type RecordsAge =
  /**
   * They are the fleet's. `foreign` are single nodes that work by records of another platform,
   * `unproven` those that claim to be ahead of these and cannot show it.
   */
  | { readonly kind: "current"; readonly foreign: readonly NodeId[]; readonly unproven: readonly NodeId[] }
  /** They are an older copy, or of another database: `because` says what shows it. */
  | { readonly kind: "older" | "other"; readonly because: string };

const MOST_NAMED = 3;

/**
 * Compares the records with what agents hold. An agent holds only what was recorded before it was
 * told, so one that is ahead of the records proves that they are an older copy, if it has the
 * receipt for it: a single agent may have been stolen. What no receipt shows counts by numbers.
 * Many agents that are ahead without one were told before there were receipts. Incarnations that
 * the records neither are nor replace show another database, unless only few nodes hold them: such
 * nodes were brought from elsewhere, and they alone get no work.
 */
export function assessRecords(holdings: readonly Holding[], records: RecordsMark, proves: Proves): RecordsAge {
  const { incarnation } = records.identity;
  const holding = holdings.filter(one => one.incarnation !== "");
  const ahead = holding.filter(one => isAhead(one, records));
  const proven = ahead.filter(proves);
  if (proven.length > 0) return { kind: "older", because: aheadWords(proven, records) };
  const foreign = holding.filter(one => isForeign(one, records.identity));
  const areMany = (some: readonly Holding[]): boolean => some.length > holding.length / 3;
  // Of two nodes or one nobody else can be asked.
  const fewest = Math.max(holdings.length, records.lines.size) > 2 ? 2 : 1;
  if (foreign.length >= fewest && areMany(foreign)) {
    const theirs = [...new Set(foreign.map(one => one.incarnation))].join(", ");
    const because = `${namesOf(foreign)} by the records ${theirs}, and this database is ${incarnation}`;
    return { kind: "other", because };
  }
  if (ahead.length >= 2 && areMany(ahead)) return { kind: "older", because: aheadWords(ahead, records) };
  return { kind: "current", foreign: foreign.map(one => one.nodeId), unproven: ahead.map(one => one.nodeId) };
}

/** Whether an agent claims to be ahead of the records and cannot show it. */
export function isUnproven(held: Holding, records: RecordsMark, proves: Proves): boolean {
  return isAhead(held, records) && !proves(held);
}

/** Whether a node works by records that these neither are nor replace. */
export function isForeign({ incarnation }: Holding, identity: RecordsMark["identity"]): boolean {
  return incarnation !== "" && incarnation !== identity.incarnation && !identity.succeeds.includes(incarnation);
}

/** Whether it works by what these records never gave. */
function isAhead(held: Holding, records: RecordsMark): boolean {
  const { nodeId, incarnation, term, revision } = held;
  if (incarnation !== records.identity.incarnation) return false;
  // A node's revision only grows, under each leader: a new leader of an old copy has a term above
  // the fleet's.
  const line = records.lines.get(nodeId);
  if (term > records.term || line === undefined) return term > records.term;
  // An older copy counts up as well, and may be past the agent's number when it is heard.
  return revision > line.revision || !mayHaveGiven(line, held);
}

function aheadWords(ahead: readonly Holding[], records: RecordsMark): string {
  const term = Math.max(...ahead.map(one => one.term));
  if (term > records.term) return `${namesOf(ahead)} by term ${term}, and the records know ${records.term}`;
  const { nodeId, revision } = ahead[0]!;
  const recorded = records.lines.get(nodeId)?.revision ?? 0;
  const what = revision > recorded ? "later assignments" : "assignments that the records never gave";
  return `${namesOf(ahead)} by ${what} (${nodeId}: revision ${revision}, recorded ${recorded})`;
}

function namesOf(holdings: readonly Holding[]): string {
  const names = holdings.map(one => one.nodeId).toSorted();
  const named = names.slice(0, MOST_NAMED).join(", ");
  const more = names.length - MOST_NAMED;
  return `${named}${more > 0 ? ` and ${more} more` : ""} work${names.length === 1 ? "s" : ""}`;
}
