import {
  assessRecords,
  isForeign,
  isUnproven,
  linesOf,
  type Holding,
  type RecordsAge,
  type RecordsMark,
} from "@skep/core/identity/records-age.ts";
import type { Beat } from "@skep/api/codec/beat.ts";
import { provesBy } from "../store/receipts.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { Beats } from "./beats.ts";
import type { Hints } from "./hints.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts } from "./ports.ts";

/** Keeps a leader from deciding on records that are not the fleet's. */
export interface RecordsGuard {
  /** Since when decisions wait for agents to be heard, in ms from now; 0 where they need not. */
  listenForMs(): number;
  /** What agents hold right now: to be taken before the records are read. */
  holdings(): readonly Holding[];
  /** A report said what its agent holds, whether or not that agent beats yet. */
  heard(held: Holding): void;
  /** Nodes whose reports came lately, also those that were not admitted. */
  reporting(): readonly NodeId[];
  /**
   * Compares the records with what was held before they were read. Answers the world to decide on,
   * without nodes that would refuse; `undefined` where nothing may be decided.
   */
  admit(world: World, held: readonly Holding[]): Promise<World | undefined>;
  /**
   * The same for a single report, before anything on its node is removed or its rows are written.
   */
  admitReport(held: Holding, mark: RecordsMark): Promise<boolean>;
}

/**
 * How long a new process listens before it decides, or tells edges anything: each agent beats each
 * second.
 */
export const LISTEN_MS = 2_000;

/**
 * An agent begins to beat once a report of it was answered, and repeats it until then: while the
 * database is away only reports say what it holds.
 */
const REPORT_FRESH_MS = 10_000;

/** The records that the agents work by, as their beats say. */
export function holdingsOf(beats: Pick<Beats, "all">): readonly Holding[] {
  return [...beats.all()].flatMap(([, { beat }]) => (beat === undefined ? [] : [holdingOf(beat)]));
}

/** The records that an agent works by, as a beat or a report of it says. */
export function holdingOf(
  says: Pick<Beat, "nodeId" | "incarnation" | "appliedTerm" | "appliedRevision" | "appliedStamp" | "receipt">,
): Holding {
  const { nodeId, incarnation, appliedTerm: term, appliedRevision: revision, appliedStamp: stamp, receipt } = says;
  return {
    ...{ nodeId, incarnation, term, revision },
    ...(stamp === undefined ? {} : { stamp }),
    ...(receipt === undefined ? {} : { receipt }),
  };
}

/** What an agent is told that claims to be ahead of the records and cannot show it. */
export const UNPROVEN_WORD =
  "it claims to work by later records than there are, and has no receipt of a scheduler for them. If the machine is " +
  "yours and whole, `skep recover` takes in what runs there; if not, `skep node revoke` shuts it out.";

