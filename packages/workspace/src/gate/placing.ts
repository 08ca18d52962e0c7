import type { GatePlace } from "@skep/core/workspace/broker.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { deviceUser } from "@skep/core/workspace/device.ts";
import type { Log } from "@skep/kit/log.ts";
import { isInPlace, type Brokers } from "./brokers.ts";
import type { GateApi } from "./gate-api.ts";
import type { Roll } from "./roll.ts";

/** Sees to it that devices are at the broker where they are to be. */
export interface Placing {
  /** Tells the schedulers at which brokers devices are, and ends those who are to be elsewhere. */
  report(): Promise<void>;
  /** Tells that nothing is open any more. */
  leave(): Promise<void>;
}

/** What it works with. */
export interface PlacingOptions {
  readonly gateId: string;
  readonly api: Pick<GateApi, "place">;
  readonly roll: Pick<Roll, "lives">;
  readonly brokers: Brokers;
  readonly log: Log;
}

/**
 * Makes one. Of a workspace that was switched lately the gate tells also when nobody is connected:
 * only so is known that it lets nobody in by what it heard before.
 */
export function createPlacing({ gateId, api, roll, brokers, log }: PlacingOptions): Placing {
  let seq = 0;
  let switched: readonly WorkspaceId[] = [];

  function placesNow(): readonly GatePlace[] {
    const places = new Map<WorkspaceId, GatePlace>();
    for (const { device, place } of roll.lives()) {
      const { workspaceId } = device;
      const { serial, connections } = places.get(workspaceId) ?? { serial: Infinity, connections: 0 };
      places.set(workspaceId, {
        workspaceId,
        serial: Math.min(serial, place.serial),
        connections: connections + 1,
      });
    }
    for (const workspaceId of switched) {
      const serial = brokers.of(workspaceId)?.serial;
      if (serial === undefined || places.has(workspaceId)) continue;
      places.set(workspaceId, { workspaceId, serial, connections: 0 });
    }
    return [...places.values()];
  }

  return {
    report: async () => {
      const told = await api.place({ gateId, seq: ++seq, places: placesNow() });
      brokers.note(told);
      switched = told.flatMap(one => (one.isSwitched ? [one.workspaceId] : []));
      for (const live of [...roll.lives()]) {
        if (isInPlace(live.place, brokers.of(live.device.workspaceId))) continue;
        log.debug("gate.moved", `${deviceUser(live.device)} is to be at another broker: it is ended there.`);
        live.move();
      }
    },
    leave: () => api.place({ gateId, seq: ++seq, places: [], isLeaving: true }).then(() => undefined),
  };
}
