import {
  DEFAULT_BANS,
  isBanned,
  isForgotten,
  NO_OFFENDER,
  offend,
  type BanPolicy,
  type Offender,
} from "@skep/core/workspace/ban.ts";
import { addressKey } from "@skep/kit/connections.ts";

/** One address that is kept out. */
export interface Ban {
  /** The address, or the /64 network of an IPv6 one. */
  readonly address: string;
  /** Until when, ms since 1970. */
  readonly until: number;
  /** How many bans it had, this one included. */
  readonly bans: number;
}

/** Who misbehaved, and who is kept out for it (R123). */
export interface Bans {
  /** Counts an offence; answers whether the address is banned now. */
  offend(address: string): boolean;
  /** Until when the address is kept out; 0 where it is not. */
  bannedUntil(address: string): number;
  list(): readonly Ban[];
  /** Forgets all that the address did; answers whether anything was known. */
  unban(address: string): boolean;
}

/** Addresses that are remembered at once. */
const MOST_ADDRESSES = 10_000;

/** Makes one for a workspace, or for what names no workspace. */
export function createBans(now: () => number, policy: BanPolicy = DEFAULT_BANS, most = MOST_ADDRESSES): Bans {
  const offenders = new Map<string, Offender>();
  let sweptAt = -Infinity;

  /** Makes room for one more. A sender with many addresses must not free those that are banned. */
  function makeRoom(): boolean {
    if (offenders.size < most) return true;
    if (now() - sweptAt >= 1_000) {
      sweptAt = now();
      for (const [key, offender] of offenders) if (isForgotten(offender, policy, now())) offenders.delete(key);
    }
    if (offenders.size < most) return true;
    for (const [key, offender] of offenders) {
      if (isBanned(offender, now())) continue;
      return offenders.delete(key);
    }
    return false;
  }

  return {
    offend: address => {
      const key = addressKey(address);
      const known = offenders.get(key);
      if (known === undefined && !makeRoom()) return false;
      const offender = offend(known ?? NO_OFFENDER, policy, now());
      offenders.set(key, offender);
      return isBanned(offender, now());
    },
    bannedUntil: address => {
      const offender = offenders.get(addressKey(address));
      return offender !== undefined && isBanned(offender, now()) ? offender.bannedUntil : 0;
    },
    list: () =>
      [...offenders]
        .filter(([, offender]) => isBanned(offender, now()))
        .map(([address, { bannedUntil, bans }]) => ({ address, until: bannedUntil, bans })),
    unban: address => offenders.delete(address) || offenders.delete(addressKey(address)),
  };
}
