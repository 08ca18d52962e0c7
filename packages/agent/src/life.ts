import { createLoops, type LoopState } from "@skep/kit/loops.ts";
import type { HeldState } from "@skep/api/codec/held.ts";
import { toPresent } from "./loop/picture.ts";
import { SkepError } from "@skep/core/error.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import { answerAsks } from "./asks/asks.ts";
import type { AgentDeps } from "./agent-deps.ts";
import type { EngineFacts } from "./engine/engine.ts";
import { toBootId, toNodeFacts } from "./node/facts.ts";
import { createHealthWatch } from "./loop/health-watch.ts";
import { createImages } from "./loop/images.ts";
import type { JournalEntry } from "./loop/journal.ts";
import { leave } from "./uplink/leave.ts";
import { ExecStreams } from "./asks/exec-streams.ts";
import { createExclusive, type Exclusive } from "./exclusive.ts";
import { LogStreams } from "./asks/log-streams.ts";
import { createKeptSet } from "./loop/memo.ts";
import { Loop } from "./loop/loop.ts";
import { OrderBook } from "./loop/orders.ts";
import type { Picture } from "./loop/picture.ts";
import { Reporter } from "./uplink/reporter.ts";
import { appliedOf, type Applied } from "./uplink/applied.ts";
import { createDirectoryUplink } from "./uplink/directory.ts";
import { Session } from "./uplink/session.ts";
import { Supply } from "./uplink/supply.ts";
import { watchSwarm } from "./uplink/swarm-watch.ts";
import { createUsageMeter } from "./node/usage.ts";

/** An engine that is part of a Swarm. */
export type NodeFactsOfEngine = EngineFacts & { readonly nodeId: string };

/** One life of an agent, from its engine's first answer to its end. */
export interface Life {
  readonly loop: Loop;
  /** How each of its loops is doing. */
  loops(): readonly LoopState[];
  end(): Promise<void>;
}

/** What an earlier life left. */
export interface Kept {
  readonly entry: JournalEntry;
  readonly healthy: readonly string[];
  readonly images: readonly string[];
  readonly directory: readonly string[];
}

/** Usage is read and sent this often. */
const USAGE_EVERY_MS = 10_000;

/** Puts an agent's parts together and sets them going. */
export function beginLife(deps: AgentDeps, first: NodeFactsOfEngine, { entry, ...kept }: Kept): Life {
  const { engine, bus, clock, random, prober, registries, sampler, journal, limits, agentVersion } = deps;
  const { nodeId } = first;
  const sessionId = deps.ids("ses");
  const log = deps.log.child({ nodeId, sessionId });
  const loops = createLoops({ clock, log, random });
  let facts: EngineFacts = first;
  const bootId = (): string => toBootId(deps.machineBootId, facts);
  const hint = (): void => loop.hint();

  const nodeFacts = () => toNodeFacts(facts, { nodeId, sessionId, bootId: bootId(), agentVersion }, limits);
  const assignment = () => book.orders().assignment;
  const applied = () => appliedOf(assignment());
  const reporter = new Reporter({ bus, clock, random, log, loops, nodeId, sessionId, facts: nodeFacts, applied });
  const healthy = createKeptSet(deps.healthyMemo, kept.healthy, log);
  const health = createHealthWatch({ clock, prober, host: () => facts.address, healthy, onChange: hint });
  const pulled = createKeptSet(deps.imagesMemo, kept.images, log);
  const images = createImages({ engine, clock, log, registries, kept: pulled, onProgress: hint });
  const onChange = (): void => (loop.hint(), exclusive.hint());
  const book = new OrderBook({ journal, entry, bootId: bootId(), nodeId, clock, log, onChange });
  const policy = { startLimit: deps.startLimit ?? facts.cores + 1, sandboxImage: deps.sandboxImage };
  let picture: Picture | undefined;
  const show = (seen: Picture): void => (exclusive.sync(), reporter.show((picture = seen)));
  const outlook = { booted: entry.bootId !== bootId(), orders: () => book.orders(), onPicture: show };
  const leasing = { bus, clock, loops, nodeId, assignment, guard: deps.guard, onChange: hint };
  const exclusive: Exclusive = createExclusive({ ...leasing, containers: () => loop.containers() });
  const loop = new Loop({ leases: () => exclusive, engine, clock, log, loops, images, health, policy, ...outlook });
  const uplink = { bus, clock, random, log, loops, nodeId, sessionId, reporter, bootId };
  const directory = createDirectoryUplink({ ...uplink, ...directoryOf(deps, kept, applied) });
  const supply = new Supply({ bus, clock, random, log, nodeId, book });
  const session = new Session({
    ...uplink,
    held: assignment,
    isComplete: () => supply.isComplete(),
    refused: () => book.refused(),
    digest: () => loop.digest(),
    load: () => sampler.load(),
    take: arrived => supply.take(arrived),
    confirm: () => book.confirm(),
  });
  const logStreams = new LogStreams({ engine, bus, clock });
  const execStreams = new ExecStreams({ engine, bus, clock });
  const answering = { bus, log, engine, nodeId, prober, logStreams, execStreams };
  const containers = () => loop.containers();
  const held = () => toHeld(book, picture, containers());
  const asks = answerAsks({ ...answering, containers, held, reportInFull: () => reporter.sayAll() });
  const swarm = watchSwarm({ engine, bus, clock, log, loops, nodeId });
  const events = hearEngine(engine, swarm, loop, () => void refreshFacts());
  const meter = meterUsage(deps, loop, reporter);

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
    loops: () => loops.states(),
    end: async () => {
      await leave({ session, loop, leases: exclusive, orders: () => book.orders(), clock, log });
      for (const part of [asks, session, supply, events, logStreams, execStreams, health, book, meter]) part.close();
      await Promise.all([swarm.close(), directory.close(), exclusive.close(), loop.close(), reporter.close()]);
      sampler.close();
    },
  };
}

/** Where names are kept, what an earlier life kept there, and of which records they have to be. */
function directoryOf({ directoryMemo }: AgentDeps, { directory }: Pick<Kept, "directory">, applied: () => Applied) {
  return { memo: directoryMemo, kept: directory, incarnation: () => applied().incarnation };
}

/** Passes the engine's hints on to those whom they concern. */
function hearEngine(
  engine: AgentDeps["engine"],
  swarm: { hint(): void },
  loop: Loop,
  onReconnected: () => void,
): { close(): void } {
  return engine.events(event => {
    if (event.kind === "node" || event.kind === "reconnected") swarm.hint();
    if (event.kind !== "node" && event.kind !== "network") loop.hear(event);
    if (event.kind === "reconnected") onReconnected();
  });
}

/**
 * What a recovery is told of this node. Before the first look that would be "nothing", and then
 * what runs would be lost.
 */
function toHeld(book: OrderBook, picture: Picture | undefined, containers: readonly ObservedContainer[]): HeldState {
  if (picture === undefined)
    throw new SkepError(
      "unavailable",
      "NOT_LOOKED_YET",
      "The agent has not seen its engine yet; ask again in a moment.",
    );
  const { volumes } = picture;
  return { ...book.kept(), present: toPresent(picture, containers), volumes, refused: book.refused() };
}

function meterUsage({ clock, sampler }: AgentDeps, loop: Loop, reporter: Reporter): { close(): void } {
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
  return { close: () => closing.abort() };
}
