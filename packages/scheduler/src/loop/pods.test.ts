import { SkepError } from "@skep/core/error.ts";
import { volumeKey } from "@skep/core/model/volume.ts";
import { aTenant, aVolume } from "@skep/core/testing/builders.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { COUNTS } from "@skep/core/workspace/container.ts";
import type { WorkspaceChange } from "@skep/core/workspace/record.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { createHostTokens } from "../join/host-tokens.ts";
import { createPodSecrets } from "../join/pod-secrets.ts";
import type { Store } from "../store/store.ts";
import { aHostedStatus, aHostReport } from "../store/testing/hosts.ts";
import { createRig, type Rig } from "../testing/rig.ts";
import type { Leadership } from "./leader.ts";
import { createPods, type PodMaking } from "./pods.ts";

const SETTINGS = {
  ...{ apiUrl: "http://10.0.0.1:7700", databaseHosts: [], webhookHosts: [] },
  images: { workspace: "workspace:1", mosquitto: "mosquitto:2", mongo: "mongo:6", versitygw: "versitygw:1" },
};
const someone = { actor: "someone", idempotencyKey: undefined };
const NO_QUOTA = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };

let rig: Rig;
let store: Store;
let holds: boolean;
let wakes: number;
beforeEach(async () => {
  rig = createRig();
  store = rig.database.connect("test");
  await store.createTenant(aTenant(), someone);
  [holds, wakes] = [true, 0];
});

const create = (id = "fleet") =>
  store.createWorkspace(
    {
      ...{ tenantId: "acme", purpose: aPurpose(), strategy: "least-loaded" },
      connector: aConnector({ id }, {}, {}, "standalone"),
    },
    someone,
    1,
  );
const change = (wanted: WorkspaceChange) => store.changeWorkspace("fleet", wanted, undefined, someone, 1);
const pod = async () => (await store.getDeployment("acme.ws_fleet"))?.deployment;
function podsWith(over: Partial<PodMaking> = {}, through: Partial<Store> = {}) {
  const leadership = { term: 1, holder: "s1", holds: () => holds } as Leadership;
  const ports = rig.ports("s1");
  const wake = (): void => void (wakes += 1);
  const making = { settings: SETTINGS, secretsOf: createPodSecrets(createHostTokens(ports)), ...over };
  return createPods({ ...ports, store: { ...ports.store, ...through } }, { leadership, making, wake });
}

