import { traefikConfig } from "@skep/core/routing/traefik-config.ts";
import type { LoopPorts, Running } from "../loop/ports.ts";

/** What every edge is to route, kept at hand. */
export interface RoutesView extends Running {
  /** Traefik's dynamic configuration as JSON; the last good one while the database is away, `undefined` before the first. */
  current(): string | undefined;
  /** Reads again when something may have changed; without a hint each second. */
  follow(hints: { subscribe(handle: () => void): { close(): void } }): void;
}

/** However many hints and edges there are, the routes are read at most this often. */
const GAP_MS = 250;
const PERIOD_MS = 1_000;

/** Makes the view; nothing is read before it follows. */
export function createRoutesView(ports: Pick<LoopPorts, "store" | "log" | "loops">): RoutesView {
  const { store, log, loops } = ports;
  let current: string | undefined;
  let running: Running | undefined;

  async function read(): Promise<void> {
    const { routes, locations, nodes } = await store.loadEdge();
    const next = JSON.stringify(traefikConfig(routes, locations, nodes));
    if (next === current) return;
    if (current === undefined) log.info("routes.loaded", "The routes are known.", { routes: routes.length });
    else log.info("routes.changed", "The routes changed.", { routes: routes.length });
    current = next;
  }

  return {
    current: () => current,
    follow: hints => {
      const loop = loops.begin("routes", read, { minGapMs: GAP_MS, periodMs: PERIOD_MS });
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
