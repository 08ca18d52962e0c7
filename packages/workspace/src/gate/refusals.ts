import { DEFAULT_BANS } from "@skep/core/workspace/ban.ts";
import { createBans, type Bans } from "../events/bans.ts";

/** Who showed a wrong secret, and is not asked about for a while (R122, R123). */
export interface Refusals {
  refused(address: string, user: string): void;
  isBanned(address: string, user: string): boolean;
}

/**
 * A network of mobile devices has one address for thousands: what one of them does wrong must not
 * keep the others out. So it is the address together with the user name that is banned first, and
 * an address as a whole only after many more.
 */
const OF_ADDRESS = { ...DEFAULT_BANS, offences: 300 };

/** Makes one. */
export function createRefusals(now: () => number): Refusals {
  const addresses = createBans(now, OF_ADDRESS);
  const users = new Map<string, Bans>();
  const MOST_USERS = 10_000;
  return {
    refused: (address, user) => {
      addresses.offend(address);
      if (user === "") return;
      let bans = users.get(user);
      if (bans === undefined) {
        if (users.size >= MOST_USERS) for (const oldest of users.keys()) if (users.delete(oldest)) break;
        users.set(user, (bans = createBans(now, DEFAULT_BANS, 100)));
      }
      bans.offend(address);
    },
    isBanned: (address, user) => addresses.bannedUntil(address) > 0 || (users.get(user)?.bannedUntil(address) ?? 0) > 0,
  };
}