describe("the pods of standalone workspaces", () => {
  it("are refused where their spec cannot be made, and the others are made", async () => {
    await create("bad");
    await create("fleet");
    const record = rig.database.records.workspaces.get("bad")!;
    const broken = { ...record.connector, config: { resources: { type: "standalone" } } as never };
    rig.database.records.workspaces.set("bad", { ...record, connector: broken });
    const pods = podsWith();
    const { decisions, waiting } = await pods.look();
    expect(decisions.map(one => `${one.kind} ${one.deploymentId}`)).toEqual([
      "pod.made acme.ws_fleet",
      "pod.refused acme.ws_bad",
    ]);
    expect(waiting.get("bad")).toContain("which cannot be made: its spec cannot be made (");
    expect((await pods.look()).decisions).toEqual([]);
  });

  it("are made once, and the tick is woken for it", async () => {
    await create();
    const pods = podsWith();
    const { waiting, decisions } = await pods.look();
    expect(waiting.get("fleet")).toBe("waits for its pod acme.ws_fleet, which is being made");
    expect(decisions).toMatchObject([{ kind: "pod.made", tenantId: "acme", deploymentId: "acme.ws_fleet" }]);
    expect(wakes).toBe(1);
    expect((await pods.look()).decisions).toEqual([]);
    expect(wakes).toBe(1);
    expect(await pod()).toMatchObject({ desired: "run", release: 1 });
  });

  it("have secrets that are good for their workspace only, and the same for the next leader", async () => {
    await create();
    await create("other");
    await podsWith().look();
    expect((await podsWith().look()).decisions).toEqual([]);
    const env = async (id: string, name: string) =>
      (await store.getDeployment(id))!.release.spec.containers.find(one => one.name === name)!.env;
    const tokens = createHostTokens({ store, clock: rig.clock });
    const host = await env("acme.ws_fleet", "host");
    expect((await tokens.authenticate(host["SKEP_HOST_SECRET"] ?? ""))?.host).toEqual({
      ...{ hostId: undefined, workspaceId: "fleet" },
    });
    const other = await env("acme.ws_other", "host");
    expect(other["SKEP_MQTT_PASSWORD"]).not.toBe(host["SKEP_MQTT_PASSWORD"]);
    expect(host["SKEP_MQTT_PASSWORD"]).toBe(await tokens.brokerPassword("fleet", "host"));
    const { PASSWORDS = "" } = await env("acme.ws_fleet", "mosquitto");
    expect(PASSWORDS).toMatch(/^gate:\$7\$101\$\S+\nhost:\$7\$101\$\S+\n$/);
    expect(PASSWORDS).not.toContain(host["SKEP_MQTT_PASSWORD"]);
  });

  it("count against the tenant's quota, and say so until there is room", async () => {
    await store.updateTenant("acme", { ...NO_QUOTA, memoryBytes: 1_000_000 }, someone);
    await create();
    const pods = podsWith();
    const { waiting, decisions } = await pods.look();
    expect(waiting.get("fleet")).toMatch(/^waits for its pod acme\.ws_fleet, which cannot be made: .*quota/);
    expect(decisions.map(one => one.kind)).toEqual(["pod.refused"]);
    expect((await pods.look()).decisions).toEqual([]);
    const problem = async () => (await store.getWorkspace("fleet"))?.podProblem;
    expect(await problem()).toMatch(/^its pod acme\.ws_fleet cannot be made: .*; stop something, lower the limits, or/);
    await store.updateTenant("acme", NO_QUOTA, someone);
    expect((await podsWith().look()).decisions).toHaveLength(1);
    await podsWith().look();
    expect(await problem()).toBe("");
  });

  it("are not made where nobody said where they find the schedulers, and those that are stay", async () => {
    await create();
    const unset = podsWith({ settings: undefined });
    expect((await unset.look()).waiting.get("fleet")).toContain("SKEP_WORKSPACE_API_URL is not set");
    expect(await pod()).toBeUndefined();
    await podsWith().look();
    expect((await unset.look()).decisions).toEqual([]);
  });

  it("are made anew where something else is wanted of them", async () => {
    await create();
    await podsWith().look();
    const images = { ...SETTINGS.images, workspace: "workspace:2" };
    const { decisions } = await podsWith({ settings: { ...SETTINGS, images } }).look();
    expect(decisions.map(one => one.kind)).toEqual(["pod.changed"]);
    expect(await pod()).toMatchObject({ release: 2 });
  });

  it("stop with their workspace, run with it again, and go with it, once their host has let go", async () => {
    await create();
    const pods = podsWith();
    await pods.look();
    const desired = async () => (await pods.look(), (await pod())?.desired);
    await store.saveHostReport(aHostReport({ workspaceId: "fleet" }), 2_000, 1);
    const plan = { silenced: new Map(), gone: [], lost: [] };
    const mandate = await store.takeLease("s1", 60_000);
    const place = {
      kind: "place",
      workspaceId: "fleet",
      hostId: "host_a",
      epoch: 1,
      placement: 1,
      because: "",
    } as const;
    await store.commitHosting({ ...plan, changes: [place] }, mandate, 1);
    await change({ desired: "stopped" });
    expect(await desired()).toBe("run");
    const stopped = aHostedStatus({ epoch: 1, state: "stopped" });
    await store.saveHostReport(aHostReport({ seq: 2, workspaceId: "fleet", workspaces: [stopped] }), 2_000, 1);
    const forget = { kind: "forget", workspaceId: "fleet", epoch: 1, because: "" } as const;
    await store.commitHosting({ ...plan, changes: [forget] }, mandate, 1);
    expect(await desired()).toBe("stopped");
    await change({ desired: "run" });
    expect(await desired()).toBe("run");
    await change({ desired: "deleted" });
    expect(await desired()).toBe("deleted");
  });

  it("go with their volumes where the data is to go, and the record stays until they have", async () => {
    await create();
    const pods = podsWith();
    await pods.look();
    const volume = aVolume({ owner: "acme.ws_fleet", name: "files" });
    rig.database.records.volumes.set(volumeKey(volume), volume);
    const state = async () => (await store.listVolumes({ owner: "acme.ws_fleet" })).map(one => one.state);
    await change({ desired: "deleted" });
    const kept = await pods.look();
    expect([kept.leaving.size, kept.decisions[0]?.sentence]).toEqual([0, expect.stringContaining("volumes stay")]);
    await change({ desired: "deleted", data: "remove" });
    const going = await pods.look();
    expect([[...going.leaving], await state()]).toEqual([["fleet"], ["kept"]]);
    rig.database.records.deployments.delete("acme.ws_fleet");
    const gone = await pods.look();
    expect(gone.decisions).toMatchObject([{ kind: "pod.volume", tenantId: "acme" }]);
    expect([[...gone.leaving], await state()]).toEqual([["fleet"], ["removing"]]);
    expect((await pods.look()).leaving.size).toBe(0);
    expect((await pods.look()).waiting.size).toBe(0);
  });

  it("are wrong at the target of a move too, where that is refused", async () => {
    await store.updateTenant("acme", { ...NO_QUOTA, memoryBytes: 1_000_000 }, someone);
    const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "least-loaded" } as const;
    await store.createWorkspace({ ...wanted, connector: aConnector({ id: "fleet" }) }, someone, 1);
    await store.startMove("fleet", "standalone", someone, 1);
    await podsWith().look();
    expect((await store.getWorkspace("fleet"))?.podProblem).toContain("cannot be made: Tenant acme would hold");
  });

  it("are made for a shared workspace that moves, which goes on to wait for what it waited for", async () => {
    const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "least-loaded" } as const;
    await store.createWorkspace({ ...wanted, connector: aConnector({ id: "fleet" }) }, someone, 1);
    await store.startMove("fleet", "standalone", someone, 1);
    const { waiting, decisions } = await podsWith().look();
    expect(decisions.map(one => one.kind)).toEqual(["pod.made"]);
    expect(waiting.size).toBe(0);
  });

  it("are written by who leads only", async () => {
    await create();
    holds = false;
    expect((await podsWith({ settings: undefined }).look()).decisions).toEqual([]);
    expect((await podsWith().look()).decisions).toEqual([]);
    expect([await pod(), (await store.getWorkspace("fleet"))?.podProblem]).toEqual([undefined, ""]);
  });

  it("are looked at again where somebody wrote them in between, and no other failure is taken for a refusal", async () => {
    await create();
    const failing = (error: Error) => podsWith({}, { createDeployment: () => Promise.reject(error) }).look();
    const { waiting } = await failing(new SkepError("aborted", "STALE_VERSION", "it is at another version"));
    expect(waiting.get("fleet")).toBe("waits for its pod acme.ws_fleet, which is being made");
    await expect(failing(new SkepError("unavailable", "DATABASE_AWAY", "away"))).rejects.toThrow("away");
  });
});

