import type { MemoryEngine } from "../engine/memory.ts";
import { GUARD_GRACE_MS } from "@skep/core/model/lease.ts";
import type { Ender } from "./ender.ts";

/** The twin: it ends the containers of an engine in memory. */
export function createMemoryEnder(engine: MemoryEngine): Ender {
  return {
    end: async containerId => {
      const container = engine.containers().find(one => one.id === containerId);
      if (container === undefined) return false;
      if (container.identity === undefined) throw new Error(`Container ${containerId} is not ours: it runs on.`);
      if (container.state !== "running") return false;
      await engine.stop(containerId, GUARD_GRACE_MS);
      return true;
    },
  };
}
