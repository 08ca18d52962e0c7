import type { ResourceLimits } from "@skep/core/workspace/connector.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Socket } from "socket.io";
import type { Bans } from "./bans.ts";
import { countRefusal, type EventCounts } from "./counts.ts";
import { overLimit, Refusal } from "./refusal.ts";
import type { Subscriber } from "./subscriber.ts";
import type { Grant, Lock } from "./token.ts";

/** Who may come into a workspace, and who must go. */
export interface Gate {
  /** Lets a socket pass. @throws Refusal */
  admit(socket: Socket): Promise<void>;
  /** What the socket was let in with. */
  grantOf(socket: Socket): Grant | undefined;
  /** Counts that a socket sends more than it may; it may be banned for it. */
  flood(subscriber: Subscriber): void;
}

/** What a gate looks at. */
export interface GateSurroundings {
  readonly clock: Clock;
  readonly bans: Bans;
  readonly lock: Lock;
  readonly counts: EventCounts;
  readonly addressOf: (socket: Socket) => string;
  readonly isClosed: () => boolean;
  readonly limits: () => ResourceLimits;
  /** Sockets that are in. */
  readonly held: () => number;
  /** Ends the sockets of whoever is banned now. */
  readonly endBanned: () => void;
}

/** An expired token is no guess, and its owner comes back with a new one. */
const OFFENCES: ReadonlySet<string> = new Set([
  "NO_CREDENTIALS",
  "WRONG_SECRET",
  "TOKEN_INVALID",
  "TOKEN_OF_ANOTHER_WORKSPACE",
]);

/** Makes the gate of one workspace. */
export function createGate(around: GateSurroundings): Gate {
  const { bans, clock, counts } = around;
  const grants = new WeakMap<Socket, Grant>();

  function offend(address: string): void {
    if (bans.offend(address)) around.endBanned();
  }

  async function check(socket: Socket): Promise<Grant> {
    if (around.isClosed()) throw new Refusal("WORKSPACE_CLOSED", "The workspace is closed.");
    const address = around.addressOf(socket);
    refuseBanned(bans, address, clock);
    const credentials: unknown = socket.handshake.auth;
    // Nobody who prints the handshake later shall find a secret in it.
    socket.handshake.auth = {};
    try {
      const grant = await around.lock.open(credentials);
      // Others may have been banned, and come in, while the token was verified.
      refuseBanned(bans, address, clock);
      const { sockets } = around.limits();
      if (around.held() >= sockets) throw overLimit("sockets", sockets);
      return grant;
    } catch (error) {
      if (error instanceof Refusal && OFFENCES.has(error.data.reason)) offend(address);
      throw error;
    }
  }

  return {
    admit: async socket => {
      try {
        grants.set(socket, await check(socket));
      } catch (error) {
        const refusal =
          error instanceof Refusal ? error : new Refusal("BAD_REQUEST", "The credentials cannot be read.");
        countRefusal(counts, refusal.data.reason);
        throw refusal;
      }
    },
    grantOf: socket => grants.get(socket),
    flood: subscriber => offend(subscriber.address),
  };
}

/** @throws Refusal where the address is kept out. */
function refuseBanned(bans: Bans, address: string, clock: Clock): void {
  const until = bans.bannedUntil(address);
  if (until === 0) return;
  const retryInMs = Math.ceil(until - clock.monotonic());
  throw new Refusal("BANNED", `Your address is kept out for ${Math.ceil(retryInMs / 1_000)} s more.`, { retryInMs });
}
