import { DEFAULT_SCALING } from "@skep/core/workspace/autoscale.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { beforeEach, describe, expect, it } from "vitest";
import type { ScalingStep } from "../scaling-store.ts";
import { aHostedStatus, aHostReport } from "../testing/hosts.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const UP: ScalingStep = { workspaceId: "fleet", from: 1, to: 2 };

/** How much room scaling gives to workspaces. */
export function describeScaling({ store, mandate }: StoreSetting): void {
  const change = (id: string, scaling: object) => store.changeWorkspace(id, { scaling }, undefined, someone, NOW);
  const commit = (...steps: ScalingStep[]) => store.commitScaling(steps, mandate(), NOW + 5);

  describe("scaling", () => {
    beforeEach(async () => {
      for (const id of ["fleet", "other"])
        await store.createWorkspace(
          { tenantId: "acme", connector: aConnector({ id }), purpose: aPurpose(), strategy: "least-loaded" },
          someone,
          NOW,
        );
      await change("fleet", { enabled: true, cooldown: 7 });
    });

    it("goes by workspaces that are to run, whose policy is on, and by what their hosts say", async () => {
      const policy = { ...DEFAULT_SCALING, enabled: true, cooldown: 7 };
      const known = { id: "fleet", tenantId: "acme", policy, instances: 1, scaledAt: undefined };
      expect(await store.loadScaling()).toEqual([{ ...known, seen: undefined }]);
      await store.saveHostReport(aHostReport(), 2_000, NOW);
      const because = "it was decided";
      const place = { workspaceId: "fleet", hostId: "host_a", epoch: 1, placement: 7, because };
      const plan = { changes: [{ kind: "place" as const, ...place }], silenced: new Map(), gone: [], lost: [] };
      await store.commitHosting(plan, mandate(), NOW);
      const counts = { "load.cpuUsage": 90 };
      await store.saveHostReport(aHostReport({ seq: 5, workspaces: [aHostedStatus({ counts })] }), 2_000, NOW + 3);
      expect(await store.loadScaling()).toEqual([{ ...known, seen: { counts, reportedAt: NOW + 3 } }]);
      expect(await commit(UP)).toEqual({ kind: "committed", written: ["fleet"] });
      expect((await store.loadHostAssignment("host_a"))?.workspaces).toMatchObject([{ id: "fleet", instances: 2 }]);
      await store.changeWorkspace("fleet", { desired: "stopped" }, undefined, someone, NOW);
      expect(await store.loadScaling()).toEqual([]);
    });

    it("is written where the number is still the one that it was decided on, and raises no version", async () => {
      const before = await store.getWorkspace("fleet");
      expect(await commit(UP, { ...UP, workspaceId: "nobody" })).toEqual({ kind: "committed", written: ["fleet"] });
      expect(await store.getWorkspace("fleet")).toEqual({ ...before, instances: 2, scaledAt: NOW + 5 });
      expect(await commit(UP)).toEqual({ kind: "committed", written: [] });
      await change("fleet", { cooldown: 9 });
      expect(await store.getWorkspace("fleet")).toMatchObject({ instances: 2, scaledAt: NOW + 5 });
    });

    it("is not written by who leads no more", async () => {
      const old = { ...mandate(), term: mandate().term - 1 };
      expect(await store.commitScaling([UP], old, NOW)).toMatchObject({ kind: "stale" });
      expect(await store.getWorkspace("fleet")).toMatchObject({ instances: 1 });
    });
  });
}