/** Makes it for a term. */
export function createRecordsGuard(
  ports: Pick<LoopPorts, "store" | "clock" | "log">,
  { leadership, beats, hints }: { readonly leadership: Leadership; readonly beats: Beats; readonly hints: Hints },
): RecordsGuard {
  const { store, clock, log } = ports;
  const { identity, term } = leadership;
  const proves = provesBy(identity.receiptKey);
  const told = new Set<string>();
  const reports = createReported(beats);
  let isUnrecovered = identity.unrecovered !== undefined;
  if (isUnrecovered) log.warn("platform.unrecovered", sentenceOf(identity.unrecovered!.because));

  async function tell(decision: Decision): Promise<void> {
    const { kind, sentence, ...fields } = decision;
    log.error(kind, sentence, fields);
    hints.tell({ events: [decision] });
    await store.saveDecisions([decision]);
  }

  async function tellOnce(kind: string, sentence: string, nodeId: NodeId): Promise<void> {
    const word = `${kind} ${nodeId}`;
    if (told.has(word)) return;
    told.add(word);
    await tell({ ...NOBODY, at: clock.now(), nodeId, kind, sentence });
  }

  /** A leader whose term is over sees later ones as well: the database marks nothing for it. */
  async function mark(because: string): Promise<void> {
    if (!(await store.markUnrecovered(because, leadership, clock.now()))) return;
    isUnrecovered = true;
    await tell({ ...NOBODY, at: clock.now(), kind: "platform.unrecovered", sentence: sentenceOf(because) });
  }

  async function assess(held: readonly Holding[], records: RecordsMark): Promise<Doubtful | undefined> {
    if (isUnrecovered) return undefined;
    const age = assessRecords(held, records, proves);
    if (age.kind === "current") return age;
    await mark(age.because);
    return undefined;
  }

  return {
    listenForMs: () => Math.max(0, LISTEN_MS - beats.listenedMs()),
    ...reports,
    admit: async (world, held) => {
      const doubtful = await assess(held, { identity, term, lines: linesOf(world.nodes) });
      if (doubtful === undefined) return undefined;
      const { foreign, unproven } = doubtful;
      if (foreign.length + unproven.length === 0) return world;
      for (const node of world.nodes) {
        if (foreign.includes(node.id)) await tellOnce("node.foreign", foreignSentence(node.hostname), node.id);
        if (unproven.includes(node.id)) await tellOnce("node.unproven", unprovenSentence(node.hostname), node.id);
      }
      const getsNoWork = new Set([...foreign, ...unproven]);
      const nodes = world.nodes.map(node =>
        getsNoWork.has(node.id) ? { ...node, availability: "pause" as const } : node,
      );
      return { ...world, nodes };
    },
    admitReport: async (held, records) => {
      // Another database has come under this term: the lease's next renewal ends it.
      if (records.identity.incarnation !== identity.incarnation) return false;
      // One node says nothing of the fleet's records, but nothing of these is about it.
      const mine = { ...records, identity, term };
      if (isForeign(held, identity) || isUnproven(held, mine, proves)) return false;
      return (await assess([held], mine)) !== undefined;
    },
  };
}

/** What agents hold by their beats, or by their reports where they do not beat yet. */
function createReported(beats: Beats): Pick<RecordsGuard, "holdings" | "heard" | "reporting"> {
  const reported = new Map<NodeId, { readonly held: Holding; readonly atMs: number }>();
  const fresh = (): readonly Holding[] =>
    [...reported.values()].flatMap(({ held, atMs }) => (beats.awakeMs() - atMs <= REPORT_FRESH_MS ? [held] : []));
  return {
    holdings: () => {
      const beating = holdingsOf(beats);
      const known = new Set(beating.map(one => one.nodeId));
      return [...beating, ...fresh().filter(one => !known.has(one.nodeId))];
    },
    heard: held => void reported.set(held.nodeId, { held, atMs: beats.awakeMs() }),
    reporting: () => fresh().map(one => one.nodeId),
  };
}

/** Nodes that get no work, though the records are the fleet's. */
type Doubtful = Extract<RecordsAge, { readonly kind: "current" }>;

const NOBODY = {
  ...{ tenantId: undefined, deploymentId: undefined, instanceId: undefined, nodeId: undefined, epoch: undefined },
} as const;

/** What people read where the records are not the fleet's. */
export function sentenceOf(because: string): string {
  return `The records are not those of the fleet: ${because}. Nothing is decided or removed, and what runs goes on. \`skep recover\` shows what can be done.`;
}

function foreignSentence(hostname: string): string {
  return `${hostname} works by the records of another platform and gets no work. Delete its agent's state if nothing there is needed, or adopt what runs there with \`skep recover\`.`;
}

/** What people read of an agent that claims to be ahead of the records and cannot show it. */
export function unprovenSentence(hostname: string): string {
  return `Nothing that the agent of ${hostname} says is believed, and the node gets no work: ${UNPROVEN_WORD}`;
}
