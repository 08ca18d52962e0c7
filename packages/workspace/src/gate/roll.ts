import { deviceUser, shownTopic, type DeviceKey } from "@skep/core/workspace/device.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Place } from "./brokers.ts";
import { MOST_ASKED, type ConnectedDevice, type GateApi } from "./gate-api.ts";

/** A connection that may have to end. */
export interface Live {
  readonly device: DeviceKey;
  readonly version: number;
  /** The broker where it is. */
  readonly place: Place;
  /** Its right has ended. */
  revoke(): void;
  /** It is to be at another broker. */
  move(): void;
}

/** Who is connected, and what was denied to whom. */
export interface Roll {
  enter(live: Live): void;
  leave(live: Live): void;
  denied(device: DeviceKey, topic: string): void;
  readonly size: number;
  lives(): Iterable<Live>;
  /** Tells the schedulers, and ends whose right has ended. Rejects while none answers. */
  report(): Promise<void>;
}

/** That a device was seen is told again after this long. */
const SEEN_EACH_MS = 60_000;
/** Devices whose denials are kept while no scheduler answers. */
const MOST_DENIED = 10_000;

interface Denial {
  readonly device: DeviceKey;
  count: number;
  topic: string;
}

/** Makes one. `forget` hears of each device whose right has ended. */
export function createRoll(api: GateApi, clock: Clock, log: Log, forget: (device: DeviceKey) => void): Roll {
  const lives = new Set<Live>();
  const seenAtMs = new Map<Live, number>();
  let denials = new Map<string, Denial>();

  function takeDenial(device: DeviceKey): { readonly denied: number; readonly deniedTopic: string } {
    const user = deviceUser(device);
    const denial = denials.get(user);
    denials.delete(user);
    return { denied: denial?.count ?? 0, deniedTopic: denial?.topic ?? "" };
  }

  function note(device: DeviceKey, topic: string, count: number): void {
    const user = deviceUser(device);
    const known = denials.get(user);
    if (known !== undefined) known.count += count;
    else if (denials.size < MOST_DENIED) denials.set(user, { device, count, topic: shownTopic(topic) });
    if (known !== undefined) known.topic = shownTopic(topic);
  }

  async function tell(batch: readonly { readonly live: Live | undefined; readonly told: ConnectedDevice }[]) {
    const mayStay = await api.report(batch.map(one => one.told));
    for (const [index, { live, told }] of batch.entries()) {
      if (live === undefined) continue;
      if (told.seen) seenAtMs.set(live, clock.monotonic());
      if (mayStay[index] === true || !lives.has(live)) continue;
      log.info("gate.revoked", `The right of ${deviceUser(live.device)} has ended, and so does its connection.`);
      forget(live.device);
      live.revoke();
    }
  }

  return {
    get size() {
      return lives.size;
    },
    lives: () => lives,
    enter: live => void lives.add(live),
    leave: live => {
      lives.delete(live);
      seenAtMs.delete(live);
    },
    denied: (device, topic) => note(device, topic, 1),
    report: async () => {
      const now = clock.monotonic();
      const connected = [...lives].map(live => {
        const { device, version } = live;
        const seen = now - (seenAtMs.get(live) ?? -Infinity) >= SEEN_EACH_MS;
        return { live, told: { ...device, version, seen, ...takeDenial(device) } };
      });
      const gone = [...denials.values()].map(({ device }) => ({
        live: undefined,
        told: { ...device, version: 0, seen: true, ...takeDenial(device) },
      }));
      const all = [...connected, ...gone];
      for (let at = 0; at < all.length; at += MOST_ASKED) {
        try {
          await tell(all.slice(at, at + MOST_ASKED));
        } catch (error) {
          for (const { told } of all.slice(at)) if (told.denied > 0) note(told, told.deniedTopic, told.denied);
          throw error;
        }
      }
    },
  };
}
