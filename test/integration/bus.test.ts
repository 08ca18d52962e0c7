import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { busContract } from "@skep/kit/bus.contract.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createNatsBus } from "@skep/kit/nats-bus.ts";
import { eventually } from "../support/eventually.ts";
import { startNatsServer, type NatsServer } from "../support/nats-server.ts";

busContract("The bus over NATS", async () => {
  // Not the default, so that the contract sees whether the bus goes by what its server says.
  const server = await startNatsServer("max_payload: 300KB");
  return {
    connect: name => createNatsBus({ servers: [server.url], name, log: createRecordingLog() }),
    goAway: server.kill,
    comeBack: server.start,
    close: server.close,
  };
});

describe("The bus over NATS", () => {
  const none = new Uint8Array();
  let server: NatsServer;
  beforeEach(async () => {
    server = await startNatsServer(`
      authorization { users: [
        { user: scheduler, password: one, permissions: { publish: ">", subscribe: ["skep.>", "_INBOX_scheduler.>"] } }
        { user: agent, password: two, permissions: { publish: "skep.report.>", subscribe: ["_INBOX_agent.>"], allow_responses: true } }
      ] }`);
  });
  afterEach(() => server.close());

  test("connects in the background when the server comes late, with the subscriptions made before", async () => {
    await server.kill();
    const log = createRecordingLog();
    const bus = createNatsBus({ servers: [server.url], name: "late", user: "scheduler", password: "one", log });
    let heard = 0;
    bus.subscribe("skep.hello", () => heard++);
    expect(bus.connected()).toBe(false);
    await expect(bus.request("skep.hello", none, { timeoutMs: 60_000 })).rejects.toMatchObject({ code: "unavailable" });
    await server.start();
    await eventually(() => expect(bus.connected()).toBe(true));
    bus.publish("skep.hello", none);
    await eventually(() => expect(heard).toBe(1));
    await bus.close();
  });

  test("keeps trying with a wrong password and says so, instead of ending", async () => {
    const log = createRecordingLog();
    const bus = createNatsBus({ servers: [server.url], name: "stranger", user: "agent", password: "wrong", log });
    await eventually(() => expect(log.lines.filter(line => line.event === "bus.refused").length).toBeGreaterThan(1));
    expect(bus.connected()).toBe(false);
    expect(JSON.stringify(log.lines)).not.toContain("wrong");
    await bus.close();
  });

  test("requests work with an inbox of one's own, and what is forbidden is reported", async () => {
    const log = createRecordingLog();
    const connect = (user: string, password: string) =>
      createNatsBus({ servers: [server.url], name: user, user, password, inboxPrefix: `_INBOX_${user}`, log });
    const [scheduler, agent] = [connect("scheduler", "one"), connect("agent", "two")];
    await eventually(() => expect([scheduler.connected(), agent.connected()]).toEqual([true, true]));
    scheduler.subscribe("skep.report.n1", message => message.reply(message.data));
    await eventually(() => scheduler.request("skep.report.n1", none, { timeoutMs: 1_000 }));
    expect(await agent.request("skep.report.n1", none, { timeoutMs: 5_000 })).toHaveLength(0);
    agent.subscribe("skep.>", () => undefined);
    await eventually(() => expect(log.lines.map(line => line.event)).toContain("bus.forbidden"));
    expect(agent.connected()).toBe(true);
    await Promise.all([scheduler.close(), agent.close()]);
  });

  test("a handler that throws does not take the connection with it", async () => {
    const log = createRecordingLog();
    const bus = createNatsBus({ servers: [server.url], name: "s", user: "scheduler", password: "one", log });
    await eventually(() => expect(bus.connected()).toBe(true));
    let heard = 0;
    bus.subscribe("skep.x", () => {
      heard++;
      throw new Error("a bug");
    });
    await eventually(() => {
      bus.publish("skep.x", none);
      expect(heard).toBeGreaterThan(2);
    });
    expect(bus.connected()).toBe(true);
    await bus.close();
  });

  test.for(["gone", "silent"])("closes though the server is %s, without waiting for its return", async manner => {
    const log = createRecordingLog();
    const bus = createNatsBus({ servers: [server.url], name: "s", user: "scheduler", password: "one", log });
    await eventually(() => expect(bus.connected()).toBe(true));
    if (manner === "gone") {
      await server.kill();
      await eventually(() => expect(bus.connected()).toBe(false));
    } else {
      server.pause();
      const asked = (): Promise<unknown> => bus.request("skep.x", none, { timeoutMs: 100 });
      await eventually(() => expect(asked()).rejects.toMatchObject({ code: "timeout" }));
    }
    bus.publish("skep.x", none);
    // The client itself notices a silent server after 10 s at the soonest.
    const closed = bus.close().then(() => "closed");
    expect(await Promise.race([closed, sleep(8_000, "still waiting")])).toBe("closed");
  });
});
