import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { encodeEvent } from "./encode.ts";
import { Room } from "./room.ts";
import { fakeSocket, type FakeSocket } from "./testing/fake-socket.ts";

const GRANT = { subject: "x", scopes: ["#"], expiresAt: undefined };

/** A room on a virtual clock; what it ended and who flooded is kept. */
function open(
  limits = {},
  log = { events: 1_000, bytes: 1_000_000 },
): {
  room: Room;
  clock: ReturnType<typeof createVirtualClock>;
  floods: string[];
  emit: (...topics: string[]) => void;
  enter: (fake?: FakeSocket) => FakeSocket;
} {
  const clock = createVirtualClock();
  const floods: string[] = [];
  const room = new Room({
    clock,
    log,
    queue: { packets: 10, bytes: 1_000_000 },
    limits: { sockets: 5, events: 10, channels: 5, ...limits },
    addressOf: () => "192.0.2.1",
    end: () => undefined,
    flood: address => floods.push(address) >= 10,
  });
  const emit = (...topics: string[]): void => {
    for (const topic of topics) {
      const entry = encodeEvent("/ws/x", { topic, data: {}, at: 0 }, room.log.next(clock.now()));
      room.hear(entry, clock.monotonic());
    }
  };
  const enter = (fake = fakeSocket()): FakeSocket => {
    room.take(fake.socket, GRANT);
    return fake;
  };
  return { room, clock, floods, emit, enter };
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `n/${n}`);
}

describe("the room of a workspace", () => {
  it("takes no more sockets than it may, although several passed the gate at once", () => {
    const { room, enter } = open({ sockets: 2 });
    const fakes = [enter(), enter(), enter()];
    expect(room.subscribers.size).toBe(2);
    expect(fakes[2]!.told).toMatchObject([{ name: "refused", data: { limit: "sockets", most: 2 } }]);
  });

  it("takes none once it is closed", () => {
    const { room, enter } = open();
    room.close();
    expect(enter().told).toMatchObject([{ data: { reason: "WORKSPACE_CLOSED" } }]);
    expect(room.subscribers.size).toBe(0);
  });

  it("keeps nothing of a socket that left", () => {
    const { room, emit, enter } = open();
    const fake = enter();
    fake.ask("subscribe", "#");
    emit("a");
    fake.leave();
    emit("b");
    expect([fake.written.length, room.counts.delivered, room.subscribers.size]).toEqual([1, 1, 0]);
  });

  it("bounds all sockets together, so that to come back gives nothing new", () => {
    const { room, emit, enter } = open({ sockets: 2, events: 10 });
    for (let i = 0; i < 5; i++) {
      const fake = enter();
      fake.ask("subscribe", "#");
      emit(...numbered(10));
      fake.leave();
    }
    expect([room.counts.delivered, room.counts.dropped]).toEqual([20, 30]);
  });

  it("tells of a flood once for each second of it", async () => {
    const { clock, floods, enter } = open({ events: 10 });
    const fake = enter();
    for (let second = 0; second < 3; second++) {
      for (let i = 0; i < 25; i++) fake.ask("subscribe", "a");
      await clock.advance(1_000);
    }
    expect(floods).toEqual(["192.0.2.1", "192.0.2.1", "192.0.2.1"]);
    expect(fake.told.filter(({ data }) => (data as { reason: string }).reason === "BANNED")).toEqual([]);
  });
});

describe("a socket that floods for long", () => {
  it("is ended once its address is banned for it", async () => {
    const { clock, enter } = open({ events: 10 });
    const fake = enter();
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 25; i++) fake.ask("subscribe", "a");
      await clock.advance(1_000);
    }
    expect(fake.told).toMatchObject([{ name: "refused", data: { reason: "BANNED" } }]);
  });
});

describe("a socket that catches up", () => {
  it("waits while it has no room, and loses nothing meanwhile", async () => {
    const { room, clock, emit, enter } = open();
    const begin = room.log.last;
    emit(...numbered(5));
    const fake = enter();
    fake.waiting.push(...Array.from({ length: 9 }));
    fake.ask("subscribe", { filters: "#", from: `${begin.ms}-${begin.seq}` });
    fake.waiting.push(0);
    await clock.advance(500);
    expect(fake.written).toEqual([]);
    fake.waiting.length = 0;
    await clock.advance(100);
    expect(fake.written.length).toBe(5);
    expect(room.counts.dropped).toBe(0);
  });

  it("is told the past at ten times the pace of its limit", async () => {
    const { room, clock, emit, enter } = open({ events: 10 });
    const begin = room.log.last;
    emit(...numbered(1_000));
    const fake = enter();
    fake.ask("subscribe", { filters: "#", from: `${begin.ms}-${begin.seq}` });
    await clock.advance(20);
    expect(fake.written.length).toBeLessThanOrEqual(102);
    await clock.advance(5_000);
    expect(fake.written.length).toBeGreaterThan(500);
    expect(fake.written.length).toBeLessThanOrEqual(610);
    await clock.advance(5_000);
    expect(fake.written.length).toBe(1_000);
  });

  it("is told of a gap where what it waits for is no longer kept", async () => {
    const { room, clock, emit, enter } = open({ events: 1_000 }, { events: 10, bytes: 1_000_000 });
    const begin = room.log.last;
    emit(...numbered(5));
    const fake = enter();
    fake.ask("subscribe", { filters: "#", from: `${begin.ms}-${begin.seq}` });
    emit(...numbered(20));
    await clock.advance(1_000);
    expect(fake.written).toEqual([]);
    expect(fake.told).toMatchObject([{ name: "lost", data: { because: "gap" } }]);
    emit("live");
    expect(fake.written.length).toBe(1);
  });

  it("gets no more subscriptions back than it may have now", () => {
    const { room, enter } = open({ channels: 2 });
    const begin = `${room.log.last.ms}-${room.log.last.seq}`;
    enter(fakeSocket({ recovered: true, data: { filters: ["a", "b", "c"], from: begin } }));
    expect([...room.subscribers.values()].map(one => [...one.filters])).toEqual([["a", "b"]]);
  });
});
