import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { createBans } from "./bans.ts";
import { createGate, type Gate } from "./gate.ts";
import { Room } from "./room.ts";
import { fakeSocket } from "./testing/fake-socket.ts";

const ADDRESS = "192.0.2.1";
const GRANT = { subject: "x", scopes: ["#"], expiresAt: undefined };

function open(lock: (credentials: unknown) => Promise<typeof GRANT>): {
  gate: Gate;
  room: Room;
  ban: () => void;
} {
  const clock = createVirtualClock();
  const bans = createBans(() => clock.monotonic());
  const room = new Room({
    clock,
    log: { events: 1, bytes: 1 },
    queue: { packets: 1, bytes: 1 },
    limits: { sockets: 1, events: 1, channels: 1 },
    addressOf: () => ADDRESS,
    end: () => undefined,
    flood: () => false,
  });
  const gate = createGate({
    clock,
    bans,
    lock: { open: lock, issue: async () => "", caller: async () => ({ subject: "", may: undefined }) },
    room,
    addressOf: () => ADDRESS,
  });
  const ban = (): void => {
    for (let i = 0; i < 10; i++) gate.offend(ADDRESS);
  };
  return { gate, room, ban };
}

describe("the gate of a workspace", () => {
  it("does not look at what a banned address shows", async () => {
    let looked = 0;
    const { gate, ban } = open(async () => {
      looked += 1;
      return GRANT;
    });
    ban();
    expect((await gate.admit(fakeSocket().socket))?.data.reason).toBe("BANNED");
    expect(looked).toBe(0);
  });

  it("lets nobody in who was banned while the token was verified", async () => {
    const made = open(async () => {
      made.ban();
      return GRANT;
    });
    const { socket } = fakeSocket();
    expect((await made.gate.admit(socket))?.data.reason).toBe("BANNED");
    expect(made.gate.grantOf(socket)).toBeUndefined();
  });

  it("lets nobody into a workspace that is closed", async () => {
    const { gate, room } = open(async () => GRANT);
    room.close();
    expect((await gate.admit(fakeSocket().socket))?.data.reason).toBe("WORKSPACE_CLOSED");
  });

  it("leaves no credentials in the handshake, and says nothing of an error of its own", async () => {
    const { gate } = open(async () => {
      throw new Error("sk_inner_detail");
    });
    const { socket } = fakeSocket();
    socket.handshake.auth = { secret: "sk_shown" };
    const refusal = await gate.admit(socket);
    expect(refusal?.data).toEqual({ reason: "BAD_REQUEST", message: "The credentials cannot be read." });
    expect(socket.handshake.auth).toEqual({});
  });
});
