import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import { docker, downFleet, upFleet } from "@skep/devswarm/fleet.ts";
import { openDocker } from "@skep/agent/engine/docker.ts";
import type { Engine } from "@skep/agent/engine/engine.ts";
import { importBusybox } from "../support/busybox.ts";
import type { Measurement } from "./measurement.ts";
import { startLoneAgent } from "./p4-lone-agent.ts";
import { loadInstances } from "./p4-workload.ts";
import { rate, significant, type Result } from "./result.ts";
import { interleave, ratios } from "./rounds.ts";
import { median, worst } from "./statistics.ts";

const GOAL = 0.95;
const STARTS = 20;
const FLEET = "load";
const IMAGE = "skep/load-box:1";
/** So many starts at once for each core, for comparison. */
const WIDER = 2;
const CONCURRENCIES = [2, 3, 4, 8];

/**
 * Containers per second on one node: the agent's loop against the same engine's API called as fast
 * as it takes it.
 */
export const p4: Measurement = {
  name: "P4",
  title: `${STARTS} starts on one node by the agent, against raw parallel starts through the engine's API`,
  run: async bench => {
    bench.defer("fleet", () => downFleet(FLEET));
    const fleet = await upFleet({ name: FLEET, nodes: 1, managers: 1 });
    const socketPath = fleet.nodes[0]?.socket ?? "";
    await importBusybox(argv => docker(fleet, "node-1", argv), IMAGE);
    const engine = await openDocker({ socketPath, networkPool: "10.201.0.0/16" });
    bench.engine("Docker", (await engine.facts()).version);
    const { cores } = await engine.facts();
    let made = 0;
    const next = (): readonly AssignedInstance[] => loadInstances(IMAGE, STARTS, ++made);
    const raw = (atOnce: number) => () => rawStarts(engine, next(), atOnce);
    const seen = await interleave(
      bench.rounds(5),
      {
        agent: () => agentStarts(engine, next()),
        // Told and not judged: what an operator would get who lets it start more at once.
        wider: () => agentStarts(engine, next(), WIDER * cores),
        ...(Object.fromEntries(CONCURRENCIES.map(atOnce => [`raw ${atOnce}`, raw(atOnce)])) as Record<
          `raw ${number}`,
          () => Promise<number>
        >),
      },
      true,
    );
    for (const [name, samples] of Object.entries(seen))
      bench.say(`${titleOf(name, cores)}: median ${rate(median(samples))}, worst ${rate(worst(samples, "higher"))}`);
    const { agent, wider, ...raws } = seen;
    return judge({ agent, wider }, raws, cores, bench.say);
  },
};

/**
 * The best concurrency is the one with the best median; that one's rounds are what ours are
 * compared with.
 */
function judge(
  { agent: ours, wider }: Readonly<Record<"agent" | "wider", readonly number[]>>,
  raws: Readonly<Record<string, readonly number[]>>,
  cores: number,
  say: (line: string) => void,
): Result {
  const startLimit = cores + 1;
  const alike = raws[`raw ${startLimit}`];
  const best = Object.values(raws).toSorted((a, b) => median(b) - median(a))[0] ?? [];
  const perRound = ratios(ours, best);
  say(`ratio by round: ${perRound.map(significant).join(", ")}`);
  const ratio = median(ours) / median(best);
  say(`ratio of ${titleOf("wider", cores)}: ${significant(median(wider) / median(best))}`);
  const holds = ratio >= GOAL;
  return {
    value: rate(median(ours)),
    baseline: `raw:${rate(median(best))}`,
    ratio,
    goal: `>=${GOAL}`,
    holds,
    because: holds
      ? undefined
      : `The agent starts at most ${startLimit} containers at once${alike === undefined ? "" : `; so many raw callers make ${rate(median(alike))}`}. More at once (SKEP_START_LIMIT) fill the cores while a start waits for the kernel or the disk; each then takes longer, and tenants that run already get less of the cores meanwhile.`,
  };
}

function titleOf(name: string, cores: number): string {
  return name === "wider" ? `agent with SKEP_START_LIMIT=${WIDER * cores}` : name;
}

/**
 * Starts per second from the assignment to the report that the last one runs. The agent lives only
 * for its own turn: it would look at what the others start, and take away what it was not told of.
 */
async function agentStarts(
  engine: Engine,
  instances: readonly AssignedInstance[],
  startLimit?: number,
): Promise<number> {
  const agent = await startLoneAgent(engine, startLimit);
  try {
    const ms = await agent.runToRunning(instances);
    await agent.clear();
    return (instances.length / ms) * 1_000;
  } finally {
    await agent.close();
  }
}

/**
 * The same containers in the same network, made and started by so many callers that do nothing
 * else.
 */
async function rawStarts(engine: Engine, instances: readonly AssignedInstance[], atOnce: number): Promise<number> {
  const ids: string[] = [];
  const waiting = [...instances];
  const worker = async (): Promise<void> => {
    for (let instance = waiting.shift(); instance !== undefined; instance = waiting.shift()) {
      const [container] = instance.spec.containers;
      if (container === undefined) continue;
      const id = await engine.createContainer({ instance, container, specHash: "raw", sandboxId: undefined });
      ids.push(id);
      await engine.start(id);
    }
  };
  const startedAt = performance.now();
  await engine.createNetwork(instances[0]?.tenantId ?? "");
  await Promise.all(Array.from({ length: atOnce }, worker));
  const ms = performance.now() - startedAt;
  await Promise.all(ids.map(id => engine.remove(id)));
  for (const network of (await engine.observe()).networks) await engine.removeNetwork(network.name);
  return (instances.length / ms) * 1_000;
}
