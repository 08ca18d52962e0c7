import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { createSessions, SESSION_MS } from "./sessions.ts";

const session = { sid: "s", filters: ["a/#"] };

describe("the sessions of sockets that are away", () => {
  it("are handed out once, and not after their time", async () => {
    const clock = createVirtualClock();
    const sessions = createSessions(clock);
    sessions.keep("p1", session);
    sessions.keep("p2", session);
    expect(await sessions.take("p1")).toMatchObject(session);
    expect(await sessions.take("p1")).toBeUndefined();
    expect(await sessions.take("none")).toBeUndefined();
    await clock.advance(SESSION_MS);
    expect(await sessions.take("p2")).toBeUndefined();
  });

  it("are bounded: the oldest go", async () => {
    const sessions = createSessions(createVirtualClock(), 2);
    for (const pid of ["p1", "p2", "p3"]) sessions.keep(pid, session);
    expect(await sessions.take("p1")).toBeUndefined();
    expect(await sessions.take("p2")).toMatchObject(session);
    expect(await sessions.take("p3")).toMatchObject(session);
  });
});
