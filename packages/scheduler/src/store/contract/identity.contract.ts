import { aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { aReport, creation, placement, someFacts } from "../testing/records.ts";
import { provesBy } from "../receipts.ts";
import { LONG, NOW, someone, type StoreSetting } from "./setting.ts";

/** What never comes twice, and what has to be told apart by it. */
export function describeIdentities(setting: StoreSetting): void {
  const { store, committed, term, mandate, place } = setting;
  const removal = { nodeId: "node-1", instanceId: "acme.old.7", epoch: 2, because: "no record explains it" };

  describe("serials", () => {
    it("go on where they ended when a deployment is deleted and made again under its name", async () => {
      await committed(creation(1), creation(2));
      await store.changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, NOW);
      await committed(
        { kind: "forget-instance", instanceId: "acme.web.1" },
        { kind: "forget-instance", instanceId: "acme.web.2" },
        { kind: "forget-deployment", deploymentId: "acme.web" },
      );
      const again = await store.createDeployment("acme", aSpec(), [], someone, NOW);
      expect(again.deployment.nextSerial).toBe(3);
      expect((await store.loadWorld()).deployments).toMatchObject([{ id: "acme.web", nextSerial: 3 }]);
      await committed(creation(3));
      expect(await setting.commit(creation(1))).toMatchObject({ kind: "stale" });
    });

    it("begin at one for a name that is new", async () => {
      const fresh = await store.createDeployment("acme", aSpec({ name: "fresh" }), [], someone, NOW);
      expect(fresh.deployment.nextSerial).toBe(1);
    });
  });

  describe("removals", () => {
    it("stand in the assignment, raise its revision, and go when a report calls them gone", async () => {
      const before = (await store.loadAssignment("node-1"))!;
      const saved = await store.saveRemovals([removal, { ...removal, nodeId: "node-9" }], mandate(), NOW);
      expect(saved).toEqual({ kind: "committed", revisions: new Map([["node-1", before.revision + 1]]) });
      const { nodeId: _, ...told } = removal;
      expect(await store.loadAssignment("node-1")).toMatchObject({ revision: before.revision + 1, removals: [told] });
      expect(await store.loadRemovals()).toEqual([removal]);
      await store.saveReport(aReport({ gone: [{ instanceId: "acme.old.7", epoch: 1 }] }), NOW);
      expect(await store.loadRemovals()).toHaveLength(1);
      await store.saveReport(aReport({ seq: 2, gone: [{ instanceId: "acme.old.7", epoch: 2 }] }), NOW);
      expect(await store.loadRemovals()).toEqual([]);
      expect((await store.loadAssignment("node-1"))?.removals).toEqual([]);
    });

    it("raise the revision again where they are recorded: who asks has told the node without them", async () => {
      const before = (await store.loadAssignment("node-1"))!;
      await store.saveRemovals([removal], mandate(), NOW);
      const again = { ...removal, because: "it is a stray" };
      expect(await store.saveRemovals([again, again], mandate(), NOW)).toEqual({
        kind: "committed",
        revisions: new Map([["node-1", before.revision + 2]]),
      });
      expect(await store.loadRemovals()).toEqual([again]);
    });

    it("are recorded for the leader alone", async () => {
      expect(await store.saveRemovals([removal], { ...mandate(), term: term() + 1 }, NOW)).toMatchObject({
        kind: "stale",
      });
      await store.takeLease("me", 20);
      await place.wait(30);
      expect(await store.saveRemovals([removal], mandate(), NOW)).toMatchObject({ kind: "stale" });
      expect(await store.loadRemovals()).toEqual([]);
    });
  });

  it("tells all that is recorded of a node and of what it names, and nothing else", async () => {
    await store.saveFacts(someFacts({ nodeId: "node-2" }), NOW);
    await committed(creation(1), creation(2), creation(3), placement(1), placement(2, { nodeId: "node-2" }));
    const evidence = await store.loadEvidence("node-1", ["acme.web.2", "acme.web.9", "gone.app.1", "by-hand"]);
    expect(evidence.rows.map(one => one.instanceId)).toEqual(["acme.web.1"]);
    expect(evidence.instances.map(one => one.id)).toEqual(["acme.web.2"]);
    expect(evidence.locations.map(one => [one.instanceId, one.nodeId])).toEqual([["acme.web.2", "node-2"]]);
    expect(evidence.serials).toEqual(new Map([["acme.web", { next: 4, gap: undefined, skipped: [] }]]));
  });

  describe("the identity", () => {
    it("is the same in the lease, in assignments and in what is read of it", async () => {
      const identity = await store.loadIdentity();
      expect(identity).toMatchObject({ succeeds: [], serialFloor: 0, unrecovered: undefined });
      expect(identity.incarnation).toMatch(/^inc_/);
      expect((await store.readLease())?.identity).toEqual(identity);
      expect((await store.takeLease("me", LONG)).identity).toEqual(identity);
      const { incarnation, succeeds } = identity;
      const assignment = await store.loadAssignment("node-1");
      expect(assignment).toMatchObject({ incarnation, succeeds });
      // Whoever reads the key can check what any replica answers.
      expect(provesBy(identity.receiptKey)(assignment!)).toBe(true);
      const { mark } = await store.loadEvidence("node-1", []);
      expect(mark).toMatchObject({ identity, term: term(), lines: new Map([["node-1", { revision: 0, stamps: [] }]]) });
      expect((await store.loadEvidence("node-9", [])).mark.lines.size).toBe(0);
    });

    it("is marked as not the fleet's by the leader alone, once, for everybody", async () => {
      expect(await store.markUnrecovered("it is old", { ...mandate(), term: term() + 1 }, NOW)).toBe(false);
      expect(await store.markUnrecovered("it is old", mandate(), NOW)).toBe(true);
      expect(await store.markUnrecovered("it is older", mandate(), NOW + 1)).toBe(false);
      const unrecovered = { because: "it is old", at: NOW };
      expect(await store.loadIdentity()).toMatchObject({ unrecovered });
      expect((await store.takeLease("me", LONG)).identity).toMatchObject({ unrecovered });
      await store.takeLease("me", 20);
      await place.wait(30);
      expect(await store.markUnrecovered("it is old", mandate(), NOW)).toBe(false);
    });
  });

  it("keeps what is left alone on a node, since when, until it is no longer there", async () => {
    const orphan = { instanceId: "acme.old.7", epoch: 2, because: "no record explains it" };
    await store.saveOrphans("node-1", [orphan, { ...orphan, epoch: 3 }], mandate(), NOW);
    await store.saveOrphans("node-2", [orphan], mandate(), NOW);
    await store.saveOrphans("node-1", [{ ...orphan, because: "it may be older" }], mandate(), NOW + 5);
    const late = store.saveOrphans("node-2", [], { ...mandate(), term: term() + 1 }, NOW + 5);
    await expect(late).rejects.toMatchObject({ code: "aborted", reason: "LEASE_LOST" });
    expect(await store.listOrphans()).toEqual([
      { ...orphan, nodeId: "node-1", because: "it may be older", since: NOW },
      { ...orphan, nodeId: "node-2", since: NOW },
    ]);
    await store.saveOrphans("node-2", [], mandate(), NOW + 6);
    expect(await store.listOrphans()).toHaveLength(1);
  });
}
