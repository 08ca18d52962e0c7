import { assessNodes, type Assessment, type NodeObservation } from "@skep/core/liveness.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Liveness as Believed, Node, NodeId } from "@skep/core/model/node.ts";
import { isLive } from "@skep/core/model/state.ts";
import type { Beats } from "./beats.ts";
import type { Hints } from "./hints.ts";
import type { Leadership } from "./leader.ts";
import { createNodeNews } from "./node-news.ts";
import { createProbes, type ProbeResult } from "./probes.ts";
import type { Revocations } from "./revocations.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** The leader's verdicts on the nodes, by what it has itself observed. */
export interface Liveness extends Running {
  /** The world with the present verdicts and the freshest load in its nodes. */
  overlay(world: World): World;
  frozen(): boolean;
}

/** What it works with beside the ports. */
export interface LivenessOptions {
  readonly leadership: Leadership;
  readonly beats: Beats;
  readonly hints: Hints;
  /**
   * A revoked node is down, whatever it says and though peers reach it: what it ran is placed
   * elsewhere.
   */
  readonly revocations: Pick<Revocations, "isRevoked">;
  readonly probePort: number;
  readonly wake: () => void;
  /** Called when it begins or ceases to be frozen. */
  readonly onFreeze: () => void;
}

const LOOK_MS = 250;
/**
 * An agent that said goodbye (an update, most likely) gets this long to come back: what it looks
 * after runs on.
 */
const LEAVING_GRACE_MS = 60_000;

/** Begins to look, four times a second; a changed belief wakes the tick and is recorded. */
export function createLiveness(ports: LoopPorts, options: LivenessOptions): Liveness {
  const { loops, settings } = ports;
  const { beats, hints } = options;
  const believed = new Map<NodeId, Believed>();
  let nodes: readonly Node[] = [];
  let assigned: ReadonlyMap<NodeId, number> = new Map();
  let frozen = false;
  const news = createNodeNews(ports, hints, options.leadership);
  const probes = createProbes(ports, beats, options.probePort, () => looking.hint());

  function look(): Assessment {
    const present = nodes.map(node => ({ ...node, liveness: believed.get(node.id) ?? node.liveness }));
    const observations = new Map(
      present.map(node => [node.id, observe(node.id, beats, probes.result(node.id), assigned.get(node.id) ?? 0)]),
    );
    const assessment = assessNodes(present, observations, settings, beats.awakeMs());
    const ready = present.filter(node => assessment.liveness.get(node.id) === "ready");
    for (const node of present) {
      if (node.liveness !== "down" && beats.silentMs(node.id) >= settings.suspectAfterMs) probes.probe(node, ready);
    }
    return assessment;
  }

  function take(assessment: Assessment): boolean {
    let changed = false;
    for (const node of nodes) {
      const isRevoked = options.revocations.isRevoked(node.id);
      const next = isRevoked ? "down" : (assessment.liveness.get(node.id) ?? "unknown");
      const before = believed.get(node.id) ?? node.liveness;
      believed.set(node.id, next);
      if (next === before) continue;
      changed = true;
      news.changed(node, next, beats.silentMs(node.id), isRevoked);
    }
    if (assessment.frozen !== frozen) {
      frozen = assessment.frozen;
      changed = true;
      news.frozen(assessment);
      options.onFreeze();
    }
    return changed;
  }

  const looking = loops.begin(
    "liveness",
    async () => {
      if (take(look())) options.wake();
      await news.save();
    },
    { minGapMs: 50, periodMs: LOOK_MS },
  );

  return {
    overlay: world => {
      const known = new Set(world.nodes.map(node => node.id));
      for (const id of believed.keys()) if (!known.has(id)) believed.delete(id);
      nodes = world.nodes;
      assigned = liveByNode(world);
      if (take(look())) looking.hint();
      if (news.compare(nodes, believed)) looking.hint();
      return { ...world, nodes: world.nodes.map(node => withBelief(node, believed.get(node.id), beats)) };
    },
    frozen: () => frozen,
    close: () => looking.close(),
  };
}

/** An agent that is too old for its assignment keeps what it runs, and gets no new work. */
function withBelief(node: Node, liveness: Believed = node.liveness, beats: Beats): Node {
  const availability = node.availability === "active" && beats.isTooOld(node.id) ? "pause" : node.availability;
  return { ...node, availability, liveness, load: beats.heard(node.id)?.beat?.load ?? node.load };
}

function liveByNode(world: World): ReadonlyMap<NodeId, number> {
  const counts = new Map<NodeId, number>();
  for (const location of world.locations) {
    if (isLive(location)) counts.set(location.nodeId, (counts.get(location.nodeId) ?? 0) + 1);
  }
  return counts;
}

function observe(nodeId: NodeId, beats: Beats, result: ProbeResult | undefined, assigned: number): NodeObservation {
  const heard = beats.heard(nodeId);
  const isLeaving = heard?.beat?.leaving === true && beats.silentMs(nodeId) < LEAVING_GRACE_MS;
  return {
    observingSinceAt: beats.listeningSinceMs(),
    lastBeatAt: heard?.atMs,
    beatBeforeAt: heard?.newBeforeMs,
    probe: isLeaving ? "unknown" : (result?.probe ?? "unknown"),
    probedAt: result?.atMs,
    assigned,
  };
}
