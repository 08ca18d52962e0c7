import type { Volume } from "@skep/core/model/volume.ts";
import { aContainer, aSpec, aVolume } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { someFacts } from "../testing/records.ts";
import { creation, placement } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const VOLUME = aVolume({ createdAt: NOW, usedAt: NOW });
const REPORTED = { tenantId: "acme", owner: "acme.web", name: "data", serial: 1, inUse: false };
const MOUNTING = aSpec({ containers: [aContainer({ volumes: [{ name: "data", target: "/data", readOnly: false }] })] });

/** Which exclusive copies may run on. */
export function describeCopies({ store, committed }: StoreSetting): void {
  const terms = { leaseMs: 15_000, mayBegin: false };
  const renewed = async (nodeId: string, of: { readonly instanceId: string; readonly epoch: number }) =>
    (await store.renewLeases(nodeId, [{ ...of, isHeld: true }], terms)).granted;

  describe("leases of exclusive copies", () => {
    const renew = (nodeId = "node-1", epoch = 1) => renewed(nodeId, { instanceId: "acme.web.1", epoch });

    it("are given to the latest copy, on its own node", async () => {
      await store.saveFacts(someFacts({ nodeId: "node-2" }), NOW);
      await committed(creation(1), placement(1));
      expect(await renew()).toEqual([{ instanceId: "acme.web.1", epoch: 1 }]);
      expect(await renew("node-2")).toEqual([]);
      expect(await renew("node-1", 2)).toEqual([]);
      await committed(placement(1, { epoch: 2, placement: 2 }));
      expect(await renew()).toEqual([]);
      expect(await renew("node-1", 2)).toEqual([{ instanceId: "acme.web.1", epoch: 2 }]);
    });

    it("are given to one that leaves the routes or is to stop, and to none that was given up", async () => {
      const of = { instanceId: "acme.web.1", epoch: 1, because: "a test" };
      await committed(creation(1), placement(1));
      await committed({ kind: "retire", ...of });
      expect((await renew()).length).toBe(1);
      await committed({ kind: "stop", ...of });
      expect((await renew()).length).toBe(1);
      await committed(creation(2), placement(2));
      const other = { instanceId: "acme.web.2", epoch: 1 };
      expect((await renewed("node-1", other)).length).toBe(1);
      await committed({ kind: "lose", ...other, because: "a test" });
      expect(await renewed("node-1", other)).toEqual([]);
    });
  });
}

