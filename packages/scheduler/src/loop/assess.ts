import type { Settings } from "@skep/core/decide/world.ts";
import type { Liveness, NodeId } from "@skep/core/model/node.ts";

/** What one scheduler has itself observed of a node's agent. */
export interface Observation {
  readonly nodeId: NodeId;
  /** What was believed before. */
  readonly believed: Liveness;
  /** Whether the agent was heard since this scheduler began to listen. */
  readonly isKnown: boolean;
  /** Observed silence, see `Beats.silentMs`. */
  readonly silentMs: number;
  /** The agent said that it ends: an update, most likely. */
  readonly isLeaving: boolean;
  /** Whether peers tried and could not reach the node either; `undefined` while none has said. */
  readonly isUnreachable: boolean | undefined;
}

/** What to believe, and whether so many nodes fell silent at once that nobody is called down. */
export interface Assessment {
  readonly liveness: ReadonlyMap<NodeId, Liveness>;
  readonly frozen: boolean;
  /** Nodes whose peers should try to reach them. */
  readonly toProbe: readonly NodeId[];
}

/** Agents that said goodbye get this long to come back, since what they look after runs on without them. */
const LEAVING_GRACE_MS = 60_000;

/**
 * Beats make a node ready at once. Silence makes it suspect, and down only when its peers cannot reach it either. When
 * more than a third of the nodes (and more than one) that were not down yet are silent, the fault is likelier here
 * than there: then nobody is called down.
 */
export function assess(observations: readonly Observation[], settings: Settings): Assessment {
  const isSilent = (one: Observation): boolean => one.silentMs >= settings.suspectAfterMs;
  const silent = observations.filter(one => isSilent(one) && one.believed !== "down");
  const frozen = silent.length > Math.max(1, observations.length / 3);
  const liveness = new Map<NodeId, Liveness>();
  const toProbe: NodeId[] = [];
  for (const one of observations) {
    liveness.set(one.nodeId, believe(one, settings, frozen));
    if (isSilent(one) && one.believed !== "down") toProbe.push(one.nodeId);
  }
  return { liveness, frozen, toProbe };
}

function believe(one: Observation, settings: Settings, frozen: boolean): Liveness {
  const { believed, isKnown, silentMs } = one;
  if (isKnown && silentMs < settings.suspectAfterMs) return "ready";
  if (believed === "down") return "down";
  if (silentMs < settings.suspectAfterMs) return "unknown";
  const patienceMs = one.isLeaving ? Math.max(LEAVING_GRACE_MS, settings.downAfterMs) : settings.downAfterMs;
  const isDown = silentMs >= patienceMs && one.isUnreachable === true && !frozen;
  return isDown ? "down" : "suspect";
}
