import { describe, expect, it } from "vitest";
import { aRoute, aReport, aStatus, creation, placement } from "../testing/records.ts";
import { someone, NOW, type StoreSetting } from "./setting.ts";

/** A horizon beyond which nothing is. */
const NOTHING = { keysAt: 0, decisionsAt: 0, auditAt: 0, domainsAt: 0, keepReleases: 1_000 };

/** Decisions, and what the edge reads. */
export function describeHistory(setting: StoreSetting): void {
  const { store, committed, mandate } = setting;

  describe("history and edge", () => {
    it("keeps decisions in order and forgets old ones", async () => {
      const decision = (at: number) => ({
        at,
        kind: "placed",
        tenantId: "acme",
        deploymentId: "acme.web",
        instanceId: undefined,
        nodeId: "node-1",
        epoch: 1,
        sentence: `At ${at}.`,
      });
      // Several schedulers save, so what happened first may come last.
      await store.saveDecisions([decision(NOW + 1), decision(NOW + 2)]);
      await store.saveDecisions([decision(NOW)]);
      const page = await store.listDecisions({ deploymentId: "acme.web" }, { size: 2, token: undefined });
      expect(page.items).toEqual([decision(NOW), decision(NOW + 1)]);
      const rest = await store.listDecisions({ deploymentId: "acme.web" }, { size: 2, token: page.nextToken });
      expect(rest).toEqual({ items: [decision(NOW + 2)], nextToken: undefined });
      expect(await store.pruneHistory({ ...NOTHING, decisionsAt: NOW + 2 }, 1, mandate())).toBe(1);
      const left = await store.listDecisions({ sinceAt: NOW }, { size: 9, token: undefined });
      expect(left.items).toEqual([decision(NOW + 1), decision(NOW + 2)]);
    });

    it("forgets old lines of the audit log, a batch at a time", async () => {
      const prune = (auditAt: number) => store.pruneHistory({ ...NOTHING, auditAt }, 2, mandate());
      for (const replicas of [3, 4, 5]) {
        await store.changeDeployment("acme.web", { replicas }, undefined, someone, NOW + replicas);
      }
      // What changed nothing is not in it.
      await store.changeDeployment("acme.web", { replicas: 5 }, undefined, someone, NOW);
      await prune(NOW + 3);
      expect(await prune(NOW + 3)).toBe(0);
      expect([await prune(NOW + 6), await prune(NOW + 6), await prune(NOW + 6)]).toEqual([2, 1, 0]);
    });

    it("forgets releases that nobody wants any more, and keeps the last and what something runs", async () => {
      await committed(creation(1), placement(1), creation(2));
      await committed({ kind: "stop-instance", instanceId: "acme.web.2", because: "it is one too many" });
      for (let count = 0; count < 4; count++) {
        await store.changeDeployment("acme.web", { restart: true }, undefined, someone, NOW);
      }
      await committed(creation(3, { release: 3 }));
      const prune = () => store.pruneHistory({ ...NOTHING, keepReleases: 2 }, 10, mandate());
      // Of five: 4 and 5 are the last two, 1 has a location, 3 an instance.
      expect([await prune(), await prune()]).toEqual([1, 0]);
      expect((await store.loadWorld()).releases.map(one => one.number).toSorted()).toEqual([1, 3, 5]);
      await committed(
        { kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: 0 },
        { kind: "forget-instance", instanceId: "acme.web.1" },
        { kind: "forget-instance", instanceId: "acme.web.2" },
      );
      expect([await prune(), await prune()]).toEqual([1, 0]);
      expect((await store.getDeployment("acme.web"))?.release.number).toBe(5);
    });

    it("shows the edge routes, live locations of routed deployments, and nodes", async () => {
      await committed(creation(1), creation(2), placement(1), placement(2));
      await store.saveReport(aReport({ statuses: [aStatus()], gone: [{ instanceId: "acme.web.2", epoch: 1 }] }), NOW);
      const edge = await store.loadEdge();
      expect(edge.routes).toEqual([aRoute()]);
      expect(edge.locations.map(one => one.instanceId)).toEqual(["acme.web.1"]);
      expect(edge.nodes.map(node => node.id)).toEqual(["node-1"]);
      await store.changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, NOW);
      expect((await store.loadEdge()).routes).toEqual([]);
    });
  });
}
