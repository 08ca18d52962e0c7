import { needsOwn } from "@skep/core/workspace/move.ts";
import { endLife, type Platform } from "../platform.ts";
import type { Engines } from "./containers.ts";
import type { SimHost } from "./hosts.ts";

/** Pods of workspaces that have, or move to, a host of their own. */
export interface SimPods {
  /** The present host of a workspace's own pod. */
  hostOf(workspaceId: string): SimHost | undefined;
  /** Its process ends, and begins again after a while. */
  crash(workspaceId: string, forMs: number): void;
}

const LOOKS_MS = 500;
const GONE_MS = 3_000;

/**
 * Begins to keep them, as the platform's own deployments do: one begins when its workspace needs
 * it, and is gone with its volumes some time after it does not.
 */
export function keepPods(
  platform: Platform,
  engines: Pick<Engines, "broker" | "databases">,
  start: (workspaceId: string) => SimHost,
): SimPods {
  const pods = new Map<string, SimHost>();
  const idle = new Map<string, number>();
  const held = new Map<string, number>();
  const look = (): void => {
    const { workspaces, workspaceMoves } = platform.database.records;
    const now = platform.clock.now();
    for (const id of new Set([...workspaces.keys(), ...pods.keys()])) {
      const mode = workspaces.get(id)?.connector.config.resources.type;
      const isNeeded = mode !== undefined && needsOwn(mode, workspaceMoves.get(id));
      const pod = pods.get(id);
      if (isNeeded) idle.delete(id);
      if (isNeeded && pod?.life.alive() !== true && (held.get(id) ?? 0) <= now) pods.set(id, start(id));
      if (isNeeded || pod === undefined) continue;
      idle.set(id, idle.get(id) ?? now);
      if (now - idle.get(id)! < GONE_MS) continue;
      endLife(platform, pod.life.name);
      pods.delete(id);
      engines.broker.remove(id);
      engines.databases.remove(id);
    }
  };
  void (async () => {
    for (;;) {
      look();
      await platform.clock.sleep(LOOKS_MS);
    }
  })();
  return {
    hostOf: id => pods.get(id),
    crash: (id, forMs) => {
      const pod = pods.get(id);
      if (pod === undefined) return;
      held.set(id, platform.clock.now() + forMs);
      endLife(platform, pod.life.name);
    },
  };
}
