import { aVolume } from "@skep/core/testing/builders.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { MigrationStage } from "@skep/core/workspace/migration-state.ts";
import { planPods } from "@skep/core/workspace/plan-pods.ts";
import { podSpec } from "@skep/core/workspace/pod-spec.ts";
import { describe, expect, it } from "vitest";
import { aHostReport } from "../testing/hosts.ts";
import { aReport, aStatus, creation, placement } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const SETTINGS = {
  ...{ apiUrl: "http://10.0.0.1:7700", databaseHosts: ["mongo.internal"], webhookHosts: [] },
  images: { workspace: "skep/workspace:1", mosquitto: "mosquitto:2", mongo: "mongo:6", versitygw: "versitygw:1" },
};
const connector = (id: string, mode: "shared" | "standalone") => aConnector({ id }, {}, {}, mode);
const SECRETS = { host: "h", broker: "b", passwords: "p\nq\n", files: "f" };
const spec = podSpec(connector("fleet", "standalone"), SETTINGS, SECRETS);

/** The pods of standalone workspaces. */
export function describePods({ store, committed, mandate }: StoreSetting): void {
  const make = (id: string, mode: "shared" | "standalone") =>
    store.createWorkspace(
      { tenantId: "acme", connector: connector(id, mode), purpose: aPurpose(), strategy: "least-loaded" },
      someone,
      NOW,
    );

  describe("pods", () => {
    it("are known with the workspaces that need one or have one, and with what runs of them", async () => {
      await make("fleet", "standalone");
      await make("other", "shared");
      const [fleet, ...rest] = (await store.loadPods()).workspaces;
      expect(rest).toEqual([]);
      expect(fleet).toMatchObject({ id: "fleet", tenantId: "acme", desired: "run", needsPod: true, isHeld: false });
      const made = await store.createDeployment("acme", spec, [], someone, NOW);
      await store.createDeployment("acme", { ...spec, name: "ws_other" }, [], someone, NOW);
      const records = await store.loadPods();
      expect(records.workspaces.map(one => [one.id, one.needsPod])).toEqual([
        ["fleet", true],
        ["other", false],
      ]);
      expect(records.pods.map(one => one.deployment.id)).toEqual(["acme.ws_fleet", "acme.ws_other"]);
      expect(records.pods[0]).toEqual({ deployment: made.deployment, spec, instances: [] });
      const [one, two] = [1, 2].map(serial => ({ id: `acme.ws_fleet.${serial}`, deploymentId: "acme.ws_fleet" }));
      await committed(creation(1, one), creation(2, two), placement(2, { instanceId: two!.id }));
      const [{ instances } = { instances: [] }] = (await store.loadPods()).pods;
      expect(instances.map(({ instance, locations }) => [instance.id, locations.map(({ nodeId }) => nodeId)])).toEqual([
        ["acme.ws_fleet.1", []],
        ["acme.ws_fleet.2", ["node-1"]],
      ]);
    });

    it("are needed by a shared workspace too while it moves", async () => {
      await make("fleet", "shared");
      expect((await store.loadPods()).workspaces).toEqual([]);
      await store.startMove("fleet", "standalone", someone, NOW);
      expect((await store.loadPods()).workspaces).toMatchObject([{ id: "fleet", needsPod: true, isHeld: false }]);
    });

    it("run on while a workspace that is stopped goes back", async () => {
      await make("fleet", "shared");
      await store.startMove("fleet", "standalone", someone, NOW);
      await store.changeWorkspace("fleet", { desired: "stopped" }, undefined, someone, NOW);
      const write = async (stage: MigrationStage, step: number) => {
        const { move } = (await store.getMove("fleet"))!;
        const moves = [{ move: { ...move, stage, step }, fromStep: move.step }];
        await store.commitHosting({ silenced: new Map(), gone: [], lost: [], changes: [], moves }, mandate(), NOW);
        return (await store.loadPods()).workspaces.map(one => one.desired);
      };
      expect(await write("withdraw", 2)).toEqual(["run"]);
      expect(await write("apart", 3)).toEqual(["stopped"]);
      expect(await write("back", 4)).toEqual(["run"]);
    });

    it("are as they are wanted once they are written", async () => {
      await make("fleet", "standalone");
      const specs = new Map([["fleet", spec]]);
      const [change] = planPods(await store.loadPods(), specs);
      expect(change).toMatchObject({ kind: "create", tenantId: "acme" });
      await store.createDeployment("acme", spec, [], someone, NOW);
      expect(planPods(await store.loadPods(), specs)).toEqual([]);
    });

    it("are held while a host of their own has the workspace, and not by another one", async () => {
      await make("fleet", "standalone");
      const isHeld = async () => (await store.loadPods()).workspaces[0]?.isHeld;
      const place = (hostId: string, epoch: number) =>
        store.commitHosting(
          {
            ...{ silenced: new Map(), gone: [], lost: [] },
            changes: [{ kind: "place", workspaceId: "fleet", hostId, epoch, placement: epoch, because: "" }],
          },
          mandate(),
          NOW,
        );
      await store.saveHostReport(aHostReport({ hostId: "host_a", workspaceId: undefined }), 2_000, NOW);
      await store.saveHostReport(aHostReport({ hostId: "host_b", workspaceId: "fleet" }), 2_000, NOW);
      await place("host_a", 1);
      expect(await isHeld()).toBe(false);
      const status = {
        workspaceId: "fleet",
        epoch: 1,
        state: "stopped",
        isHealthy: true,
        counts: {},
        lastError: "",
      } as const;
      await store.saveHostReport(aHostReport({ hostId: "host_a", seq: 2, workspaces: [status] }), 2_000, NOW);
      const forget = { kind: "forget", workspaceId: "fleet", epoch: 1, because: "" } as const;
      await store.commitHosting({ silenced: new Map(), gone: [], lost: [], changes: [forget] }, mandate(), NOW);
      await place("host_b", 2);
      expect(await isHeld()).toBe(true);
    });

    it("are known with the volumes that go with a workspace's data, until they are given up", async () => {
      await make("fleet", "standalone");
      await make("other", "standalone");
      await make("shared", "shared");
      const volumeOf = (id: string, serial: number, name = "files") =>
        aVolume({ tenantId: "acme", owner: `acme.ws_${id}`, name, serial, createdAt: NOW, usedAt: NOW });
      const [files, broker, left] = [volumeOf("fleet", 1), volumeOf("fleet", 2, "broker"), volumeOf("shared", 4)];
      for (const volume of [files, broker, volumeOf("other", 3), left])
        await committed({ kind: "create-volume", volume, deploymentId: volume.owner });
      const change = (id: string, data?: "remove") =>
        store.changeWorkspace(
          id,
          { desired: "deleted", ...(data === undefined ? {} : { data }) },
          undefined,
          someone,
          NOW,
        );
      await change("fleet");
      expect((await store.loadPods()).volumes).toEqual([]);
      await change("fleet", "remove");
      // It was standalone once.
      await change("shared", "remove");
      const { volumes, workspaces } = await store.loadPods();
      expect(volumes).toEqual([broker, files, left]);
      expect(workspaces.map(one => [one.id, one.removesData])).toEqual([
        ["fleet", true],
        ["other", false],
        ["shared", true],
      ]);
      await store.giveUpVolume(files, someone, NOW);
      await store.giveUpVolume(left, someone, NOW);
      expect((await store.loadPods()).volumes).toEqual([broker]);
      expect((await store.loadPods()).workspaces.map(one => one.id)).toEqual(["fleet", "other"]);
    });

    it("are recorded with what is wrong with them, which raises no version and stays as others change", async () => {
      await make("fleet", "standalone");
      await make("other", "standalone");
      await store.savePodProblems(
        new Map([
          ["fleet", "no room"],
          ["none", "x"],
        ]),
      );
      expect(await store.getWorkspace("fleet")).toMatchObject({ podProblem: "no room", version: 1 });
      expect((await store.getWorkspace("other"))?.podProblem).toBe("");
      expect((await store.loadPods()).workspaces.map(one => one.podProblem)).toEqual(["no room", ""]);
      const changed = await store.changeWorkspace("fleet", { restart: true }, undefined, someone, NOW);
      expect(changed.podProblem).toBe("no room");
      await store.savePodProblems(new Map([["fleet", ""]]));
      expect((await store.getWorkspace("fleet"))?.podProblem).toBe("");
    });

    it("are reached where they run, by each of their ports", async () => {
      await make("fleet", "standalone");
      const nowhere = { isThere: false, nodeId: "", address: undefined };
      expect(await store.locatePod("fleet", 7_704)).toEqual(nowhere);
      expect(await store.locatePod("none", 7_704)).toEqual(nowhere);
      await store.createDeployment("acme", spec, [], someone, NOW);
      expect(await store.locatePod("fleet", 7_704)).toEqual({ ...nowhere, isThere: true });
      const [instanceId, deploymentId] = ["acme.ws_fleet.1", "acme.ws_fleet"];
      const tcp = { protocol: "tcp" } as const;
      const ports = [
        { ...tcp, container: "host", containerPort: 7_704, hostPort: 31_000 },
        { ...tcp, container: "mosquitto", containerPort: 1_883, hostPort: 31_001 },
      ];
      await committed(creation(1, { id: instanceId, deploymentId }), placement(1, { instanceId, ports }));
      await store.saveReport(aReport({ full: true, statuses: [aStatus({ instanceId, ports })] }), NOW);
      const at = async (port: number) => (await store.locatePod("fleet", port)).address;
      expect(await at(7_704)).toEqual({ host: "10.0.0.1", port: 31_000 });
      expect(await at(1_883)).toEqual({ host: "10.0.0.1", port: 31_001 });
      expect(await at(27_017)).toBeUndefined();
      expect((await store.locatePod("fleet", 7_704)).nodeId).toBe("node-1");
    });
  });
}
