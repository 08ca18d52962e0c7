import { EventEmitter } from "node:events";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { boundConnection, PACKETS } from "./connection.ts";

describe("a connection", () => {
  it("is ended when it sends more than any client does, once", async () => {
    const clock = createVirtualClock();
    const connection = Object.assign(new EventEmitter(), { writeBuffer: [] });
    let ended = 0;
    boundConnection(connection, clock, () => ended++);
    for (let i = 0; i < PACKETS.burst; i++) connection.emit("data");
    await clock.advance(1_000);
    for (let i = 0; i < PACKETS.perSecond; i++) connection.emit("data");
    expect(ended).toBe(0);
    for (let i = 0; i < 10; i++) connection.emit("data");
    expect(ended).toBe(1);
  });

  it("is ended when it asks on while its answers wait", () => {
    const connection = Object.assign(new EventEmitter(), { writeBuffer: Array.from({ length: 4_000 }) });
    let ended = 0;
    boundConnection(connection, createVirtualClock(), () => ended++);
    connection.emit("data");
    expect(ended).toBe(1);
  });
});