it("a standalone workspace says what its pod waits for, and is placed as its own host reports", async () => {
  const scheduler = rig.scheduler("s1", true, SETTINGS);
  await create();
  scheduler.start();
  let seq = 0;
  const pass = async (hosts: readonly (string | undefined)[]): Promise<void> => {
    for (let step = 0; step < 12; step++) {
      for (const workspaceId of hosts)
        await store.saveHostReport(
          aHostReport({ hostId: `host_${workspaceId ?? "shared"}`, workspaceId, seq: ++seq }),
          ...([2_000, rig.clock.now()] as const),
        );
      await rig.clock.advance(500);
    }
  };
  await pass([undefined, "other"]);
  expect((await store.getWorkspace("fleet"))?.waiting).toContain("waits for its pod acme.ws_fleet to get a node");
  const said = rig.database.records.decisions.filter(one => one.decision.kind === "workspace.waiting").length;
  await pass([undefined, "other"]);
  expect(rig.database.records.decisions.filter(one => one.decision.kind === "workspace.waiting")).toHaveLength(said);
  expect((await store.loadHosting()).locations).toEqual([]);
  await pass([undefined, "fleet"]);
  expect((await store.loadHosting()).locations).toMatchObject([{ workspaceId: "fleet", hostId: "host_fleet" }]);
  expect((await store.getWorkspace("fleet"))?.waiting).toBe("");
  await scheduler.stop();
});

it("a workspace that is dropped with its data stays on record until its volumes are given up", async () => {
  const scheduler = rig.scheduler("s1", true, SETTINGS);
  await create();
  await change({ desired: "deleted", data: "remove" });
  scheduler.start();
  const volume = aVolume({ owner: "acme.ws_fleet", name: "files" });
  const { volumes } = rig.database.records;
  let seq = 0;
  const pass = async (isKept: boolean): Promise<void> => {
    for (let step = 0; step < 16; step++) {
      if (isKept) volumes.set(volumeKey(volume), volume);
      const placed = (await store.loadHosting()).locations.map(({ workspaceId, epoch }) =>
        aHostedStatus({ workspaceId, epoch, state: "running", counts: { [COUNTS.dataRemoved]: 1 } }),
      );
      const report = aHostReport({ hostId: "host_shared", workspaceId: undefined, seq: ++seq, workspaces: placed });
      await store.saveHostReport(report, 2_000, rig.clock.now());
      const stopped = placed.map(one => ({ ...one, state: "stopped" as const }));
      if ((await store.getWorkspace("fleet"))?.data === "removed")
        await store.saveHostReport({ ...report, seq: ++seq, workspaces: stopped }, 2_000, rig.clock.now());
      await rig.clock.advance(500);
    }
  };
  await pass(true);
  expect([(await store.getWorkspace("fleet"))?.data, (await store.loadHosting()).locations]).toEqual(["removed", []]);
  await pass(false);
  expect(await store.getWorkspace("fleet")).toBeUndefined();
  expect(volumes.get(volumeKey(volume))?.state).toBe("removing");
  await scheduler.stop();
});
