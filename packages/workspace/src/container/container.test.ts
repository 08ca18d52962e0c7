import type { Connector } from "@skep/core/workspace/connector.ts";
import { aConnector } from "@skep/core/testing/connector.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { afterEach, describe, expect, it } from "vitest";
import type { Delivery } from "../channel/delivery.ts";
import { createRules } from "../rules/rules.ts";
import { messageDigest } from "../message-digest.ts";
import { createTwinDatabase } from "../testing/twin-database.ts";
import { Container, type ContainerPorts } from "./container.ts";
import type { PartFactories } from "./factories.ts";
import { createOrchestrator, type EffectData } from "./orchestrator.ts";
import { healthOf, manageContainer, MCS } from "./registry.ts";

const dropped: Container[] = [];
afterEach(async () => {
  for (const one of dropped.splice(0)) await one.drop();
});

/** A container of twins, and what happened to them in its order. */
function begin(over: Partial<PartFactories> = {}, connector: Connector = aConnector()) {
  const clock = createVirtualClock(1_000);
  const did: string[] = [];
  const database = createTwinDatabase();
  const emitted: unknown[] = [];
  const published: string[] = [];
  const limits: unknown[] = [];
  let deliver: (delivery: Delivery) => void = () => undefined;
  let isConnected = true;
  const part = (name: string) => ({
    health: () => ({ isConnected, lastError: isConnected ? "" : `${name} is away` }),
    counts: () => ({ used: 1 }),
    close: async () => void did.push(`close ${name}`),
  });
  const opened = <T>(name: string, value: T): T => {
    did.push(`open ${name}`);
    return value;
  };
  const factories: PartFactories = {
    database: async () =>
      opened("database", {
        ...part("database"),
        store: documents => database.store(documents),
        bury: letters => database.bury(letters),
        recall: (prefixes, within) => database.recall(prefixes, within),
        setDatabase: async change => void did.push(`setDatabase ${JSON.stringify(change)}`),
      }),
    files: async () => opened("files", { ...part("files") } as never),
    channel: async () =>
      opened("channel", {
        ...part("channel"),
        acknowledge: () => undefined,
        isCurrent: () => true,
        pause: () => undefined,
        publish: async topic => void published.push(topic),
        begin: wanted => void (deliver = wanted),
      }),
    rules: async ({ connector: { id } }, actions) => {
      const mayRead = (): boolean => true;
      const made = createRules(
        { workspaceId: id, clock, actions, mostDevices: 10, mayRead },
        { schemas: new Map(), rules: [] },
      );
      return opened("rules", { ...made, close: async () => (await made.close(), void did.push("close rules")) });
    },
    events: async () =>
      opened("events", {
        ...part("events"),
        emit: all => void emitted.push(...all),
        setLimits: wanted => void limits.push(wanted),
      }),
    ...over,
  };
  const log = createRecordingLog();
  const ports: ContainerPorts = { factories, clock, random: () => 0.5, log };
  const container = new Container(connector, ports);
  dropped.push(container);
  const send = (topic: string): void =>
    deliver({
      ...{
        topic,
        payload: Buffer.from("{}"),
        connection: 1,
        packetId: 1,
        isRepeated: false,
        senderId: undefined,
        subscriptionId: 1,
      },
      digest: messageDigest(topic, Buffer.from("{}"), undefined),
    });
  const lose = (): void => void (isConnected = false);
  return { clock, did, database, emitted, published, limits, log, container, send, lose };
}

