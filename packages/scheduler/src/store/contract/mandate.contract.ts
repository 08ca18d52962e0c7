import type { Change } from "@skep/core/world/plan.ts";
import { basisOf } from "@skep/core/world/basis.ts";
import { aSpec } from "@skep/core/testing/builders.ts";
import { beforeEach, describe, expect, it } from "vitest";
import type { Committed, Stale } from "../commit-result.ts";
import type { Mandate } from "../mandate.ts";
import { aReport, aStatus, creation, placement } from "../testing/records.ts";
import { LONG, NOW, someone, type StoreSetting } from "./setting.ts";

/** Writes of a former leader, and plans whose records have changed since. */
export function describeMandates(setting: StoreSetting): void {
  const { store, place, committed, locationOf, mandate } = setting;

  describe("the late writes of a leader", () => {
    /** Every write that a leader's loop makes, by what it changes. */
    async function lateWrites(late: Mandate): Promise<void> {
      const location = (await locationOf("acme.web.1"))!;
      await store.saveDecisions([decisionAt(NOW - 10)]);
      const before = await picture();
      const load = { cpuShare: 0.9, memoryShare: 0.9 };
      const refused = await Promise.all([
        code(store.saveLiveness(new Map([["node-1", "down"]]), late)),
        code(store.saveBeats([{ nodeId: "node-1", load }], late, NOW + 99)),
        code(store.restoreLocation({ ...location, instanceId: "acme.web.2" }, late)),
        code(
          store.pruneHistory(
            { keysAt: NOW, decisionsAt: NOW, auditAt: NOW, domainsAt: NOW, keepReleases: 1 },
            10,
            late,
          ),
        ),
      ]);
      expect(refused).toEqual(Array.from({ length: 4 }, () => "aborted LEASE_LOST"));
      const removal = { nodeId: "node-1", instanceId: "acme.web.9", epoch: 1, because: "nothing explains it" };
      const plan = { changes: [creation(3)], wakeAt: undefined, basis: basisOf(await store.loadWorld(), []) };
      expect(await store.commit(plan, late, NOW)).toMatchObject({ kind: "stale" });
      expect(await store.saveRemovals([removal], late, NOW)).toMatchObject({ kind: "stale" });
      expect(await picture()).toEqual(before);
    }
    const picture = async () => [
      await store.loadRemovals(),
      await store.loadWorld(),
      await store.listNodes(),
      await store.listDecisions({}, { size: 10, token: undefined }),
    ];

    beforeEach(async () => {
      await committed(creation(1), creation(2), placement(1));
      await committed(placement(2));
      await committed({ kind: "forget-location", instanceId: "acme.web.2", epoch: 1, portsFreeAt: NOW });
    });

    it("are refused after another took over", async () => {
      const late = mandate();
      await store.releaseLease(late.holder);
      await store.takeLease("other", LONG);
      await lateWrites(late);
    });

    it("are refused in the present term under another holder", async () => {
      await lateWrites({ term: mandate().term, holder: "other" });
    });

    it("are refused in another term under the same holder", async () => {
      await lateWrites({ term: mandate().term + 1, holder: mandate().holder });
    });

    it("are refused once the lease has ended, though nobody has taken it", async () => {
      await store.takeLease("me", 20);
      await place.wait(30);
      await lateWrites(mandate());
    });
  });

  describe("a plan", () => {
    /** Decides on the records as they are, lets `meanwhile` happen, and commits. */
    async function late(meanwhile: () => Promise<unknown>, ...changes: Change[]): Promise<Committed | Stale> {
      const basis = basisOf(await store.loadWorld(), changes);
      await meanwhile();
      return store.commit({ changes, wakeAt: undefined, basis }, mandate(), NOW);
    }
    const runs = () => store.saveReport(aReport({ statuses: [aStatus()] }), NOW);
    const location = { instanceId: "acme.web.1", epoch: 1, because: "it was decided" };

    it.each(["stop", "lose", "retire"] as const)("is stale where what it wants to %s has another state", async kind => {
      await committed(creation(1), placement(1));
      expect(await late(runs, { kind, ...location })).toMatchObject({ kind: "stale" });
      expect(await locationOf("acme.web.1")).toMatchObject({ state: "running", desired: "run" });
      await committed({ kind, ...location });
    });

    it("is stale where a location that it stops was retired meanwhile", async () => {
      await committed(creation(1), placement(1));
      const retired = () => committed({ kind: "retire", ...location });
      expect(await late(retired, { kind: "stop", ...location })).toMatchObject({ kind: "stale" });
      expect(await locationOf("acme.web.1")).toMatchObject({ desired: "retire" });
    });

    it("is stale where a deployment that it counts instances of was changed", async () => {
      await committed(creation(1));
      const scaled = () => store.changeDeployment("acme.web", { replicas: 5 }, undefined, someone, NOW);
      const stop: Change = { kind: "stop-instance", instanceId: "acme.web.1", because: "it is one too many" };
      expect(await late(scaled, stop)).toMatchObject({ kind: "stale" });
      expect(await setting.instanceOf("acme.web.1")).toMatchObject({ desired: "run" });
    });

    it("forgets no deployment that is wanted, or that has an instance", async () => {
      const forget: Change = { kind: "forget-deployment", deploymentId: "acme.web" };
      expect(await late(() => Promise.resolve(), forget)).toMatchObject({ kind: "stale" });
      await committed(creation(1));
      await store.changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, NOW);
      expect(await late(() => Promise.resolve(), forget)).toMatchObject({ kind: "stale" });
      expect(await store.getDeployment("acme.web")).toBeDefined();
      await committed({ kind: "forget-instance", instanceId: "acme.web.1" }, forget);
      await store.createDeployment("acme", aSpec(), [], someone, NOW);
    });

    it("forgets no instance that has a location", async () => {
      await committed(creation(1), placement(1));
      const forget: Change = { kind: "forget-instance", instanceId: "acme.web.1" };
      expect(await late(() => Promise.resolve(), forget)).toMatchObject({ kind: "stale" });
      await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: NOW }, forget);
    });
  });
}

const decisionAt = (at: number) => ({
  at,
  kind: "node.ready",
  sentence: "It is ready.",
  tenantId: undefined,
  deploymentId: undefined,
  instanceId: undefined,
  nodeId: "node-1",
  epoch: undefined,
});

async function code(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "written",
    (error: unknown) => {
      const { code: word, reason } = error as { code: string; reason: string };
      return `${word} ${reason}`;
    },
  );
}
