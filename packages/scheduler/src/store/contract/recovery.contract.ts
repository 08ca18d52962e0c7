import type { Recovery } from "@skep/core/identity/recovery-records.ts";
import { aDeployment, aLocation, anInstance, aSpec, aTenant, aVolume } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { aRoute, creation, placement } from "../testing/records.ts";
import { LONG, NOW, someone, type StoreSetting } from "./setting.ts";

/** A recovery as one transaction: everything that core planned, or nothing. */
export function describeRecoveries(setting: StoreSetting): void {
  const { store, committed, mandate } = setting;
  const ports = [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_000 }] as const;
  const item = { nodeId: "node-1", instanceId: "acme.old.7", epoch: 2, because: "nobody knows it" };

  /** One deployment made again, one grown by an instance that holds the port of another. */
  function aRecovery(over: Partial<Recovery> = {}): Recovery {
    const lost = { deploymentId: "lost.app", tenantId: "lost" };
    const release = { deploymentId: "lost.app", number: 4, spec: aSpec({ name: "app" }) };
    return {
      identity: { incarnation: "inc_new", succeeds: ["inc_old"], serialFloor: 2_000 },
      items: [
        { ...item, action: "leave" },
        { ...item, epoch: 3, action: "remove" },
      ],
      tenants: [aTenant({ id: "lost" })],
      deployments: [
        aDeployment({ tenantId: "lost", name: "app", release: 4, nextSerial: 1_008 }),
        aDeployment({ replicas: 3, resourceVersion: 2, nextSerial: 1_003 }),
      ],
      releases: [release],
      routes: [aRoute({ ...lost, domain: "lost.example", router: "lost" })],
      instances: [
        anInstance({ id: "lost.app.7", ...lost, release: 4, epoch: 2 }),
        anInstance({ epoch: 5, desired: "stop" }),
      ],
      locations: [aLocation({ instanceId: "lost.app.7", ...lost, release: 4, epoch: 2, ports, address: "10.128.0.9" })],
      dropped: [{ instanceId: "acme.web.1", epoch: 1 }],
      serials: new Map([
        ["lost.app", { next: 1_008, gap: { from: 1, to: 1_008 }, skipped: [] }],
        ["acme.web", { next: 1_003, gap: { from: 3, to: 1_003 }, skipped: [] }],
      ]),
      volumes: { items: [], written: [], dropped: [] },
      placements: 0,
      ...over,
    };
  }

  describe("a recovery", () => {
    it("writes all of it, raises every revision and ends the lease", async () => {
      await committed(creation(1), creation(2), placement(1, { ports }));
      await store.saveRemovals([item], mandate(), NOW);
      await store.markUnrecovered("it is old", mandate(), NOW);
      const marked = { identity: { unrecovered: { because: "it is old" } }, term: mandate().term };
      expect(await store.loadEdge()).toMatchObject(marked);
      const { incarnation, receiptKey } = await store.loadIdentity();
      const before = (await store.loadAssignment("node-1"))!.revision;
      await store.recover(aRecovery(), incarnation, someone, NOW + 9);
      const { identity, serials } = aRecovery();
      expect(await store.loadIdentity()).toEqual({ ...identity, unrecovered: undefined, receiptKey });
      expect(await store.loadSerials()).toEqual(serials);
      const world = await store.loadWorld();
      const byId = new Map(world.deployments.map(one => [one.id, one]));
      expect(byId.get("lost.app")).toMatchObject({ tenantId: "lost", release: 4, nextSerial: 1_008 });
      expect(byId.get("acme.web")).toMatchObject({ replicas: 3, resourceVersion: 2, nextSerial: 1_003 });
      expect(world.instances.map(one => [one.id, one.epoch, one.desired]).toSorted()).toEqual([
        ["acme.web.1", 5, "stop"],
        ["acme.web.2", 0, "run"],
        ["lost.app.7", 2, "run"],
      ]);
      expect(world.locations).toMatchObject([
        { instanceId: "lost.app.7", nodeId: "node-1", ports, address: "10.128.0.9" },
      ]);
      expect((await store.listRoutes({ tenantId: "lost" })).map(one => one.domain)).toEqual(["lost.example"]);
      expect(await store.listOrphans()).toMatchObject([{ epoch: 2, since: NOW + 9 }]);
      expect(await store.loadRemovals()).toMatchObject([{ epoch: 3 }]);
      const assignment = await store.loadAssignment("node-1");
      expect(assignment).toMatchObject({ incarnation: "inc_new", succeeds: ["inc_old"], revision: before + 1 });
      expect(assignment?.instances).toMatchObject([{ instanceId: "lost.app.7", spec: { name: "app" } }]);
      expect(await setting.commit(creation(1_003))).toMatchObject({ kind: "stale" });
      expect((await store.takeLease("next", LONG)).holder).toBe("next");
    });

    it("writes the volumes that the nodes have, drops others, and gives no serial twice", async () => {
      await committed(
        { kind: "create-volume", volume: aVolume({ serial: 5 }), deploymentId: "acme.web" },
        { kind: "create-volume", volume: aVolume({ serial: 6, name: "logs" }), deploymentId: "acme.web" },
      );
      const { incarnation } = await store.loadIdentity();
      const written = [aVolume({ serial: 9, usedAt: NOW }), aVolume({ serial: 6, name: "logs", usedAt: NOW + 1 })];
      const volumes = { items: [], written, dropped: [aVolume({ serial: 5 })] };
      await store.recover(aRecovery({ dropped: [], volumes, placements: 1_009 }), incarnation, someone, NOW);
      expect(await store.listVolumes({})).toEqual(written);
      expect((await store.loadWorld()).placements).toBe(1_009);
    });

    it("is written on the records that it was planned from, and once", async () => {
      await expect(store.recover(aRecovery(), "inc_another", someone, NOW)).rejects.toMatchObject({
        reason: "INCARNATION_CHANGED",
      });
      expect((await store.loadWorld()).deployments).toHaveLength(1);
      const { incarnation } = await store.loadIdentity();
      await store.recover(aRecovery({ locations: [], dropped: [] }), incarnation, someone, NOW);
      const again = store.recover(aRecovery(), incarnation, someone, NOW);
      await expect(again).rejects.toMatchObject({ reason: "INCARNATION_CHANGED" });
    });

    it("adopts what runs although a quota would refuse it, and the quota holds again afterwards", async () => {
      const { incarnation } = await store.loadIdentity();
      await store.updateTenant("acme", { instances: 2, cpuMillis: undefined, memoryBytes: undefined }, someone);
      await store.recover(aRecovery({ dropped: [] }), incarnation, someone, NOW);
      const more = store.changeDeployment("acme.web", { replicas: 9 }, undefined, someone, NOW);
      await expect(more).rejects.toMatchObject({ code: "resource_exhausted" });
    });

    it("lets new names begin above the floor", async () => {
      const { incarnation } = await store.loadIdentity();
      await store.recover(aRecovery({ dropped: [] }), incarnation, someone, NOW);
      const { deployment } = await store.createDeployment("acme", aSpec({ name: "fresh" }), [], someone, NOW);
      expect(deployment.nextSerial).toBe(2_000);
    });
  });
}