describe("a container", () => {
  it("opens its parts in their order, and ends them in theirs", async () => {
    const { container, did, log } = begin();
    expect(container.status).toBe("IDLE");
    const deploying = container.deploy();
    expect(container.status).toBe("DEPLOYING");
    await deploying;
    expect([container.status, did.splice(0)]).toEqual(["ACTIVE", ["open database", "open files", "open channel"]]);
    await container.manage();
    expect(did.splice(0)).toEqual(["open rules", "open events"]);
    await container.drop();
    const ends = ["close events", "close rules", "close channel", "close database", "close files"];
    expect([container.status, did]).toEqual(["DROPPED", ends]);
    await container.drop();
    expect(did).toHaveLength(5);
    const states = log.lines.filter(one => one.event === "container.status").map(one => one.fields["status"]);
    expect(states).toEqual(["DEPLOYING", "ACTIVE", "DROPPED"]);
  });

  it.each([
    ["database", [], "ERROR: Database connection failed: unreachable"],
    ["files", ["open database", "close database"], "no bucket"],
    ["channel", ["open database", "open files", "close files", "close database"], "ERROR: MQTT connection failed: x"],
  ] as const)("lets go of what it has opened where its %s fails, and says why", async (name, all, message) => {
    const { container, did } = begin({ [name]: () => Promise.reject(new Error(message)) });
    await expect(container.deploy()).rejects.toThrow(message);
    expect([container.status, did, container.lastError()]).toEqual(["ERROR", all, message]);
    expect(container.getStats().errorsPerMinute).toEqual({ deploy: 1 });
    expect(await container.isHealthy()).toBe(false);
  });

  it.each(["rules", "events"] as const)("lets go of everything where its %s fail", async name => {
    const { container, did } = begin({ [name]: () => Promise.reject(new Error("no room")) });
    await container.deploy();
    await expect(container.manage()).rejects.toThrow("no room");
    expect(did.filter(one => one.startsWith("open"))).toHaveLength(did.filter(one => one.startsWith("close")).length);
    await container.drop();
    expect(did.filter(one => one === "close database")).toHaveLength(1);
  });

  it("can be deployed again after it failed, and not twice", async () => {
    let fails = true;
    const { container } = begin({
      files: async () => {
        if (fails) throw new Error("no bucket");
        return undefined;
      },
    });
    await expect(container.deploy()).rejects.toThrow("no bucket");
    fails = false;
    await container.deploy();
    await expect(container.deploy()).rejects.toThrow("deploy() is refused: it is ACTIVE");
    await container.manage();
    await expect(container.manage()).rejects.toThrow("it is managed already");
  });

  it("refuses a connector that is not valid, with each thing that is wrong", () => {
    const wrong = aConnector({ id: "NO", name: "" });
    expect(() => begin({}, wrong)).toThrow(
      expect.objectContaining({
        issues: [expect.objectContaining({ path: "id" }), expect.objectContaining({ path: "name" })],
      }),
    );
  });

  it("stores what is delivered, tells sockets, and says so", async () => {
    const { container, send, clock, database, emitted } = begin();
    await container.deploy();
    await container.manage();
    send(`${container.id}/devices/d1/telemetry/location`);
    await clock.advance(10);
    expect([database.stored.size, emitted.length]).toEqual([1, 1]);
    const { uptime, resourceUsage, parts } = container.getStats();
    expect([uptime, resourceUsage["ingest.stored"], resourceUsage["channel.used"]]).toEqual([10, 1, 1]);
    expect(Object.keys(parts)).toEqual(["database", "files", "channel", "rules", "events"]);
    expect(await container.isHealthy()).toBe(true);
    await container.drop();
    send(`${container.id}/devices/d1/telemetry/location`);
    await clock.advance(10);
    expect(database.stored.size).toBe(1);
  });

  it("is not healthy while a part is away, or while messages cannot be stored", async () => {
    const { container, lose, database, send, clock } = begin();
    await container.deploy();
    await container.manage();
    database.before = () => Promise.reject(new Error("no primary"));
    send(`${container.id}/devices/d1/telemetry/location`);
    await clock.advance(10);
    expect([await container.isHealthy(), container.lastError()]).toEqual([false, "no primary"]);
    database.before = () => undefined;
    await clock.advance(1_000);
    expect(await container.isHealthy()).toBe(true);
    lose();
    expect([await container.isHealthy(), container.lastError()]).toEqual([false, "database is away"]);
  });

  it("stores no more in a second than it may, and more once its connector says so (R17)", async () => {
    const { container, send, clock, database } = begin({}, aConnector({}, {}, { messagesPerSecond: 10 }));
    await container.deploy();
    await container.manage();
    for (let at = 0; at < 50; at += 1) send(`${container.id}/devices/d${at}/telemetry/location`);
    await clock.advance(1_000);
    expect(database.stored.size).toBeGreaterThan(10);
    expect(database.stored.size).toBeLessThanOrEqual(20);
    expect(container.getStats().resourceUsage["ingest.throttled"]).toBeGreaterThan(0);
    const { config } = container.connector;
    const specs = { ...config.resources.specs, messagesPerSecond: 10_000 };
    await container.update({
      ...container.connector,
      config: { ...config, resources: { ...config.resources, specs } },
    });
    await clock.advance(200);
    expect(database.stored.size).toBe(50);
  });

  it("takes a changed connector: its limits and its size; what cannot change is refused", async () => {
    const connector = aConnector();
    const { container, limits, did } = begin({}, connector);
    await container.deploy();
    await container.manage();
    const { resources } = connector.config;
    const changed: Connector = {
      ...connector,
      config: {
        ...connector.config,
        resources: {
          ...resources,
          specs: {
            ratelimits: { ...resources.specs.ratelimits, channels: 7 },
            database: { ...resources.specs.database, size: 2_048, retentionDays: 7 },
          },
        },
      },
    };
    await container.update(changed);
    expect(limits).toMatchObject([{ channels: 7 }]);
    expect(did).toContain('setDatabase {"maxSize":2048,"retentionDays":7}');
    await container.update(connector);
    expect(did).toContain('setDatabase {"maxSize":1024,"retentionDays":"for ever"}');
    await container.setDatabase({ poolSize: 20, maxSize: 2_048 });
    expect(did).toContain('setDatabase {"poolSize":20,"maxSize":2048}');
    const otherSecret = { ...connector, access: { ...connector.access, secret: "another secret word" } };
    await expect(container.update(otherSecret)).rejects.toThrow("deployed again");
    await expect(container.update({ ...connector, id: "other" })).rejects.toThrow("its id cannot change");
    await expect(container.update({ ...connector, name: "" })).rejects.toThrow("not valid");
  });
});

