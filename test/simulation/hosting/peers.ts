import { SkepError } from "@skep/core/error.ts";
import type { PortableDatabase } from "@skep/workspace/database/portable.ts";
import type { FindPeer } from "@skep/workspace/move/peer.ts";
import type { Life } from "../life.ts";
import type { Platform } from "../platform.ts";
import type { HostStart, HostWay, SimHost } from "./hosts.ts";

/**
 * The other halves of workspaces as one host reaches them: calls take their time, and get lost
 * where either is cut off. What was sent is done though nobody hears of it.
 */
export function peersOf(platform: Platform, life: Life, way: HostWay, processOf: HostStart["processOf"]): FindPeer {
  const chance = platform.chance(`peers of ${life.name} ${platform.clock.now()}`);
  return (address, { id }) => {
    const name = address.replace(/:\d+$/, "");
    const passes = async (clock: Pick<Life["clock"], "sleep">, other: SimHost | undefined): Promise<void> => {
      await clock.sleep(1 + chance.between(0, way.delayMs));
      const isThere = other?.life.alive() === true && !other.life.paused() && !other.way.isCut && !way.isCut;
      if (!isThere || chance.happens(way.drop))
        throw new SkepError("unavailable", "LOST", "The other half was not reached.");
    };
    const call = async <T>(run: (there: PortableDatabase) => Promise<T>): Promise<T> => {
      const other = processOf(name, id);
      await passes(platform.clock, other);
      const movable = other?.workspaces.half(id)?.portable;
      if (movable === undefined)
        throw new SkepError("failed_precondition", "WORKSPACE_NOT_MOVING", "It does not move there, or reads.");
      const answer = await run(movable);
      await passes(life.clock, other);
      return answer;
    };
    return {
      importAll: (...args) => call(there => there.importAll(...args)),
      keysPage: (...args) => call(there => there.keysPage(...args)),
    };
  };
}
