import { NO_BASIS } from "@skep/core/world/basis.ts";
import { aNode, aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { aReport, aRoute, creation, placement } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

/** The world as one snapshot, plans as compare-and-set, assignments from the records. */
export function describePlans(setting: StoreSetting): void {
  const { store, place, commit, committed, locationOf, instanceOf, term, mandate } = setting;

  describe("the world and the commit", () => {
    it("loads what was written, as one snapshot", async () => {
      const world = await store.loadWorld();
      expect(new Set(world.tenants)).toEqual(new Set([aTenant(), aTenant({ id: "default" })]));
      expect(world.deployments).toMatchObject([{ id: "acme.web", replicas: 2, nextSerial: 1, release: 1 }]);
      expect(world.releases).toEqual([{ deploymentId: "acme.web", number: 1, spec: aSpec({ replicas: 2 }) }]);
      expect(world.nodes).toMatchObject([{ id: "node-1", capacity: aNode().capacity, liveness: "unknown" }]);
      expect(world).toMatchObject({ instances: [], locations: [], placements: 0 });
    });

    it("creates and places instances in one commit and answers the node's new revision", async () => {
      const ports = [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20000 }] as const;
      const revisions = await committed(creation(1), creation(2), placement(1, { ports }));
      expect(revisions).toEqual(new Map([["node-1", 1]]));
      const world = await store.loadWorld();
      expect(world.deployments[0]?.nextSerial).toBe(3);
      expect(world.placements).toBe(1);
      expect(world.nodes[0]).toMatchObject({ lastPlaced: 1, assignmentRevision: 1 });
      expect(world.instances.map(one => [one.id, one.epoch]).toSorted()).toEqual([
        ["acme.web.1", 1],
        ["acme.web.2", 0],
      ]);
      expect(world.locations).toEqual([
        {
          instanceId: "acme.web.1",
          deploymentId: "acme.web",
          tenantId: "acme",
          release: 1,
          epoch: 1,
          nodeId: "node-1",
          desired: "run",
          desiredAt: NOW,
          ports,
          state: "assigned",
          health: "none",
          containers: [],
          message: "",
          changedAt: NOW,
        },
      ]);
    });

    it("keeps the routes of the older release as long as anything of it is recorded", async () => {
      await committed(creation(1), creation(2), placement(1), placement(2));
      const forget = (serial: number): Promise<unknown> =>
        committed({ kind: "forget-location", instanceId: `acme.web.${serial}`, epoch: 1, portsFreeAt: NOW });
      const [spec, routes] = [aSpec({ replicas: 1 }), [aRoute({ targetPort: 81 })]];
      const update = { spec: { ...spec, containers: [{ ...spec.containers[0]!, image: "web:2" }] }, routes };
      await store.changeDeployment("acme.web", update, undefined, someone, NOW);
      const ports = async (): Promise<unknown> =>
        (await store.listRoutes({})).map(({ release, router, targetPort }) => [release, router, targetPort]);
      expect(await ports()).toEqual([
        [1, "web", aRoute().targetPort],
        [2, "web", 81],
      ]);
      expect((await store.loadEdge()).routes.map(route => route.release).toSorted()).toEqual([1, 2]);
      const again = { spec: { ...spec, containers: [{ ...spec.containers[0]!, image: "web:3" }] }, routes };
      await store.changeDeployment("acme.web", again, undefined, someone, NOW);
      expect(await ports()).toEqual([
        [1, "web", aRoute().targetPort],
        [3, "web", 81],
      ]);
      await forget(1);
      expect(await ports()).toHaveLength(2);
      await forget(2);
      expect(await ports()).toEqual([[3, "web", 81]]);
      await store.changeDeployment("acme.web", { restart: true }, undefined, someone, NOW);
      expect(await ports()).toEqual([[4, "web", 81]]);
      await committed(creation(3, { release: 4 }), placement(3));
      await forget(3);
      expect(await ports()).toEqual([[4, "web", 81]]);
    });

    it("refuses the plan of another term and of an expired lease, and writes nothing of it", async () => {
      const plan = { changes: [creation(1)], wakeAt: undefined, basis: NO_BASIS };
      const { term, holder } = mandate();
      expect(await store.commit(plan, { term: term + 1, holder }, NOW)).toMatchObject({ kind: "stale" });
      expect(await store.commit(plan, { term, holder: "other" }, NOW)).toMatchObject({ kind: "stale" });
      await store.takeLease("me", 20);
      await place.wait(30);
      expect(await store.commit(plan, mandate(), NOW)).toMatchObject({ kind: "stale" });
      expect((await store.loadWorld()).instances).toEqual([]);
    });

    it("refuses a serial that is behind, an epoch that moved on and a port that is taken, each as stale", async () => {
      const ports = [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20000 }] as const;
      await committed(creation(1), creation(2), placement(1, { ports }));
      expect(await commit(creation(2))).toMatchObject({ kind: "stale" });
      expect(await commit(placement(1))).toMatchObject({ kind: "stale" });
      expect(await commit(placement(2, { ports }))).toMatchObject({ kind: "stale" });
      expect(await commit(creation(3), placement(2, { epoch: 3 }))).toMatchObject({ kind: "stale" });
      expect((await store.loadWorld()).instances).toHaveLength(2);
      await committed({ kind: "lose", instanceId: "acme.web.1", epoch: 1, because: "its node is down" });
      await committed(placement(2, { ports }));
    });

    it("lets two leaders of one term never both place an instance", async () => {
      await committed(creation(1));
      const results = await Promise.all([1, 2, 3, 4].map(() => commit(placement(1))));
      expect(results.filter(result => result.kind === "committed")).toHaveLength(1);
    });

    it("writes every other kind of change", async () => {
      const refusal = {
        removed: [{ filter: "capacity", nodes: 1, sentence: "1 node is full" }],
        advice: "Add a node.",
      };
      await committed(creation(1), creation(2), placement(1));
      await committed(
        { kind: "refuse", instanceId: "acme.web.2", refusal },
        { kind: "defer", instanceId: "acme.web.2", retryAt: NOW + 5, because: "it keeps failing" },
        { kind: "retire", instanceId: "acme.web.1", epoch: 1, because: "a newer one serves" },
      );
      expect(await instanceOf("acme.web.2")).toMatchObject({ refusal, retryAt: NOW + 5 });
      expect(await locationOf("acme.web.1")).toMatchObject({ desired: "retire" });
      await committed({ kind: "stop", instanceId: "acme.web.1", epoch: 1, because: "it has retired" });
      expect(await locationOf("acme.web.1")).toMatchObject({ desired: "stop", desiredAt: NOW });
      await committed({ kind: "lose", instanceId: "acme.web.1", epoch: 1, because: "its node is down" });
      expect(await locationOf("acme.web.1")).toMatchObject({ state: "lost", message: "its node is down" });
      await committed({ kind: "refuse", instanceId: "acme.web.2", refusal: undefined });
      expect(await instanceOf("acme.web.2")).toMatchObject({ refusal: undefined, retryAt: NOW + 5 });
      await committed(placement(1, { epoch: 2, placement: 2 }), placement(2, { placement: 3 }));
      expect(await instanceOf("acme.web.2")).toMatchObject({ refusal: undefined, retryAt: undefined, epoch: 1 });
      await committed({ kind: "stop-instance", instanceId: "acme.web.1", because: "scaled down" });
      expect(await locationOf("acme.web.1", 2)).toMatchObject({ desired: "stop" });
      await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: NOW });
      expect(await locationOf("acme.web.1", 1)).toBeUndefined();
      await committed(
        { kind: "forget-location", instanceId: "acme.web.1", epoch: 2, portsFreeAt: NOW },
        { kind: "forget-instance", instanceId: "acme.web.1" },
      );
      expect((await store.loadWorld()).locations).toHaveLength(1);
      await store.changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, NOW);
      await committed(
        { kind: "forget-location", instanceId: "acme.web.2", epoch: 1, portsFreeAt: NOW },
        { kind: "forget-instance", instanceId: "acme.web.2" },
        { kind: "forget-deployment", deploymentId: "acme.web" },
      );
      const world = await store.loadWorld();
      expect(world).toMatchObject({ deployments: [], releases: [], instances: [], locations: [], placements: 3 });
      expect(await store.listRoutes({})).toEqual([]);
    });
  });

  describe("assignments", () => {
    it("names what a node is to run and to stop, and no longer what is gone", async () => {
      await committed(creation(1), creation(2), placement(1), placement(2));
      await committed({ kind: "lose", instanceId: "acme.web.2", epoch: 1, because: "its node was down" });
      expect(await store.loadAssignment("node-1")).toMatchObject({
        nodeId: "node-1",
        term: term(),
        revision: 2,
        availability: "active",
        removals: [],
        instances: [
          { instanceId: "acme.web.1", epoch: 1, desired: "run", slot: 0, spec: { name: "web" } },
          { instanceId: "acme.web.2", epoch: 1, desired: "stop" },
        ],
      });
      await store.saveReport(aReport({ gone: [{ instanceId: "acme.web.2", epoch: 1 }] }), NOW);
      expect((await store.loadAssignment("node-1"))?.instances).toHaveLength(1);
      expect(await store.loadAssignment("node-9")).toBeUndefined();
    });

    it("gives a node the specs of what is placed on it, and no other", async () => {
      await committed(creation(1));
      expect(await store.loadSpec("node-1", "acme.web", 1)).toBeUndefined();
      await committed(placement(1));
      expect(await store.loadSpec("node-1", "acme.web", 1)).toEqual(aSpec({ replicas: 2 }));
      expect(await store.loadSpec("node-1", "acme.web", 2)).toBeUndefined();
      expect(await store.loadSpec("node-2", "acme.web", 1)).toBeUndefined();
    });
  });
}
