import type { Unrecovered } from "@skep/core/identity/platform-identity.ts";
import type { Holding } from "@skep/core/identity/records-age.ts";
import type { Node, NodeId } from "@skep/core/model/node.ts";
import type { Beats } from "../loop/beats.ts";
import type { LoopPorts, Running } from "../loop/ports.ts";
import { holdingsOf, LISTEN_MS } from "../loop/records-guard.ts";
import { createEdgeConfig } from "./edge-config.ts";
import { judgeEdge, type JudgedEdge } from "./routes-guard.ts";

/** What every edge is to route, kept at hand. */
export interface RoutesView extends Running {
  /**
   * Traefik's dynamic configuration as JSON. `undefined` before the first, and once the database
   * has been away for so long that other tenants may have got the ports it names.
   */
  current(): string | undefined;
  /** Version of what is current, which the edges' canary answers. */
  version(): string | undefined;
  /**
   * When a version ceased to be current, by the monotonic clock; `undefined` where it was never
   * known here.
   */
  supersededMs(version: string): number | undefined;
  /** Whether the records were the fleet's when they were last read; `false` before that. */
  areOurs(): boolean;
  /** How long this process has seen that they are marked as not the fleet's; 0 where not. */
  unrecoveredMs(): number;
  /** Agents that claimed to be ahead of the records as last read, and cannot show it. */
  unproven(): readonly NodeId[];
  /** Whether what an agent says comes from such a claim. */
  isUnproven(held: Holding): boolean;
  /** The nodes as they were last read. */
  nodes(): readonly Node[];
  /**
   * Reads again when something may have changed; without a hint each second. What the agents say
   * that they work by shows whether the records are the fleet's.
   */
  follow(hints: { subscribe(handle: () => void): { close(): void } }, agents: Agents): void;
}

type Agents = Pick<Beats, "all" | "listenedMs">;

/** However many hints and edges there are, the routes are read at most this often. */
const GAP_MS = 250;
const PERIOD_MS = 1_000;
const MOST_VERSIONS = 10_000;
/** With the bus away no agent can be heard, and the routes are needed all the same. */
const LISTEN_AT_MOST_MS = 10_000;

/** The default of how old served routes may be; far below the quarantine of ports. */
export const ROUTES_MAX_AGE_MS = 30_000;

/** That the records were marked as not the fleet's at a time, and since when it is known here. */
interface Mark {
  readonly at: number;
  readonly sinceMs: number;
}

function markOf(unrecovered: Unrecovered | undefined, known: Mark | undefined, nowMs: number): Mark | undefined {
  if (unrecovered === undefined || known?.at === unrecovered.at) return unrecovered && known;
  return { at: unrecovered.at, sinceMs: nowMs };
}

/** One for all replicas that a process runs, as a simulation does: they read the same rows. */
const configOf = createEdgeConfig();

/** Makes the view; nothing is read before it follows. */
export function createRoutesView(
  ports: Pick<LoopPorts, "store" | "log" | "loops" | "clock"> & { readonly workspacesDomain?: string },
  maxAgeMs: number = ROUTES_MAX_AGE_MS,
): RoutesView {
  const { store, log, loops, clock } = ports;
  let known: { readonly text: string; readonly version: string; readonly nodes: readonly Node[] } | undefined;
  let readMs = 0;
  let areOurs = false;
  let marked: Mark | undefined;
  let judged: JudgedEdge | undefined;
  let running: Running | undefined;
  const superseded = new Map<string, number>();

  /** The old routes stay, up to their age, as when the database is away: edges keep theirs then. */
  async function read(agents: Agents): Promise<void> {
    const held = holdingsOf(agents);
    // What is read is as old as the question: the answer may wait long before this process goes on.
    const askedMs = clock.monotonic();
    const edge = await store.loadEdge();
    judged = judgeEdge(held, edge);
    const { because } = judged;
    areOurs = because === undefined;
    marked = markOf(edge.identity.unrecovered, marked, clock.monotonic());
    if (because !== undefined) throw new Error(`The routes are withheld: ${because}.`);
    const { routes, nodes } = edge;
    readMs = askedMs;
    const { text, version } = configOf(edge, ports.workspacesDomain);
    if (version === known?.version) {
      known = { ...known, nodes };
      return;
    }
    if (known === undefined) log.info("routes.loaded", "The routes are known.", { routes: routes.length });
    else {
      log.info("routes.changed", "The routes changed.", { routes: routes.length });
      superseded.delete(known.version);
      superseded.set(known.version, askedMs);
      if (superseded.size > MOST_VERSIONS) superseded.delete(superseded.keys().next().value!);
    }
    known = { text, version, nodes };
  }

  const isFresh = (): boolean => clock.monotonic() - readMs <= maxAgeMs;
  return {
    current: () => (isFresh() ? known?.text : undefined),
    version: () => (isFresh() ? known?.version : undefined),
    supersededMs: version => superseded.get(version),
    nodes: () => known?.nodes ?? [],
    areOurs: () => areOurs,
    unproven: () => judged?.unproven ?? [],
    isUnproven: held => judged?.isUnproven(held) ?? false,
    unrecoveredMs: () => (marked === undefined ? 0 : clock.monotonic() - marked.sinceMs),
    follow: (hints, agents) => {
      const sinceMs = clock.monotonic();
      const hasListened = (): boolean =>
        agents.listenedMs() >= LISTEN_MS || clock.monotonic() - sinceMs >= LISTEN_AT_MOST_MS;
      const run = async (): Promise<void> => (hasListened() ? read(agents) : undefined);
      const loop = loops.begin("routes", run, { minGapMs: GAP_MS, periodMs: PERIOD_MS });
      const subscription = hints.subscribe(() => loop.hint());
      loop.hint();
      running = {
        close: () => {
          subscription.close();
          return loop.close();
        },
      };
    },
    close: async () => running?.close(),
  };
}
