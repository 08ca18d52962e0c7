import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import { DEFAULT_SETTINGS } from "@skep/core/world/world.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createIdSource } from "@skep/kit/random.ts";
import { recover } from "@skep/scheduler/api/recover.ts";
import { createScheduler, type Scheduler } from "@skep/scheduler/create-scheduler.ts";
import { emptyRecords } from "@skep/scheduler/store/memory-records.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { beginLife, createPlatform, endLife, type Platform } from "./platform.ts";
import { startAgent, startScheduler } from "./processes.ts";
import { setWeather } from "./weather.ts";

const NO_QUOTA = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };
const someone = { actor: "someone", idempotencyKey: undefined };
const ports = [{ containerPort: 80, protocol: "tcp" as const, hostPort: undefined }];
const app = (name: string, replicas: number, image = "web:1") =>
  aSpec({ name, replicas, containers: [aContainer({ image, ports })] });

let platform: Platform;
/** A replica that serves the API beside the three that lead. */
let beside: Scheduler;

async function run<T>(promise: Promise<T>): Promise<T> {
  let done = false;
  const end = (): void => {
    done = true;
  };
  promise.then(end, end);
  await platform.clock.runUntil(() => done, 60_000);
  return promise;
}
const user = () => platform.database.connect("user");
const now = () => platform.clock.now();
const deploy = (name: string, replicas: number, image?: string) =>
  run(user().createDeployment("acme", app(name, replicas, image), [], someone, now()));
const stopSchedulers = (): void => platform.schedulers.forEach(name => endLife(platform, name));
const startSchedulers = (): void =>
  platform.schedulers.forEach(name => startScheduler(platform, name, beginLife(platform, name)));
const running = (): string[] =>
  platform.nodes
    .flatMap(node => node.running())
    .map(one => `${one.instanceId}@${one.epoch}`)
    .toSorted();
const containers = (): string[] =>
  platform.nodes.flatMap(node => node.engine.containers().map(one => one.id)).toSorted();
const kinds = (): string[] => platform.database.records.decisions.map(one => one.decision.kind);

async function recoverRecords(): Promise<Awaited<ReturnType<typeof recover>>> {
  const preview = await run(recover(beside.api, { confirm: false, incarnation: "" }, someone));
  await run(recover(beside.api, { confirm: true, incarnation: preview.incarnation! }, someone));
  await platform.clock.advance(15_000);
  return preview;
}

function startBeside(name = "beside"): void {
  const { clock } = platform;
  const random = platform.random(name);
  const records = platform.database.connect(name);
  const takeLease = async () => {
    const lease = await records.readLease();
    if (lease === undefined) throw new Error("nobody leads yet");
    return lease;
  };
  beside = createScheduler({
    ...{ clock, random, log: createRecordingLog(), settings: DEFAULT_SETTINGS, name, version: "1" },
    ...{ store: { ...records, takeLease }, bus: platform.network.connect(name) },
    ids: createIdSource(random),
  });
  beside.start();
}

beforeEach(async () => {
  platform = createPlatform(1);
  setWeather(platform);
  startSchedulers();
  for (const node of platform.nodes) startAgent(platform, node, beginLife(platform, node.id));
  startBeside();
  await run(user().createTenant({ id: "acme", quota: NO_QUOTA }, someone));
  await platform.clock.advance(8_000);
});

describe("names that come again", () => {
  it("give other ids to their instances, also where a node was away meanwhile", async () => {
    await deploy("web", 1);
    await platform.clock.advance(5_000);
    const at = platform.nodes.find(node => node.running().length > 0)!;
    at.engine.crash(at.engine.containers()[0]!.id, 1);
    await platform.clock.advance(20_000);
    await run(user().changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, now()));
    await platform.clock.advance(20_000);
    await deploy("web", 1, "web:2");
    await platform.clock.advance(20_000);
    expect(running()).toEqual(["acme.web.2@1"]);
  });
});

