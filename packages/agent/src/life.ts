import { answerAsks } from "./asks.ts";
import type { AgentDeps } from "./create-agent.ts";
import type { EngineEvent, EngineFacts } from "./engine/engine.ts";
import { toBootId, toNodeFacts } from "./facts.ts";
import { createHealthWatch } from "./health-watch.ts";
import { createImages } from "./images.ts";
import type { JournalEntry } from "./journal.ts";
import { leave } from "./leave.ts";
import { createLogStreams } from "./log-streams.ts";
import { createLoop, type Loop } from "./loop.ts";
import { openOrders } from "./orders.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import { beginSession } from "./session.ts";
import { watchSwarm } from "./swarm-watch.ts";
import { createUsageMeter } from "./usage.ts";

/** An engine that is part of a Swarm. */
export type NodeFactsOfEngine = EngineFacts & { readonly nodeId: string };

/** One life of an agent, from its engine's first answer to its end. */
export interface Life {
  readonly loop: Loop;
  end(): Promise<void>;
}

/** Usage is read and sent this often. */
const USAGE_EVERY_MS = 10_000;

/** Puts an agent's parts together and sets them going. */
export function beginLife(deps: AgentDeps, first: NodeFactsOfEngine, entry: JournalEntry): Life {
  const { engine, bus, clock, random, prober } = deps;
  const { nodeId } = first;
  const sessionId = deps.ids("ses");
  const log = deps.log.child({ nodeId, sessionId });
  let facts: EngineFacts = first;
  const bootId = (): string => toBootId(deps.machineBootId, facts);
  const session = { nodeId, sessionId };

  const reporter = createReporter({
    ...{ bus, clock, random, log, nodeId, sessionId },
    facts: () => toNodeFacts(facts, { ...session, bootId: bootId(), agentVersion: deps.agentVersion }, deps.limits),
  });
  const health = createHealthWatch({ clock, prober, host: () => facts.address, onChange: () => loop.hint() });
  const images = createImages({ engine, clock, log, auth: deps.auth, onProgress: () => loop.hint() });
  const book = openOrders({
    ...{ journal: deps.journal, entry, bootId: bootId(), nodeId, clock, log },
    onChange: () => loop.hint(),
  });
  const loop = createLoop({
    ...{ engine, clock, log, images, health, orders: book.orders, onPicture: reporter.show },
    policy: { startLimit: deps.startLimit ?? facts.cores, sandboxImage: deps.sandboxImage },
    booted: entry.bootId !== bootId(),
  });
  const uplink = beginSession({
    ...{ bus, clock, random, log, nodeId, sessionId, reporter, bootId, digest: loop.digest },
    ...{
      take: book.take,
      confirm: book.confirm,
      held: () => book.orders().assignment,
      load: () => deps.sampler.load(),
    },
  });
  const logStreams = createLogStreams({ engine, bus, clock });
  const asks = answerAsks({
    ...{ bus, log, engine, nodeId, prober, logStreams, containers: loop.containers, reportInFull: reporter.sayAll },
  });
  const swarm = watchSwarm({ engine, bus, clock, log, nodeId });
  const events = engine.events(onEvent);
  const stopMeter = meterUsage(deps, loop, reporter);

  function onEvent(event: EngineEvent): void {
    if (event.kind === "node" || event.kind === "reconnected") swarm.hint();
    if (event.kind !== "node" && event.kind !== "network") loop.hint();
    if (event.kind === "reconnected") void refreshFacts();
  }

  /** The engine may have been away, and come back as another life of the node. */
  async function refreshFacts(): Promise<void> {
    const before = bootId();
    facts = await engine.facts().catch(() => facts);
    if (bootId() !== before) reporter.sayAll();
  }

  log.info("agent.started", `The agent of ${facts.hostname} works.`, { engine: facts.version, api: facts.apiVersion });
  loop.hint();
  return {
    loop,
    end: async () => {
      await leave({ session: uplink, loop, orders: book.orders, clock, log });
      for (const part of [asks, uplink, events, logStreams, health, book]) part.close();
      stopMeter();
      await Promise.all([swarm.close(), loop.close(), reporter.close()]);
      deps.sampler.close();
    },
  };
}

function meterUsage({ clock, sampler }: AgentDeps, loop: Loop, reporter: Reporter): () => void {
  const closing = new AbortController();
  const meter = createUsageMeter(sampler, clock);
  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const usage = meter.measure(loop.containers());
      if (usage.length > 0) reporter.addUsage(usage);
      await clock.sleep(USAGE_EVERY_MS, closing.signal);
    }
  }
  void run();
  return () => closing.abort();
}