describe("the registry", () => {
  it("knows containers by namespace and id, until they are dropped", async () => {
    const { container, lose } = begin();
    expect(healthOf("shared", container.id)).toEqual({ status: "not_found" });
    manageContainer("shared", container);
    await container.deploy();
    expect(MCS["shared"]?.[container.id]).toBe(container);
    expect(healthOf("shared", container.id)).toMatchObject({ status: "healthy", uptime: 0, lastError: "" });
    lose();
    expect(healthOf("shared", container.id)).toMatchObject({ status: "unhealthy", lastError: "database is away" });
    expect(() => manageContainer("shared", container)).toThrow("already");
    await container.drop();
    expect([healthOf("shared", container.id), MCS["shared"]]).toEqual([{ status: "not_found" }, undefined]);
    expect(healthOf("__proto__", "constructor")).toEqual({ status: "not_found" });
  });
});

describe("the orchestrator", () => {
  it("tells effects of their container of a changed connector, until they dispose of themselves", async () => {
    const { container, clock, log } = begin();
    const orchestrator = createOrchestrator({ clock, log });
    const heard: EffectData[] = [];
    orchestrator.effect.register(
      async (data, dispose) => {
        heard.push(data);
        dispose();
      },
      "Resource Manager",
      container.id,
    );
    orchestrator.effect.register(() => Promise.reject(new Error("no")), "broken", "*");
    orchestrator.effect.register(data => void heard.push(data), "another", "another-container");
    const next = { ...container.connector, name: "Other" };
    for (let time = 0; time < 2; time += 1) await orchestrator.updateConnector(container, next);
    expect(heard).toEqual([{ containerId: container.id, connectorUpdated: true, connector: next }]);
    expect([container.connector.name, log.lines.filter(one => one.event === "effect.failed").length]).toEqual([
      "Other",
      2,
    ]);
    await orchestrator.close();
  });

  it("tells when the health of a container changes, and runs jobs until it is closed", async () => {
    const { container, clock, log, lose } = begin();
    const orchestrator = createOrchestrator({ clock, log });
    const heard: unknown[] = [];
    orchestrator.effect.register(data => void heard.push(data.isHealthy), "alarm", "*");
    await container.deploy();
    orchestrator.watch(container);
    await clock.advance(3_000);
    expect(heard).toEqual([]);
    lose();
    await clock.advance(3_000);
    expect(heard).toEqual([false]);
    let runs = 0;
    const stop = orchestrator.job.register(
      () => {
        runs += 1;
        throw new Error("no");
      },
      "scale",
      100,
    );
    await clock.advance(350);
    stop();
    await clock.advance(1_000);
    expect(runs).toBe(3);
    await container.drop();
    await orchestrator.close();
    expect(clock.nextAt()).toBeUndefined();
  });
});