describe("a database that is three leaders old", () => {
  it("harms nobody, and obeys again after a recovery that adopts what it lost", async () => {
    await deploy("old", 2);
    await platform.clock.advance(8_000);
    const backup = structuredClone({ ...platform.database.records });
    for (let change = 0; change < 3; change++) {
      stopSchedulers();
      await platform.clock.advance(5_000);
      startSchedulers();
      await platform.clock.advance(5_000);
    }
    await run(user().changeDeployment("acme.old", { replicas: 3 }, undefined, someone, now()));
    await deploy("young", 2, "web:2");
    await platform.clock.advance(8_000);
    stopSchedulers();
    await platform.clock.advance(5_000);
    const [before, alive] = [running(), containers()];
    expect(before).toHaveLength(5);
    platform.database.restore(backup);
    startSchedulers();
    await platform.clock.advance(60_000);
    expect(containers()).toEqual(alive);
    expect(kinds()).toContain("platform.unrecovered");
    const preview = await recoverRecords();
    expect(preview.items?.filter(one => one.because === "the records lost it")).toHaveLength(3);
    await platform.clock.advance(60_000);
    expect([running(), containers()]).toEqual([before, alive]);
    const { deployments, locations } = platform.database.records;
    expect([...deployments.values()].map(one => [one.id, one.replicas, one.desired])).toEqual([
      ["acme.old", 3, "run"],
      ["acme.young", 2, "run"],
    ]);
    expect([...locations.values()].map(one => `${one.instanceId} ${one.state}`)).toHaveLength(5);
    await run(user().changeDeployment("acme.old", { replicas: 1 }, undefined, someone, now()));
    await deploy("old2", 1);
    await run(user().changeDeployment("acme.young", { replicas: 3 }, undefined, someone, now()));
    await platform.clock.advance(30_000);
    expect(running()).toHaveLength(5);
    expect(running().some(one => /acme\.young\.[1-9]\d{3,}@1/.test(one))).toBe(true);
  });
});

describe("a database that is older than what one node was told", () => {
  it("is found out by the receipt of that one agent", async () => {
    await deploy("old", 1);
    await platform.clock.advance(8_000);
    const backup = structuredClone({ ...platform.database.records });
    const revisions = () => [...platform.database.records.nodes.values()].map(one => one.node.assignmentRevision);
    const before = revisions();
    await deploy("young", 1, "web:2");
    await platform.clock.advance(8_000);
    expect(revisions().filter((one, at) => one !== before[at])).toHaveLength(1);
    const alive = containers();
    stopSchedulers();
    await platform.clock.advance(5_000);
    platform.database.restore(backup);
    startSchedulers();
    await platform.clock.advance(30_000);
    expect(platform.database.records.platform.unrecovered?.because).toContain("by later assignments");
    expect(containers()).toEqual(alive);
  });
});

describe("a database that is older than a volume", () => {
  it("does not begin an app on another volume than the one with its data", async () => {
    const mount = { name: "data", target: "/data", readOnly: false };
    const spec = aSpec({ name: "db", containers: [aContainer({ image: "web:1", volumes: [mount] })] });
    const change = (by: Parameters<ReturnType<typeof user>["changeDeployment"]>[1]) =>
      run(user().changeDeployment("acme.db", by, undefined, someone, now()));
    const volumes = () => [...platform.database.records.volumes.values()].filter(one => one.state === "kept");
    const mounted = () =>
      platform.nodes.flatMap(node => node.engine.volumes().map(one => `${one.name} ${one.serial} ${node.id}`));
    await run(user().createDeployment("acme", spec, [], someone, now()));
    await platform.clock.advance(15_000);
    const backup = structuredClone({ ...platform.database.records });
    const [old] = volumes();
    await change({ desired: "stopped" });
    await platform.clock.advance(15_000);
    await run(user().giveUpVolume(old!, someone, now()));
    await platform.clock.advance(15_000);
    await change({ desired: "run" });
    await platform.clock.advance(15_000);
    const [live] = volumes();
    expect(live!.serial).toBeGreaterThan(old!.serial);
    const [had, before, alive] = [mounted(), running(), containers()];
    stopSchedulers();
    await platform.clock.advance(5_000);
    platform.database.restore(backup);
    startSchedulers();
    await platform.clock.advance(30_000);
    await recoverRecords();
    await platform.clock.advance(60_000);
    expect([mounted(), running(), containers()]).toEqual([had, before, alive]);
    expect(volumes()).toMatchObject([{ serial: live!.serial, nodeId: live!.nodeId }]);
  });
});

describe("a database that is older than a move to another node", () => {
  it("lets the copy that runs run on, though its records have another node", async () => {
    await deploy("web", 1);
    await platform.clock.advance(8_000);
    const backup = structuredClone({ ...platform.database.records });
    const left = platform.nodes.find(node => node.running().length > 0)!;
    endLife(platform, left.id);
    platform.isolated.add(left.id);
    await platform.clock.advance(120_000);
    const moved = platform.nodes.find(node => node !== left && node.running().length > 0)!;
    const alive = moved.engine.containers().map(one => one.id);
    stopSchedulers();
    await platform.clock.advance(5_000);
    platform.database.restore(backup);
    startSchedulers();
    await platform.clock.advance(30_000);
    await recoverRecords();
    await platform.clock.advance(120_000);
    expect(moved.engine.containers().map(one => one.id)).toEqual(alive);
    expect(moved.running()).toMatchObject([{ instanceId: "acme.web.1", epoch: 2 }]);
    platform.isolated.delete(left.id);
    startAgent(platform, left, beginLife(platform, left.id));
    await platform.clock.advance(60_000);
    expect(containers()).toEqual(alive);
  });
});

