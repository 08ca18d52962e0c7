import { assessRecords, isForeign, type Holding, type RecordsMark } from "@skep/core/identity/records-age.ts";
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

/** The records that the agents work by, as their beats say. */
export function holdingsOf(beats: Pick<Beats, "all">): readonly Holding[] {
  return [...beats.all()].flatMap(([nodeId, { beat }]) =>
    beat === undefined
      ? []
      : [{ nodeId, incarnation: beat.incarnation, term: beat.appliedTerm, revision: beat.appliedRevision }],
  );
}

/** Makes it for a term. */
export function createRecordsGuard(
  ports: Pick<LoopPorts, "store" | "clock" | "log">,
  { leadership, beats, hints }: { readonly leadership: Leadership; readonly beats: Beats; readonly hints: Hints },
): RecordsGuard {
  const { store, clock, log } = ports;
  const { identity, term } = leadership;
  const told = new Set<NodeId>();
  let isUnrecovered = identity.unrecovered !== undefined;
  if (isUnrecovered) log.warn("platform.unrecovered", sentenceOf(identity.unrecovered!.because));

  async function tell(decision: Decision): Promise<void> {
    const { kind, sentence, ...fields } = decision;
    log.error(kind, sentence, fields);
    hints.tell({ events: [decision] });
    await store.saveDecisions([decision]);
  }

  /** A leader whose term is over sees later ones as well: the database marks nothing for it. */
  async function mark(because: string): Promise<void> {
    if (!(await store.markUnrecovered(because, leadership, clock.now()))) return;
    isUnrecovered = true;
    await tell({ ...NOBODY, at: clock.now(), kind: "platform.unrecovered", sentence: sentenceOf(because) });
  }

  async function assess(held: readonly Holding[], records: RecordsMark): Promise<readonly NodeId[] | undefined> {
    if (isUnrecovered) return undefined;
    const age = assessRecords(held, records);
    if (age.kind === "current") return age.foreign;
    await mark(age.because);
    return undefined;
  }

  return {
    listenForMs: () => Math.max(0, LISTEN_MS - beats.listenedMs()),
    holdings: () => holdingsOf(beats),
    admit: async (world, held) => {
      const revisions = new Map(world.nodes.map(node => [node.id, node.assignmentRevision]));
      const foreign = await assess(held, { identity, term, revisions });
      if (foreign === undefined || foreign.length === 0) return foreign && world;
      for (const node of world.nodes) {
        if (!foreign.includes(node.id) || told.has(node.id)) continue;
        told.add(node.id);
        await tell(foreignNode(node.id, node.hostname, clock.now()));
      }
      const nodes = world.nodes.map(node =>
        foreign.includes(node.id) ? { ...node, availability: "pause" as const } : node,
      );
      return { ...world, nodes };
    },
    admitReport: async (held, records) => {
      // Another database has come under this term: the lease's next renewal ends it.
      if (records.identity.incarnation !== identity.incarnation) return false;
      // One node says nothing of the fleet's records, but nothing of these is about it.
      return !isForeign(held, identity) && (await assess([held], { ...records, identity, term })) !== undefined;
    },
  };
}

const NOBODY = {
  ...{ tenantId: undefined, deploymentId: undefined, instanceId: undefined, nodeId: undefined, epoch: undefined },
} as const;

/** What people read where the records are not the fleet's. */
export function sentenceOf(because: string): string {
  return `The records are not those of the fleet: ${because}. Nothing is decided or removed, and what runs goes on. \`skep recover\` shows what can be done.`;
}

function foreignNode(nodeId: NodeId, hostname: string, at: number): Decision {
  const sentence = `${hostname} works by the records of another platform and gets no work. Delete its agent's state if nothing there is needed, or adopt what runs there with \`skep recover\`.`;
  return { ...NOBODY, at, nodeId, kind: "node.foreign", sentence };
}
