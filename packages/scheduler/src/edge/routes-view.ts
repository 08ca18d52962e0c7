import { traefikConfig } from "@skep/core/routing/traefik-config.ts";
import { createWake } from "@skep/kit/wake.ts";
import { createOutage } from "../loop/outage.ts";
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
export function createRoutesView(ports: Pick<LoopPorts, "store" | "clock" | "log" | "random">): RoutesView {
  const { store, clock, log } = ports;
  const outage = createOutage("routes", ports);
  let current: string | undefined;
  let running: Running | undefined;

  async function read(): Promise<void> {
    const { routes, locations, nodes } = await store.loadEdge();
    outage.succeeded();
    const next = JSON.stringify(traefikConfig(routes, locations, nodes));
    if (next === current) return;
    if (current === undefined) log.info("routes.loaded", "The routes are known.", { routes: routes.length });
    else log.info("routes.changed", "The routes changed.", { routes: routes.length });
    current = next;
  }

  return {
    current: () => current,
    follow: hints => {
      const wake = createWake(read, { minGapMs: GAP_MS, periodMs: PERIOD_MS }, clock, error => {
        wake.at(clock.now() + outage.failed(error));
      });
      const subscription = hints.subscribe(() => wake.hint());
      wake.hint();
      running = {
        close: () => {
          subscription.close();
          return wake.close();
        },
      };
    },
    close: async () => running?.close(),
  };
}
