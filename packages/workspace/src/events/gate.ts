import type { Clock } from "@skep/kit/clock.ts";
import type { Socket } from "socket.io";
import type { Bans } from "./bans.ts";
import { countRefusal } from "./counts.ts";
import { overLimit, Refusal } from "./refusal.ts";
import type { Room } from "./room.ts";
import type { Grant, Lock } from "./token.ts";

/** Who may come into a workspace, and who must go. */
export interface Gate {
  /** Lets a socket pass, or answers why not. */
  admit(socket: Socket): Promise<Refusal | undefined>;
  /** What the socket was let in with. */
  grantOf(socket: Socket): Grant | undefined;
  /**
   * Counts an offence of an address, and answers whether it is kept out now (R123). Sockets that
   * are in have shown who they are, and stay: others may share their address.
   */
  offend(address: string): boolean;
}

/** What a gate looks at. */
export interface GateSurroundings {
  readonly clock: Clock;
  readonly bans: Bans;
  readonly lock: Lock;
  readonly room: Room;
  readonly addressOf: (socket: Socket) => string;
}

/** An expired token is no guess, and its owner comes back with a new one. */
const OFFENCES: ReadonlySet<string> = new Set([
  "NO_CREDENTIALS",
  "WRONG_SECRET",
  "TOKEN_INVALID",
  "TOKEN_OF_ANOTHER_WORKSPACE",
]);

/** Makes the gate of one workspace. */
export function createGate({ clock, bans, lock, room, addressOf }: GateSurroundings): Gate {
  const grants = new WeakMap<Socket, Grant>();

  async function check(socket: Socket, address: string): Promise<Grant> {
    if (room.isClosed) throw new Refusal("WORKSPACE_CLOSED", "The workspace is closed.");
    refuseBanned(bans, address, clock);
    const credentials: unknown = socket.handshake.auth;
    // Nobody who prints the handshake later shall find a secret in it.
    socket.handshake.auth = {};
    const grant = await lock.open(credentials);
    // Its address may have been banned while the token was verified.
    refuseBanned(bans, address, clock);
    if (room.subscribers.size >= room.limits.sockets) throw overLimit("sockets", room.limits.sockets);
    return grant;
  }

  return {
    offend: address => bans.offend(address),
    admit: async socket => {
      const address = addressOf(socket);
      try {
        grants.set(socket, await check(socket, address));
        return undefined;
      } catch (error) {
        const unread = new Refusal("BAD_REQUEST", "The credentials cannot be read.");
        const refusal = error instanceof Refusal ? error : unread;
        countRefusal(room.counts, refusal.data.reason);
        if (OFFENCES.has(refusal.data.reason)) bans.offend(address);
        return refusal;
      }
    },
    grantOf: socket => grants.get(socket),
  };
}

/** @throws Refusal where the address is kept out. */
function refuseBanned(bans: Bans, address: string, clock: Clock): void {
  const until = bans.bannedUntil(address);
  if (until === 0) return;
  const retryInMs = Math.ceil(until - clock.monotonic());
  throw new Refusal("BANNED", `Your address is kept out for ${Math.ceil(retryInMs / 1_000)} s more.`, { retryInMs });
}
