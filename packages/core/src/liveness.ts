import type { Settings } from "./world/world.ts";
import type { Liveness, Node, NodeId } from "./model/node.ts";

/**
 * What one observer has seen of a node's agent, in its own clock. It never inherits another
 * observer's times.
 */
export interface NodeObservation {
  readonly observingSinceAt: number;
  readonly lastBeatAt: number | undefined;
  /** When the new beat before the last new one came; `undefined` where there was none. */
  readonly beatBeforeAt: number | undefined;
  /** What peers found when they asked the agent directly; `unknown` where none could ask. */
  readonly probe: "answered" | "silent" | "unknown";
  /** When that was; `undefined` where nobody asked yet. */
  readonly probedAt: number | undefined;
  /**
   * How many instances are assigned to the node; where it is 0, a drained node's silence alarms
   * nobody.
   */
  readonly assigned?: number;
}

/** The verdict on each node, and whether so many are silent that none is declared down. */
export interface Assessment {
  readonly liveness: ReadonlyMap<NodeId, Liveness>;
  readonly frozen: boolean;
  /** Why it is frozen, in words; `""` otherwise. */
  readonly because: string;
  /** When a silence passes the next bound, if no beat ends it. */
  readonly wakeAt: number | undefined;
}

// More than this share of the nodes does not fall silent by itself: it is a switch, a broker, or
// this observer.
const MOST_SILENT_SHARE = 1 / 3;

/**
 * Judges nodes by the silence of their agents, counted since the later of the last beat and the
 * beginning of the observation. A silent node is suspect; it is down only when it was silent for
 * long and its peers could not reach it during that silence either. When more than a third of the
 * nodes, and more than one, are silent at once, none becomes down. A node that is down stays so
 * until two new beats have come: a single one may have been on its way since before the node
 * failed.
 */
export function assessNodes(
  nodes: readonly Node[],
  observations: ReadonlyMap<NodeId, NodeObservation>,
  settings: Pick<Settings, "suspectAfterMs" | "downAfterMs">,
  now: number,
): Assessment {
  const silent = nodes.filter(
    node => node.liveness !== "down" && isAlarming(node, observations.get(node.id), settings, now),
  );
  const frozen = silent.length > 1 && silent.length > nodes.length * MOST_SILENT_SHARE;
  const liveness = new Map<NodeId, Liveness>();
  let wakeAt = Infinity;
  for (const node of nodes) {
    const seen = observations.get(node.id);
    liveness.set(node.id, judge(node, seen, settings, now, frozen));
    if (seen === undefined) continue;
    for (const bound of [settings.suspectAfterMs, settings.downAfterMs]) {
      const at = silentSince(seen) + bound;
      if (at > now) wakeAt = Math.min(wakeAt, at);
    }
  }
  const because = frozen
    ? `${silent.length} of ${nodes.length} nodes are silent at once (${silent
        .map(node => node.hostname)
        .sort()
        .join(", ")}): ` + "nothing is moved off them until most are heard again"
    : "";
  return { liveness, frozen, because, wakeAt: wakeAt === Infinity ? undefined : wakeAt };
}

function judge(
  node: Node,
  seen: NodeObservation | undefined,
  settings: Pick<Settings, "suspectAfterMs" | "downAfterMs">,
  now: number,
  frozen: boolean,
): Liveness {
  if (node.liveness === "down") return seen !== undefined && isBack(seen, settings, now) ? "ready" : "down";
  if (seen === undefined) return "unknown";
  const silence = now - silentSince(seen);
  if (seen.lastBeatAt !== undefined && silence < settings.suspectAfterMs) return "ready";
  if (silence < settings.suspectAfterMs) return "unknown";
  const isUnreachable = seen.probe === "silent" && seen.probedAt !== undefined && seen.probedAt > silentSince(seen);
  return silence >= settings.downAfterMs && isUnreachable && !frozen ? "down" : "suspect";
}

/**
 * Whether two new beats came lately. Where the observation began anew, as after an outage of the
 * bus, an older beat is no news.
 */
function isBack(
  { beatBeforeAt, observingSinceAt }: NodeObservation,
  { suspectAfterMs }: Pick<Settings, "suspectAfterMs">,
  now: number,
): boolean {
  return beatBeforeAt !== undefined && beatBeforeAt >= observingSinceAt && now - beatBeforeAt < suspectAfterMs;
}

function isAlarming(
  node: Node,
  seen: NodeObservation | undefined,
  settings: Pick<Settings, "suspectAfterMs">,
  now: number,
): boolean {
  if (seen === undefined || now - silentSince(seen) < settings.suspectAfterMs) return false;
  return node.availability !== "drain" || seen.assigned !== 0;
}

function silentSince(seen: NodeObservation): number {
  return Math.max(seen.observingSinceAt, seen.lastBeatAt ?? seen.observingSinceAt);
}