/** Which node holds which volume, and what becomes of it. */
export function describeVolumes(setting: StoreSetting): void {
  const { store, commit, committed } = setting;
  const made = (volume: Volume = VOLUME) => committed({ kind: "create-volume", volume, deploymentId: volume.owner });

  describe("volumes", () => {
    it("are recorded by a plan, once, shown in the world and to their node", async () => {
      await store.changeDeployment("acme.web", { spec: MOUNTING }, undefined, someone, NOW);
      const revisions = await made();
      expect(revisions).toEqual(new Map([["node-1", 1]]));
      expect(await commit({ kind: "create-volume", volume: VOLUME, deploymentId: "acme.web" })).toMatchObject({
        kind: "stale",
      });
      await committed(creation(1, { release: 2 }), placement(1));
      expect((await store.loadWorld()).volumes).toEqual([VOLUME]);
      const assignment = await store.loadAssignment("node-1");
      expect(assignment?.instances[0]?.volumes).toEqual([{ owner: "acme.web", name: "data", serial: 1 }]);
      expect(assignment?.volumeRemovals).toEqual([]);
    });

    it("are listed by tenant and by owner, in order", async () => {
      await made(aVolume({ owner: "acme.web", name: "data", serial: 10 }));
      await made(aVolume({ owner: "acme.web", name: "data", serial: 9 }));
      await made(aVolume({ owner: "other.db", name: "data", serial: 11 }));
      const serials = async (filter: Parameters<typeof store.listVolumes>[0]): Promise<number[]> =>
        (await store.listVolumes(filter)).map(one => one.serial);
      expect(await serials({})).toEqual([9, 10, 11]);
      expect(await serials({ tenantId: "other" })).toEqual([11]);
      expect(await serials({ owner: "acme.web" })).toEqual([9, 10]);
    });

    it("that are given up are told to their node, and are forgotten when it says that they are gone", async () => {
      await made();
      await store.saveVolumes("node-1", [REPORTED], NOW);
      await store.giveUpVolume(VOLUME, someone, NOW);
      const { inUse: _, ...removal } = REPORTED;
      const assignment = await store.loadAssignment("node-1");
      expect(assignment?.volumeRemovals).toEqual([removal]);
      expect(assignment?.revision).toBe(2);
      expect((await store.loadWorld()).volumes).toMatchObject([{ state: "removing" }]);
      expect(await store.saveVolumes("node-1", [REPORTED], NOW)).toBe(false);
      expect(await store.saveVolumes("node-2", [], NOW)).toBe(false);
      expect((await store.listVolumes({})).length).toBe(1);
      expect(await store.saveVolumes("node-1", [], NOW)).toBe(true);
      expect(await store.listVolumes({})).toEqual([]);
      expect((await store.loadWorld()).volumes).toEqual([]);
    });

    it("that are kept stay though their node does not show them, and are marked as used when it shows their use", async () => {
      await made();
      expect(await store.saveVolumes("node-1", [], NOW + 1)).toBe(false);
      await store.saveVolumes("node-1", [REPORTED], NOW + 2);
      expect(await store.listVolumes({})).toEqual([VOLUME]);
      await store.saveVolumes("node-1", [{ ...REPORTED, inUse: true }], NOW + 3);
      expect(await store.listVolumes({})).toEqual([{ ...VOLUME, usedAt: NOW + 3 }]);
    });

    it("that nobody recorded, since an older database came back, are kept where they are found", async () => {
      expect(await store.saveVolumes("node-1", [REPORTED, { ...REPORTED, name: "logs", inUse: true }], NOW)).toBe(true);
      const logs = { ...VOLUME, name: "logs" };
      expect(await store.listVolumes({})).toEqual([{ ...VOLUME, usedAt: 0 }, logs]);
    });

    it("that their node has under another serial are superseded by it, and the node is told", async () => {
      await made(aVolume({ serial: 5 }));
      await made(aVolume({ serial: 5, name: "logs" }));
      await made(aVolume({ serial: 5, nodeId: "node-2" }));
      const before = (await store.loadAssignment("node-1"))!.revision;
      const live = { ...REPORTED, serial: 9, inUse: true };
      expect(await store.saveVolumes("node-1", [live], NOW)).toBe(true);
      const rows = (await store.listVolumes({})).map(one => `${one.name} ${one.serial} ${one.nodeId}`);
      expect(rows).toEqual(["data 5 node-2", "data 9 node-1", "logs 5 node-1"]);
      expect((await store.loadAssignment("node-1"))!.revision).toBe(before + 1);
      expect((await store.loadWorld()).volumes.length).toBe(3);
    });

    it("that were just made are not superseded by one that is being removed, nor by one beside them", async () => {
      await made(aVolume({ serial: 5 }));
      await store.giveUpVolume(aVolume({ serial: 5 }), someone, NOW);
      await made(aVolume({ serial: 9 }));
      await store.saveVolumes("node-1", [{ ...REPORTED, serial: 5 }], NOW);
      expect((await store.listVolumes({})).map(one => one.serial)).toEqual([5, 9]);
      await store.saveVolumes(
        "node-1",
        [5, 9].map(serial => ({ ...REPORTED, serial })),
        NOW,
      );
      expect((await store.listVolumes({})).map(one => one.serial)).toEqual([5, 9]);
    });

    it("of a project are told to each deployment that mounts them, and given up all at once", async () => {
      const shared = aVolume({ owner: "acme/blog", createdAt: NOW, usedAt: NOW });
      await store.changeDeployment("acme.web", { spec: MOUNTING }, undefined, someone, NOW);
      const [logs, other] = [{ ...shared, name: "logs", serial: 2 }, aVolume({ serial: 3 })];
      for (const volume of [shared, logs, other])
        await committed({ kind: "create-volume", volume, deploymentId: "acme.web" });
      await store.giveUpVolumes("acme/blog", someone, NOW);
      expect(await store.listVolumes({ owner: "acme/blog" })).toMatchObject([
        { name: "data", state: "removing" },
        { name: "logs", state: "removing" },
      ]);
      expect(await store.listVolumes({ owner: "acme.web" })).toMatchObject([{ state: "kept" }]);
      const told = (await store.loadAssignment("node-1"))!;
      expect(told.volumeRemovals.map(one => `${one.owner}/${one.name}`)).toEqual(["acme/blog/data", "acme/blog/logs"]);
      await store.giveUpVolumes("acme/blog", someone, NOW);
      expect((await store.loadAssignment("node-1"))!.revision).toBe(told.revision);
    });

    it("that are left behind stay on record until they are given up, and are left only once", async () => {
      await made(aVolume({ serial: 5 }));
      const leave = {
        kind: "leave-volume",
        volume: aVolume({ serial: 5 }),
        deploymentId: "acme.web",
        because: "x",
      } as const;
      expect(await committed(leave)).toEqual(new Map([["node-1", 2]]));
      expect(await commit(leave)).toMatchObject({ kind: "stale" });
      await made(aVolume({ serial: 9, nodeId: "node-2" }));
      // Its node comes back and shows it: it stays what it is, and takes nothing's place.
      await made(aVolume({ serial: 11 }));
      await store.saveVolumes("node-1", [{ ...REPORTED, serial: 5 }], NOW);
      const states = async () => (await store.listVolumes({})).map(one => `${one.serial} ${one.state}`);
      expect(await states()).toEqual(["5 left", "9 kept", "11 kept"]);
      await store.saveVolumes("node-1", [{ ...REPORTED, serial: 11 }], NOW);
      expect(await states()).toEqual(["5 left", "9 kept", "11 kept"]);
      await store.giveUpVolume(aVolume({ serial: 5 }), someone, NOW);
      expect(await states()).toEqual(["5 removing", "9 kept", "11 kept"]);
      expect(await commit(leave)).toMatchObject({ kind: "stale" });
    });

    it("outlive their deployment and go with their tenant, on nodes that are away too", async () => {
      await store.createTenant(
        { id: "short", quota: { instances: undefined, cpuMillis: undefined, memoryBytes: undefined } },
        someone,
      );
      await store.saveFacts(someFacts({ nodeId: "node-2", sessionId: "s2" }), NOW);
      await made();
      await made(aVolume({ owner: "short.db", serial: 2, nodeId: "node-2" }));
      const left = aVolume({ owner: "short/blog", serial: 3, nodeId: "node-2" });
      await made(left);
      await committed({ kind: "leave-volume", volume: left, deploymentId: "short.db", because: "x" });
      await store.deleteTenant("short", someone);
      expect((await store.listVolumes({})).map(one => [one.tenantId, one.state])).toEqual([
        ["acme", "kept"],
        ["short", "removing"],
        ["short", "removing"],
      ]);
      expect((await store.loadAssignment("node-2"))?.volumeRemovals).toMatchObject([
        { owner: "short.db" },
        { owner: "short/blog" },
      ]);
      expect((await store.loadAssignment("node-1"))?.volumeRemovals).toEqual([]);
    });
  });
}
