import type { World } from "@skep/core/decide/world.ts";
import type { Liveness as Believed, Node, NodeId } from "@skep/core/model/node.ts";
import { createWake } from "@skep/kit/wake.ts";
import type { Decision } from "../store/store.ts";
import { assess, type Assessment } from "./assess.ts";
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

/** Begins to look, four times a second; a changed belief wakes the tick and is recorded. */
export function createLiveness(ports: LoopPorts, options: LivenessOptions): Liveness {
  const { store, clock, log, settings } = ports;
  const { beats, hints } = options;
  const outage = createOutage("liveness", ports);
  const believed = new Map<NodeId, Believed>();
  let nodes: readonly Node[] = [];
  let frozen = false;
  /** What has changed and is not recorded yet. */
  let unsaved = new Map<NodeId, Believed>();
  let untold: Decision[] = [];

  const probes = createProbes(ports, beats, options.probePort, () => looking.hint());

  function look(): Assessment {
    const assessment = assess(
      nodes.map(node => ({
        nodeId: node.id,
        believed: believed.get(node.id) ?? node.liveness,
        isKnown: beats.isKnown(node.id),
        silentMs: beats.silentMs(node.id),
        isLeaving: beats.heard(node.id)?.beat?.leaving === true,
        isUnreachable: probes.isUnreachable(node.id),
      })),
      settings,
    );
    const ready = nodes.filter(node => assessment.liveness.get(node.id) === "ready");
    for (const node of nodes) if (assessment.toProbe.includes(node.id)) probes.probe(node, ready);
    return assessment;
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
      untold.push(freezeOf(frozen, assessment.toProbe.length, nodes.length, clock.now()));
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

function freezeOf(frozen: boolean, silent: number, all: number, now: number): Decision {
  const sentence = frozen
    ? `${silent} of ${all} nodes are silent at once, which is likelier a fault on this side: nothing is moved until fewer are.`
    : "Enough nodes are heard again: what is silent may be called down.";
  return { ...NOBODY, at: now, kind: frozen ? "fleet.frozen" : "fleet.thawed", nodeId: undefined, sentence };
}

const NOBODY = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined } as const;
