import { encodeSwarmNodes } from "@skep/api/codec/swarm.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Loops } from "@skep/kit/loops.ts";
import type { Engine, SwarmNodeView } from "../engine/engine.ts";

/**
 * Tells the scheduler what Swarm's managers know: the nodes, their labels, availability and role.
 */
export interface SwarmWatch {
  /** Look now: the engine hinted at a change of a node. */
  hint(): void;
  close(): Promise<void>;
}

/** A change made elsewhere in the Swarm gives this engine no event: it is found by looking. */
const LOOK_EVERY_MS = 2_000;
/**
 * Unchanged lists are told again, since a message may have been lost and schedulers come and go.
 */
const TELL_EVERY_MS = 10_000;

/**
 * Starts watching; on an engine that is no manager each look costs one refused call and says
 * nothing.
 */
export function watchSwarm(deps: {
  readonly engine: Engine;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly loops: Loops;
  readonly nodeId: string;
}): SwarmWatch {
  const { engine, bus, clock, log, loops, nodeId } = deps;
  let told: { readonly text: string; readonly at: number } | undefined;

  let isTooLong = false;

  async function look(): Promise<void> {
    const nodes = await engine.swarmNodes();
    if (nodes === undefined) {
      told = undefined;
      return;
    }
    const sorted = nodes.toSorted((one, other) => (one.nodeId < other.nodeId ? -1 : 1));
    const text = JSON.stringify(sorted.map(withoutVersion));
    if (told?.text === text && clock.monotonic() - told.at < TELL_EVERY_MS) return;
    const bytes = encodeSwarmNodes({ managerNodeId: nodeId, nodes: sorted, at: clock.now() });
    if (bytes.byteLength > bus.maxPayload()) {
      // Not told, so it is tried again; half a list would read as if the other half had left the
      // Swarm.
      if (!isTooLong) log.error("swarm.unsendable", TOO_LONG, { bytes: bytes.byteLength, limit: bus.maxPayload() });
      isTooLong = true;
      return;
    }
    isTooLong = false;
    if (told?.text !== text) log.info("swarm.changed", `The Swarm has ${nodes.length} nodes.`, { nodes: nodes.length });
    told = { text, at: clock.monotonic() };
    bus.publish(nodeSubject("swarm", nodeId), bytes);
  }

  const retry = { baseMs: LOOK_EVERY_MS, maxMs: LOOK_EVERY_MS };
  const loop = loops.begin("swarm", look, { minGapMs: 100, periodMs: LOOK_EVERY_MS, retry });
  const status = bus.onStatus(connected => {
    if (connected) told = undefined;
    loop.hint();
  });
  loop.hint();
  return {
    hint: () => loop.hint(),
    close: () => {
      status.close();
      return loop.close();
    },
  };
}

const TOO_LONG =
  "The Swarm's list of nodes does not fit into one message: raise NATS's max_payload, or shorten node labels.";

/**
 * Swarm's version index moves without news (managers' own upkeep), so a change of it alone is none.
 */
function withoutVersion(node: SwarmNodeView): Omit<SwarmNodeView, "versionIndex"> {
  const { versionIndex: _, ...rest } = node;
  return rest;
}
