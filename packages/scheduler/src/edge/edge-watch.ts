import type { Node, NodeId } from "@skep/core/model/node.ts";
import type { LoopPorts, Running } from "../loop/ports.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { AskEdge, EdgeAnswer } from "./ask-edge.ts";
import type { RoutesView } from "./routes-view.ts";

/** Knows which edges have ceased to take new routes. */
export interface EdgeWatch extends Running {
  /** A sentence for each, with what to do. */
  warnings(): readonly string[];
}

/** What the watch works with beside the ports. */
export interface EdgeWatchOptions {
  readonly routes: RoutesView;
  readonly askEdge: AskEdge;
  /** How long after a change an edge may hold the routes before it. */
  readonly lateAfterMs: number;
  /** Whether this replica writes what it finds: each warns, one tells. */
  readonly isTelling: () => boolean;
}

const PERIOD_MS = 5_000;

/** Something that an edge holds although it should not, and since when. */
interface Late {
  readonly node: Node;
  readonly sinceMs: number;
  isTold: boolean;
}

/** Begins to ask the edge of each node, every 5 s, which routes it holds. */
export function createEdgeWatch(
  ports: Pick<LoopPorts, "store" | "clock" | "log" | "loops">,
  options: EdgeWatchOptions,
): EdgeWatch {
  const { store, clock, log, loops } = ports;
  const { routes, askEdge, lateAfterMs, isTelling } = options;
  const late = new Map<NodeId, Late>();

  async function look(): Promise<void> {
    const nodes = routes.nodes().filter(node => node.liveness !== "down");
    const answers = await Promise.all(nodes.map(node => askEdge(node.address)));
    // A replica that is cut off from the database cannot judge anybody.
    if (routes.version() === undefined) return;
    const ids = new Set(nodes.map(node => node.id));
    for (const id of late.keys()) if (!ids.has(id)) late.delete(id);
    const decisions: Decision[] = [];
    nodes.forEach((node, at) => judge(node, answers[at]!, decisions));
    if (decisions.length > 0) await store.saveDecisions(decisions);
  }

  function judge(node: Node, answer: EdgeAnswer, decisions: Decision[]): void {
    const known = late.get(node.id);
    // A node without an edge is no fault, and one that does not answer routes nothing either.
    if (answer.kind === "silent") return;
    if (answer.kind === "holds" && answer.version === routes.version()) {
      late.delete(node.id);
      if (known?.isTold === true) tell(node, "edge.current", `The edge of ${node.hostname} takes routes again.`);
      return;
    }
    const superseded = answer.kind === "holds" ? routes.supersededMs(answer.version) : undefined;
    const entry = { node, sinceMs: superseded ?? known?.sinceMs ?? clock.monotonic(), isTold: known?.isTold ?? false };
    late.set(node.id, entry);
    if (!isLate(entry) || entry.isTold || !isTelling()) return;
    entry.isTold = true;
    tell(node, "edge.stale", sentenceOf(entry));

    function tell(of: Node, kind: string, sentence: string): void {
      if (!isTelling()) return;
      if (kind === "edge.stale") log.warn(kind, sentence, { nodeId: of.id });
      else log.info(kind, sentence, { nodeId: of.id });
      const subject = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined };
      decisions.push({ at: clock.now(), kind, nodeId: of.id, sentence, ...subject });
    }
  }

  const isLate = (one: Late): boolean => clock.monotonic() - one.sinceMs >= lateAfterMs;
  const sentenceOf = ({ node, sinceMs }: Late): string =>
    `The edge of ${node.hostname} has taken no new routes for ${Math.round((clock.monotonic() - sinceMs) / 1000)} s, ` +
    "so its requests may go astray: look at its log and whether it reaches a scheduler, and restart it.";

  const loop = loops.begin("edges", look, { minGapMs: 1_000, periodMs: PERIOD_MS });
  loop.hint();
  return {
    warnings: () => [...late.values()].filter(isLate).map(sentenceOf),
    close: () => loop.close(),
  };
}
