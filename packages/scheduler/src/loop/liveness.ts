import { assessNodes, type Assessment, type NodeObservation } from "@skep/core/liveness.ts";
import type { World } from "@skep/core/decide/world.ts";
import type { Liveness as Believed, Node, NodeId } from "@skep/core/model/node.ts";
import { isLive } from "@skep/core/model/state.ts";
import { createWake } from "@skep/kit/wake.ts";
import type { Decision } from "../store/store.ts";
import type { Beats } from "./beats.ts";
import type { Hints } from "./hints.ts";
import { createOutage } from "./outage.ts";
import { createProbes } from "./probes.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** What the leader believes of the nodes, by what it has itself observed. */
export interface Liveness extends Running {
  /** The world with the present beliefs and the freshest load in its nodes. */
  overlay(world: World): World;
  frozen(): boolean;
}

/** What it works with beside the ports. */
export interface LivenessOptions {
  readonly beats: Beats;
  readonly hints: Hints;
  readonly probePort: number;
  readonly wake: () => void;
}

const LOOK_MS = 250;
/** An agent that said goodbye (an update, most likely) gets this long to come back: what it looks after runs on. */
const LEAVING_GRACE_MS = 60_000;

/** Begins to look, four times a second; a changed belief wakes the tick and is recorded. */
export function createLiveness(ports: LoopPorts, options: LivenessOptions): Liveness {
  const { store, clock, log, settings } = ports;
  const { beats, hints } = options;
  const outage = createOutage("liveness", ports);
  const believed = new Map<NodeId, Believed>();
  let nodes: readonly Node[] = [];
  let assigned: ReadonlyMap<NodeId, number> = new Map();
  let frozen = false;
  /** What has changed and is not recorded yet. */
  let unsaved = new Map<NodeId, Believed>();
  let untold: Decision[] = [];

  const probes = createProbes(ports, beats, options.probePort, () => looking.hint());

  function look(): Assessment {
    const present = nodes.map(node => ({ ...node, liveness: believed.get(node.id) ?? node.liveness }));
    const observations = new Map(present.map(node => [node.id, observe(node.id)]));
    const assessment = assessNodes(present, observations, settings, beats.awakeMs());
    const ready = present.filter(node => assessment.liveness.get(node.id) === "ready");
    for (const node of present) {
      if (node.liveness !== "down" && beats.silentMs(node.id) >= settings.suspectAfterMs) probes.probe(node, ready);
    }
    return assessment;
  }

  function observe(nodeId: NodeId): NodeObservation {
    const heard = beats.heard(nodeId);
    const isLeaving = heard?.beat?.leaving === true && beats.silentMs(nodeId) < LEAVING_GRACE_MS;
    const result = probes.result(nodeId);
    return {
      observingSinceAt: beats.listeningSinceMs(),
      lastBeatAt: heard?.atMs,
      probe: isLeaving ? "unknown" : (result?.probe ?? "unknown"),
      probedAt: result?.atMs,
      assigned: assigned.get(nodeId) ?? 0,
    };
  }

  function take(assessment: Assessment): boolean {
    let changed = false;
    for (const node of nodes) {
      const next = assessment.liveness.get(node.id) ?? "unknown";
      const before = believed.get(node.id) ?? node.liveness;
      believed.set(node.id, next);
      if (next === before) continue;
      changed = true;
      unsaved.set(node.id, next);
      untold.push(changeOf(node, next, beats.silentMs(node.id), clock.now()));
    }
    if (assessment.frozen !== frozen) {
      frozen = assessment.frozen;
      changed = true;
      untold.push(freezeOf(assessment, clock.now()));
    }
    return changed;
  }

  async function save(): Promise<void> {
    const [liveness, decisions] = [unsaved, untold];
    if (liveness.size + decisions.length === 0) return;
    [unsaved, untold] = [new Map(), []];
    for (const { kind, sentence, ...fields } of decisions) log.info(kind, sentence, fields);
    hints.tell({ events: decisions, nodeIds: [...liveness.keys()] });
    try {
      await store.saveLiveness(liveness, clock.now());
    } catch (error) {
      unsaved = new Map([...liveness, ...unsaved]);
      throw error;
    }
    await store.saveDecisions(decisions);
  }

  const looking = createWake(
    async () => {
      if (take(look())) options.wake();
      await save();
      outage.succeeded();
    },
    { minGapMs: 50, periodMs: LOOK_MS },
    clock,
    error => looking.at(clock.now() + outage.failed(error)),
  );

  return {
    overlay: world => {
      const known = new Set(world.nodes.map(node => node.id));
      for (const id of believed.keys()) if (!known.has(id)) believed.delete(id);
      nodes = world.nodes;
      assigned = liveByNode(world);
      if (take(look())) looking.hint();
      return { ...world, nodes: world.nodes.map(node => withBelief(node, believed.get(node.id), beats)) };
    },
    frozen: () => frozen,
    close: () => looking.close(),
  };
}

function withBelief(node: Node, liveness: Believed = node.liveness, beats: Beats): Node {
  return { ...node, liveness, load: beats.heard(node.id)?.beat?.load ?? node.load };
}

function liveByNode(world: World): ReadonlyMap<NodeId, number> {
  const counts = new Map<NodeId, number>();
  for (const location of world.locations) {
    if (isLive(location)) counts.set(location.nodeId, (counts.get(location.nodeId) ?? 0) + 1);
  }
  return counts;
}

function changeOf(node: Node, next: Believed, silentMs: number, now: number): Decision {
  const seconds = (silentMs / 1000).toFixed(1);
  const sentences: Readonly<Record<Believed, string>> = {
    ready: `Node ${node.hostname} is ready.`,
    unknown: `Node ${node.hostname} has not been heard of yet.`,
    suspect: `Node ${node.hostname} has been silent for ${seconds} s and gets no new work.`,
    down: `Node ${node.hostname} has been silent for ${seconds} s and its peers cannot reach it: what it ran is placed elsewhere.`,
  };
  return { ...NOBODY, at: now, kind: `node.${next}`, nodeId: node.id, sentence: sentences[next] };
}

function freezeOf({ frozen, because }: Assessment, now: number): Decision {
  const sentence = frozen ? `${because}.` : "Enough nodes are heard again: what is silent may be called down.";
  return { ...NOBODY, at: now, kind: frozen ? "fleet.frozen" : "fleet.thawed", nodeId: undefined, sentence };
}

const NOBODY = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined } as const;
