import { describe, expect, it } from "vitest";
import { aRoute, aReport, aStatus, creation, placement } from "../testing/records.ts";
import { someone, NOW, type StoreSetting } from "./setting.ts";

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
      expect(await store.pruneHistory({ keysAt: NOW, decisionsAt: NOW + 2 }, 1, mandate())).toBe(1);
      const left = await store.listDecisions({ sinceAt: NOW }, { size: 9, token: undefined });
      expect(left.items).toEqual([decision(NOW + 1), decision(NOW + 2)]);
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
