import { describe, expect, it } from "vitest";
import { aConnector, aPurpose } from "../testing/connector.ts";
import { DEFAULT_SCALING } from "./autoscale.ts";
import { connectionsOf, containerStatus, diagnose, decideScaling, type SeenContainer } from "./container.ts";
import { firstWorkspace, type WorkspaceRecord } from "./record.ts";

const NOW = 1_000_000;

const aRecord = (over: Partial<WorkspaceRecord> = {}): WorkspaceRecord => ({
  ...firstWorkspace({ tenantId: "acme", connector: aConnector(), purpose: aPurpose(), strategy: "least-loaded" }, 1),
  ...over,
});

const seen = (over: Partial<SeenContainer> = {}): SeenContainer => ({
  ...{ workspaceId: "mxbh48wy", hostId: "host_a", nodeId: "n1", epoch: 1, desired: "run", state: "running" },
  ...{ isHealthy: true, counts: { uptime: 60, "events.sockets": 3 }, lastError: "", reportedAt: NOW - 900 },
  ...over,
});

describe("the status of a container", () => {
  it("is not_found where there is none", () => {
    expect(containerStatus(undefined, undefined, NOW)).toMatchObject({ status: "not_found", state: "", notKnown: [] });
  });

  it("is what its host said last", () => {
    expect(containerStatus(aRecord(), seen(), NOW)).toEqual({
      ...{ status: "healthy", state: "ACTIVE", uptime: 60, lastError: "", reportedAt: NOW - 900, notKnown: [] },
      resources: { uptime: 60, "events.sockets": 3 },
    });
    const unwell = seen({ isHealthy: false, lastError: "the broker is away", counts: {} });
    expect(containerStatus(aRecord(), unwell, NOW)).toMatchObject({
      ...{ status: "unhealthy", lastError: "the broker is away", uptime: undefined },
      notKnown: ["its uptime: its host has not said"],
    });
  });

  it("is unhealthy once its host is silent, and says since when", () => {
    const told = containerStatus(aRecord(), seen({ reportedAt: NOW - 10_001 }), NOW);
    expect(told).toMatchObject({ status: "unhealthy", lastError: "its host host_a has said nothing for 10 s" });
    expect(containerStatus(aRecord(), seen({ reportedAt: NOW - 10_000 }), NOW).status).toBe("healthy");
  });

  it.each([undefined, seen({ state: "stopped", desired: "stop" })])("is not known where no host has it", held => {
    expect(containerStatus(aRecord({ waiting: "all 2 hosts are full" }), held, NOW)).toMatchObject({
      ...{ status: "unhealthy", state: "WAITING", lastError: "all 2 hosts are full", resources: {} },
      notKnown: ["no host has it, so nothing is known of how it runs"],
    });
  });
});

describe("a diagnosis", () => {
  const failed = (record: WorkspaceRecord, held: SeenContainer | undefined): readonly string[] =>
    diagnose(record, held, NOW).flatMap(one => (one.ok ? [] : [one.name]));

  it("finds nothing where all is well", () => {
    expect(failed(aRecord(), seen())).toEqual([]);
    expect(diagnose(aRecord(), seen(), NOW).every(one => one.advice === "" && one.found !== "")).toBe(true);
  });

  it.each<[readonly string[], Partial<WorkspaceRecord>, SeenContainer | undefined]>([
    [["host", "report", "health"], {}, undefined],
    [["report", "health"], {}, seen({ reportedAt: 0 })],
    [["health"], {}, seen({ isHealthy: false })],
    [["enabled"], { connector: aConnector({ enabled: false }) }, seen()],
    [["desired", "host", "report", "health"], { desired: "stopped" }, undefined],
    [["mode"], { purpose: aPurpose({ scale: "large" }) }, seen()],
  ])("finds %j", (names, over, held) => {
    expect(failed(aRecord(over), held)).toEqual(names);
    expect(diagnose(aRecord(over), held, NOW).every(one => one.ok || one.advice !== "")).toBe(true);
  });
});

describe("the bounds of a container", () => {
  it("are shown beside what is open, where its host has said", () => {
    expect(connectionsOf(aRecord(), seen())).toEqual([
      { kind: "sockets", open: 3, most: 500 },
      { kind: "channels", open: undefined, most: 50 },
      { kind: "database", open: undefined, most: 10 },
    ]);
  });
});

describe("a policy that is tried", () => {
  const policy = { ...DEFAULT_SCALING, enabled: true };
  const load = { "load.cpuUsage": 90, "load.memoryUsage": 10, "load.connectionCount": 1, "load.messagesPerSecond": 1 };
  const one = { instances: 1, scaledAt: undefined };

  it("decides on the load that its host has told, and says so where it has not", () => {
    expect(decideScaling(policy, { ...one, seen: seen({ counts: load }) }, NOW)).toMatchObject({ instances: 2 });
    const { "load.cpuUsage": _, ...without } = load;
    for (const held of [undefined, seen(), seen({ counts: without }), seen({ counts: load, reportedAt: NOW - 11_000 })])
      expect(decideScaling(policy, { ...one, seen: held }, NOW)).toMatchObject({
        ...{ instances: 1, because: "not every instance has reported its load yet" },
      });
    const off = decideScaling(DEFAULT_SCALING, { ...one, seen: seen({ counts: load }) }, NOW);
    expect(off.because).toBe("auto-scaling is off");
  });

  it("shares the load out over the instances that there are, and waits for the cooldown", () => {
    const two = { instances: 2, scaledAt: NOW, seen: seen({ counts: load }) };
    expect(decideScaling(policy, two, NOW).because).toContain("with one fewer cpu (%) would be 90");
    const more = { ...two, seen: seen({ counts: { ...load, "load.connectionCount": 900 } }) };
    expect(decideScaling(policy, more, NOW)).toMatchObject({ instances: 2, againAt: NOW + 300_000 });
    expect(decideScaling(policy, { ...more, scaledAt: NOW - 300_000 }, NOW)).toMatchObject({ instances: 3 });
  });
});
