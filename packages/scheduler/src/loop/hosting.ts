import { isEmptyPlan, type HostingPlan, type HostingRecords } from "@skep/core/workspace/hosting-plan.ts";
import type { MigrationTimes } from "@skep/core/workspace/migration-state.ts";
import { planAround } from "@skep/core/workspace/plan-around.ts";
import type { HostLiveness } from "@skep/core/workspace/plan-hosting.ts";
import { createAsideNews, type AsideOf } from "./aside-news.ts";
import { createAttention } from "./attention.ts";
import { createDecisionKeeper } from "./decision-keeper.ts";
import type { Hints } from "./hints.ts";
import { createHostWatch, DOWN_AFTER_MS, type HostWatch } from "./host-watch.ts";
import { hostNews, hostingNews, type HostNews } from "./hosting-news.ts";
import { guideDevices } from "./move-guide.ts";
import type { Leadership } from "./leader.ts";
import { createPods, type PodMaking } from "./pods.ts";
import type { LoopPorts, Running } from "./ports.ts";
import type { RecordsGuard } from "./records-guard.ts";
import { createWrittenPlacements } from "./written-placements.ts";

/** The leader's loop that gives each workspace its host. */
export interface Hosting extends Running {
  /** Something may have changed: look soon. */
  wake(): void;
}

/** What it works with beside the ports. */
export interface HostingOptions {
  readonly leadership: Leadership;
  readonly guard: Pick<RecordsGuard, "listenForMs">;
  readonly hints: Hints;
  /** How long the stages of a move may take; as for a fleet where it is undefined. */
  readonly moveTimes: MigrationTimes | undefined;
  readonly pods: PodMaking;
  /** Deployments were written: the tick is to look. */
  readonly wake: () => void;
}

/** Hints that follow one another within this time share one look. */
const GAP_MS = 20;
/** Silence has to be noticed though nothing happens. */
const PERIOD_MS = 500;
/**
 * Leases are looked at more often: silence counts from when a lease was seen, so a workspace waits
 * this much longer for its next host.
 */
const LEASES_MS = 100;
const STALE = "The plan of who runs which workspace was based on what has changed meanwhile; looking again.";
const LOST = "The records have lost placements; waiting until nobody reads by them any more.";

/**
 * Begins to look. Nothing is decided before this leader has listened for as long as a lease may
 * last that other records gave: where an older copy of the database was put back, whoever owned
 * what by the newer one reads nothing any more when the first workspace is placed anew. It listens
 * again where the records have lost a placement of its own. While the records are known not to be
 * the fleet's, nothing is decided at all.
 */
export function createHosting(ports: LoopPorts, options: HostingOptions): Hosting {
  const { store, clock, log, loops } = ports;
  const { leadership, guard, hints } = options;
  const watch = watchHosts(ports);
  const decisions = createDecisionKeeper(ports);
  const pods = createPods(ports, { leadership, making: options.pods, wake: options.wake });
  const placements = createWrittenPlacements();
  const asideNews = createAsideNews(ports);
  let listensSinceMs = 0;
  let closed = false;
  let believed: HostLiveness | undefined;

  async function run(): Promise<void> {
    const listenForMs = Math.max(guard.listenForMs(), DOWN_AFTER_MS - (watch.awakeMs() - listensSinceMs));
    const { unrecovered } = await store.loadIdentity();
    const records = await store.loadHosting();
    if (closed || !leadership.holds()) return;
    const liveness = watch.see(records.hosts);
    if (placements.haveLost(records)) {
      log.warn("hosting.lost", LOST);
      listensSinceMs = watch.awakeMs();
      return loop.hint();
    }
    if (listenForMs > 0) return loop.at(clock.now() + Math.min(listenForMs, PERIOD_MS));
    if (unrecovered !== undefined) return;
    const changed = believed === undefined ? [] : changedHosts(records, believed, liveness);
    believed = liveness;
    const news = await pods.look();
    const gates = await guideDevices(store, records.moves, leadership, clock.now(), options.moveTimes);
    const facts = { liveness, gates, now: clock.now(), moveTimes: options.moveTimes, pods: news };
    const { plan, aside } = planAround(records, facts);
    const written = isEmptyPlan(plan) ? false : await commit(plan);
    // Of one that moves, a half is placed at a time.
    if (written && records.moves.length > 0) loop.hint();
    const placed = written ? hostingNews(plan, records, clock.now()) : [];
    const told = [...news.decisions, ...hostNews(changed, clock.now()), ...placed];
    for (const { kind, sentence, at: _, ...fields } of told) log.info(kind, sentence, fields);
    const events = [...told, ...asideNews(aside, asideOf(records))];
    if (events.length > 0) {
      hints.tell({ events });
      await decisions.keep(events);
    }
    const nextMs = watch.nextMs();
    if (nextMs !== undefined) loop.at(clock.now() + nextMs);
  }

  async function commit(plan: HostingPlan): Promise<boolean> {
    const result = await store.commitHosting(plan, leadership, clock.now());
    if (result.kind === "committed") {
      placements.wrote(plan);
      return true;
    }
    log.debug("hosting.stale", STALE, { because: result.because });
    if (leadership.holds()) loop.hint();
    return false;
  }

  const loop = loops.begin("hosting", run, { minGapMs: GAP_MS, periodMs: PERIOD_MS });
  loop.hint();
  return {
    wake: () => loop.hint(),
    close: async () => {
      closed = true;
      await loop.close();
      await decisions.close();
      await watch.close();
    },
  };
}

interface Watching extends HostWatch, Running {
  /** How long this process was awake. */
  awakeMs(): number;
}

/** Watches hosts by what each look tells it, and by the counts of their leases in between. */
function watchHosts({ store, clock, loops }: LoopPorts): Watching {
  const attention = createAttention(clock);
  const watch = createHostWatch(() => attention.ms());
  async function count(): Promise<void> {
    if (watch.knowsAny()) watch.see(await store.countHostLeases());
  }
  const counting = loops.begin("host leases", count, { minGapMs: LEASES_MS, periodMs: LEASES_MS });
  return {
    ...watch,
    awakeMs: attention.ms,
    close: async () => {
      await counting.close();
      attention.close();
    },
  };
}

function asideOf({ workspaces }: HostingRecords): AsideOf {
  return { what: "workspace", tenantOf: id => workspaces.find(one => one.id === id)?.tenantId };
}

/** Hosts of which something else is believed than a moment ago, for people. */
function changedHosts({ hosts }: HostingRecords, before: HostLiveness, after: HostLiveness): readonly HostNews[] {
  return hosts.flatMap(({ id, nodeId }) => {
    const [from, to] = [before.get(id), after.get(id)];
    return to === undefined || from === to ? [] : [{ id, nodeId, from, to }];
  });
}