describe("an exclusive app that the records do not know", () => {
  /** Deploys it after a backup, takes the schedulers away for a while, and restores the backup. */
  async function restore(awayMs: number): Promise<{ readonly before: string[]; readonly alive: string[] }> {
    const backup = structuredClone({ ...platform.database.records });
    const only = aSpec({ name: "only", exclusive: true, containers: [aContainer({ image: "web:1" })] });
    await run(user().createDeployment("acme", only, [], someone, now()));
    await platform.clock.advance(15_000);
    const [before, alive] = [running(), containers()];
    expect(before).toEqual(["acme.only.1@1"]);
    stopSchedulers();
    await run(beside.stop());
    await platform.clock.advance(awayMs);
    platform.database.restore(backup);
    startSchedulers();
    startBeside("beside-2");
    return { before, alive };
  }

  it("runs on without a pause while nothing is decided, and after the recovery", async () => {
    const { before, alive } = await restore(2_000);
    for (let second = 0; second < 40; second++) {
      await platform.clock.advance(1_000);
      expect(running()).toEqual(before);
    }
    expect(platform.database.records.platform.unrecovered).toBeDefined();
    await recoverRecords();
    await platform.clock.advance(30_000);
    expect([running(), containers()]).toEqual([before, alive]);
    expect(platform.database.records.leases.size).toBe(1);
  });

  it("runs again while nothing is decided where its lease ended meanwhile, and only once", async () => {
    const { before } = await restore(30_000);
    expect(running()).toEqual([]);
    await platform.clock.advance(12_000);
    expect(running()).toEqual([]);
    await platform.clock.advance(18_000);
    expect(running()).toEqual(before);
  });
});

describe("an empty database", () => {
  beforeEach(async () => {
    for (const name of ["a", "b", "c"]) await deploy(name, 4);
    await platform.clock.advance(15_000);
    expect(running()).toHaveLength(12);
    stopSchedulers();
    await platform.clock.advance(5_000);
  });

  it("removes nothing, and has everything again after a recovery", async () => {
    const [before, alive] = [running(), containers()];
    platform.database.restore(emptyRecords());
    startSchedulers();
    await platform.clock.advance(120_000);
    expect(containers()).toEqual(alive);
    expect(platform.database.records.platform.unrecovered).toBeDefined();
    await recoverRecords();
    await platform.clock.advance(120_000);
    expect([running(), containers()]).toEqual([before, alive]);
    await run(user().changeDeployment("acme.a", { desired: "deleted" }, undefined, someone, now()));
    await platform.clock.advance(30_000);
    expect(running()).toHaveLength(8);
    await deploy("a", 1);
    await platform.clock.advance(10_000);
    expect(running().filter(one => one.startsWith("acme.a."))).toEqual([expect.stringMatching(/^acme\.a\.\d{4,}@1$/)]);
  });

  it("removes nothing either where the agents lost their journals as well, and leaves it to people", async () => {
    for (const node of platform.nodes) endLife(platform, node.id);
    const alive = containers();
    for (const journal of platform.journals.values())
      await journal.write({ assignment: undefined, epochs: {}, bootId: "" });
    platform.database.restore(emptyRecords());
    for (const node of platform.nodes) startAgent(platform, node, beginLife(platform, node.id));
    startSchedulers();
    await platform.clock.advance(120_000);
    expect(containers()).toEqual(alive);
    expect(platform.database.records.orphans.size).toBe(12);
    await recoverRecords();
    await platform.clock.advance(120_000);
    expect(containers()).toEqual(alive);
    expect(platform.database.records.orphans.size).toBe(12);
  });

  it("takes back a node that was away during the recovery without ending what is recorded nowhere", async () => {
    const away = platform.nodes[0]!;
    const theirs = away.running().map(one => `${one.instanceId}@${one.epoch}`);
    expect(theirs.length).toBeGreaterThan(0);
    endLife(platform, away.id);
    platform.isolated.add(away.id);
    const alive = containers();
    platform.database.restore(emptyRecords());
    startSchedulers();
    await platform.clock.advance(30_000);
    await recoverRecords();
    platform.isolated.delete(away.id);
    startAgent(platform, away, beginLife(platform, away.id));
    await platform.clock.advance(60_000);
    expect(containers()).toEqual(alive);
    expect(platform.database.records.orphans.size).toBe(theirs.length);
    await recoverRecords();
    await platform.clock.advance(60_000);
    expect(containers()).toEqual(alive);
    expect(platform.database.records.orphans.size).toBe(0);
  });
});
