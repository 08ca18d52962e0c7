import { mayHaveGiven, STAMPS_KEPT, stampOf, type AssignmentLine } from "@skep/core/identity/assignment-line.ts";
import { describe, expect, it } from "vitest";
import { creation, placement } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

/** What tells the revisions of a node from those that a copy of the records counts up to. */
export function describeStamps(setting: StoreSetting): void {
  const { store, commit, mandate } = setting;

  async function line(): Promise<AssignmentLine> {
    const { revision, stamps } = (await store.loadAssignment("node-1"))!;
    return { revision, stamps };
  }

  /** Raises the revision once more by a removal. */
  async function raise(serial: number): Promise<void> {
    const removal = { nodeId: "node-1", instanceId: `acme.old.${serial}`, epoch: 1, because: "it is a stranger" };
    await store.saveRemovals([removal], mandate(), NOW);
  }

  async function listed(availability: "active" | "drain", versionIndex: number): Promise<unknown> {
    const node = { nodeId: "node-1", hostname: "n1", role: "worker", state: "ready", address: "10.0.0.1" } as const;
    return store.saveSwarmNodes([{ ...node, labels: {}, availability, versionIndex }], NOW);
  }

  describe("the stamps of an assignment", () => {
    it("grow by another one with each raise, whoever raises it, and stand wherever the node does", async () => {
      await listed("active", 1);
      const raises: readonly (() => Promise<unknown>)[] = [
        () => raise(1),
        () => raise(2),
        () => listed("drain", 2),
        () => commit(creation(1), placement(1)),
        async () => store.giveUpVolume((await ownVolume())!, someone, NOW),
      ];
      for (const change of raises) {
        const before = await line();
        await change();
        const after = await line();
        expect(after).toMatchObject({ revision: before.revision + 1, stamps: [...before.stamps, expect.any(Number)] });
        expect(new Set(after.stamps).size).toBe(after.stamps.length);
      }
      const now = await line();
      const [node] = (await store.loadWorld()).nodes;
      expect(node).toMatchObject({ assignmentRevision: now.revision, assignmentStamps: now.stamps });
      expect((await store.loadEvidence("node-1", [])).mark.lines).toEqual(new Map([["node-1", now]]));
      expect((await store.loadEdge()).nodes[0]?.assignmentStamps).toEqual(now.stamps);
    });

    async function ownVolume() {
      const volume = { tenantId: "acme", owner: "acme.web", name: "data", serial: 1 };
      await store.saveVolumes("node-1", [{ ...volume, inUse: false }], NOW);
      return (await store.listVolumes({}))[0];
    }

    it("are answered by the commit, so that its leader can tell the node at once", async () => {
      const result = await commit(creation(1), placement(1));
      expect(result).toMatchObject({ kind: "committed", ...stampOf(await line()) });
      await raise(1);
      // The commit's own stamp is for its own statement alone.
      expect(stampOf(await line())).not.toEqual(stampOf({ stamps: (await line()).stamps.slice(0, 1) }));
    });

    it("are kept of the latest revisions", async () => {
      for (let serial = 1; serial <= STAMPS_KEPT + 2; serial++) await raise(serial);
      const { revision, stamps } = await line();
      expect([revision, stamps.length]).toEqual([STAMPS_KEPT + 2, STAMPS_KEPT]);
      expect(mayHaveGiven({ revision, stamps }, { revision, stamp: stamps.at(-2)! })).toBe(false);
    });
  });
}
