import { describe, expect, it } from "vitest";
import { creation, placement } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

/** Which exclusive copies may run while the records are not the fleet's. */
export function describeBridges({ store, committed, mandate, place }: StoreSetting): void {
  describe("leases while the records are not the fleet's", () => {
    const claim = (nodeId: string, epoch: number, isHeld = true, over: { mayBegin?: boolean; leaseMs?: number } = {}) =>
      store.renewLeases(nodeId, [{ instanceId: "acme.web.1", epoch, isHeld }], {
        ...{ leaseMs: 15_000, mayBegin: false },
        ...over,
      });
    const mark = () => store.markUnrecovered("it is old", mandate(), NOW);
    const granted = (epoch: number) => ({ granted: [{ instanceId: "acme.web.1", epoch }], isBridged: true });
    const refused = { granted: [], isBridged: true };

    async function recoverNothing(): Promise<void> {
      const { incarnation, succeeds } = await store.loadIdentity();
      const identity = { incarnation: "inc_new", succeeds: [...succeeds, incarnation], serialFloor: 0 };
      const records = { tenants: [], deployments: [], releases: [], routes: [], instances: [], locations: [] };
      const volumes = { items: [], written: [], dropped: [] };
      const recovery = { ...records, items: [], dropped: [], volumes, placements: 0, serials: new Map(), identity };
      await store.recover(recovery, incarnation, someone, NOW);
    }

    it("go to the copy that holds one, and to no second one, whatever is recorded", async () => {
      await committed(creation(1), placement(1));
      expect(await claim("node-1", 1)).toMatchObject({ isBridged: false });
      await mark();
      expect(await claim("node-2", 7)).toEqual(granted(7));
      expect(await claim("node-1", 1)).toEqual(refused);
      expect(await claim("node-3", 9)).toEqual(refused);
      expect(await claim("node-2", 7)).toEqual(granted(7));
    });

    it("go to one of two that ask at the same moment", async () => {
      await mark();
      const all = await Promise.all(["node-1", "node-2", "node-3", "node-4"].map(nodeId => claim(nodeId, 1)));
      expect(all.filter(one => one.granted.length > 0)).toHaveLength(1);
    });

    it("go to a copy that holds none only when all others have ended, and to the latest that asked", async () => {
      await mark();
      expect(await claim("node-1", 1, false)).toEqual(refused);
      expect(await claim("node-2", 2, false)).toEqual(refused);
      expect(await claim("node-1", 1, false, { mayBegin: true })).toEqual(refused);
      expect(await claim("node-2", 2, false, { mayBegin: true })).toEqual(granted(2));
    });

    it("keep a copy that is recorded elsewhere from running beside them after the recovery", async () => {
      await committed(creation(1), placement(1));
      await mark();
      // Long enough for a busy machine to come to the next claim before it ends.
      await claim("node-2", 7, true, { leaseMs: 5_000 });
      await recoverNothing();
      expect(await claim("node-1", 1)).toEqual({ granted: [], isBridged: false });
      await place.wait(5_100);
      expect(await claim("node-1", 1)).toEqual({ ...granted(1), isBridged: false });
    });

    it("of an earlier time are forgotten when the records are found not to be the fleet's again", async () => {
      await mark();
      expect(await claim("node-2", 7, false)).toEqual(refused);
      await recoverNothing();
      const { term } = await store.takeLease("me", 60_000);
      await store.markUnrecovered("again", { term, holder: "me" }, NOW);
      expect(await claim("node-1", 1, false, { mayBegin: true })).toEqual(granted(1));
    });
  });
}
