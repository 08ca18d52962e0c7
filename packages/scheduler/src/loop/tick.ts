import { applyPlan } from "@skep/core/world/apply.ts";
import type { Look } from "@skep/core/decide/decide.ts";
import { lookAround } from "@skep/core/decide/look-around.ts";
import type { Plan } from "@skep/core/world/plan.ts";
import type { World } from "@skep/core/world/world.ts";
import { withStamp } from "@skep/core/identity/assignment-line.ts";
import type { Committed } from "../store/commit-result.ts";
import { ASIDE_DEPLOYMENTS, createAsideNews } from "./aside-news.ts";
import type { Blocks } from "./blocks.ts";
import { createDecisionKeeper } from "./decision-keeper.ts";
import type { Hints } from "./hints.ts";
import type { Leadership } from "./leader.ts";
import type { Liveness } from "./liveness.ts";
import { createMissingRows } from "./missing-rows.ts";
import { newsOf } from "@skep/core/world/plan-news.ts";
import type { LoopPorts, Running } from "./ports.ts";
import type { RecordsGuard } from "./records-guard.ts";
import type { Removals } from "./removals.ts";

/** The leader's loop: load, decide, commit, tell. */
export interface Tick extends Running {
  /** Something may have changed: look soon. */
  wake(): void;
}

/** What the tick works with beside the ports. */
export interface TickOptions {
  readonly leadership: Leadership;
  /** Who tells the nodes of the world as it is recorded. */
  readonly assignments: { tell(world: World): void };
  readonly guard: RecordsGuard;
  /** They stand in what is told. */
  readonly removals: Removals;
  readonly liveness: Liveness;
  readonly hints: Hints;
  readonly blocks: Pick<Blocks, "saw">;
  /**
   * A row has vanished: the agents are to be asked. Called with each look until it is back or given
   * up.
   */
  readonly onMissingRow: () => void;
}

/**
 * The first wake is answered at once; those that follow within this time share one look. A look
 * takes about as long, and what comes meanwhile shares the next one.
 */
const GAP_MS = 5;
const PERIOD_MS = 1_000;

/**
 * Begins to tick. A plan that was refused as stale changed nothing: the next look sees what was
 * newer.
 */
export function createTick(ports: LoopPorts, options: TickOptions): Tick {
  const { store, clock, log, loops, settings } = ports;
  const { leadership, guard, assignments, removals, liveness, hints } = options;
  const missingRows = createMissingRows(settings);
  let closed = false;
  let look: Look | undefined;
  const decisions = createDecisionKeeper(ports);
  const asideNews = createAsideNews(ports);

  async function run(): Promise<void> {
    const listenForMs = guard.listenForMs();
    if (listenForMs > 0) return loop.at(clock.now() + listenForMs);
    await removals.load();
    const held = guard.holdings();
    const recorded = await store.loadWorld();
    if (closed || !leadership.holds()) return;
    const now = clock.now();
    const { world: known, isWaiting } = missingRows.withhold(recorded, now);
    if (isWaiting) options.onMissingRow();
    const world = await guard.admit(liveness.overlay(known), held);
    if (world === undefined || closed || !leadership.holds()) return;
    options.blocks.saw(world.nodes);
    look = lookAround(world, settings, now, look);
    const { plan } = look;
    // With nothing to change, somebody may still have missed what was decided before.
    if (plan.changes.length === 0) assignments.tell(world);
    else await commit(plan, world, now);
    if (plan.wakeAt !== undefined) loop.at(plan.wakeAt);
    await tellAside(look);
  }

  async function tellAside({ aside }: Look): Promise<void> {
    const events = asideNews(aside, ASIDE_DEPLOYMENTS);
    if (events.length === 0) return;
    hints.tell({ events });
    await decisions.keep(events);
  }

  async function commit(plan: Plan, world: World, now: number): Promise<void> {
    const result = await store.commit(plan, leadership, now);
    if (result.kind === "stale") {
      log.debug("plan.stale", "The plan was based on what has changed meanwhile; looking again.", {
        because: result.because,
      });
      if (leadership.holds()) loop.hint();
      return;
    }
    const after = withRevisions(applyPlan(world, plan, now), result);
    if (leadership.holds()) assignments.tell(after);
    const news = newsOf(plan, world, now);
    for (const { kind, sentence, ...fields } of news.decisions) log.info(kind, sentence, fields);
    hints.tell({ events: news.decisions, deploymentIds: news.deploymentIds, nodeIds: news.nodeIds });
    // Whoever waits for the next look waits for no history.
    await decisions.keep(news.decisions);
  }

  const loop = loops.begin("tick", run, { minGapMs: GAP_MS, periodMs: PERIOD_MS });
  loop.hint();
  return {
    wake: () => loop.hint(),
    close: async () => {
      closed = true;
      await loop.close();
      await decisions.close();
    },
  };
}

/**
 * The world as committed, without the nodes that somebody else wrote to since it was loaded (a row
 * was written back): their revision rose by more than this commit's one, and tells of more than
 * this world has. An agent takes each revision once, so they are told after the next look.
 */
function withRevisions(world: World, { revisions, stamp }: Committed): World {
  const nodes = world.nodes.flatMap(node => {
    const assignmentRevision = revisions.get(node.id);
    if (assignmentRevision === undefined) return node;
    if (assignmentRevision !== node.assignmentRevision + 1) return [];
    return { ...node, assignmentRevision, assignmentStamps: withStamp(node.assignmentStamps, stamp) };
  });
  return { ...world, nodes };
}
