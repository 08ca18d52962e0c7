import type { LoopState } from "@skep/kit/loops.ts";
import type { AgentDeps } from "./agent-deps.ts";
import { beginLife, type Life, type NodeFactsOfEngine } from "./life.ts";

/** One node's agent. */
export interface Agent {
  /**
   * Waits for the engine and its Swarm, then begins; resolves once it works, or when `stop` is
   * called meanwhile.
   */
  start(): Promise<void>;
  /**
   * Ends the agent; tenants run on. On a node that is drained it first waits, for minutes if need
   * be, until the scheduler has moved its instances away.
   */
  stop(): Promise<void>;
  /** What keeps this agent from its work, in a sentence; `undefined` while it does it. */
  trouble(): string | undefined;
  /** How each of its loops is doing; none before it works. */
  loops(): readonly LoopState[];
}

const ENGINE_RETRY_MS = 2_000;
/**
 * A loop that has not come round for so long, or an engine that has not answered, is a reason to
 * say so.
 */
const STALLED_MS = 45_000;

/** Builds an agent out of its ports; nothing happens before `start`. */
export function createAgent(deps: AgentDeps): Agent {
  const { clock } = deps;
  const closing = new AbortController();
  let life: Life | undefined;

  return {
    start: async () => {
      const facts = await waitForEngine(deps, closing.signal);
      if (facts === undefined) return;
      const [entry, healthy] = [await deps.journal.read(), await deps.healthyMemo.read()];
      const [images, directory] = [await deps.imagesMemo.read(), await deps.directoryMemo.read()];
      const kept = { entry, healthy, images, directory };
      if (!closing.signal.aborted) life = beginLife(deps, facts, kept);
    },
    stop: async () => {
      closing.abort();
      await life?.end();
    },
    trouble: () => {
      if (life === undefined) return "the engine has not answered yet, or is in no Swarm";
      const { passedAt, seenAt } = life.loop.progress();
      if (clock.monotonic() - passedAt > STALLED_MS) return "the loop does not come round";
      return clock.monotonic() - seenAt > STALLED_MS ? "the engine does not answer" : undefined;
    },
    loops: () => life?.loops() ?? [],
  };
}

/** Waits until the engine answers and is part of a Swarm; `undefined` when that was given up. */
export async function waitForEngine(
  deps: Pick<AgentDeps, "engine" | "clock" | "log">,
  signal: AbortSignal,
): Promise<NodeFactsOfEngine | undefined> {
  let said = "";
  while (!signal.aborted) {
    const facts = await deps.engine.facts().catch((error: unknown) => String(error));
    if (typeof facts !== "string" && facts.nodeId !== undefined) return { ...facts, nodeId: facts.nodeId };
    const problem = typeof facts === "string" ? facts : "the engine is in no Swarm: join it with `docker swarm join`";
    if (problem !== said) deps.log.warn("engine.awaited", `Waiting for the engine: ${problem}.`);
    said = problem;
    await deps.clock.sleep(ENGINE_RETRY_MS, signal);
  }
  return undefined;
}
