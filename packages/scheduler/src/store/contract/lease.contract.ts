import { describe, expect, it } from "vitest";
import { LONG, type StoreSetting } from "./setting.ts";

/** Leases, terms, and what schedulers tell of each other. */
export function describeLeases(setting: StoreSetting): void {
  const { store, place, term } = setting;

  describe("leases", () => {
    it("gives a free lease, renews one's own under the same term, and keeps another's", async () => {
      expect((await store.takeLease("me", LONG)).term).toBe(term());
      const refused = await store.takeLease("other", LONG);
      expect(refused).toMatchObject({ holder: "me", term: term() });
      expect(refused.expiresInMs).toBeGreaterThan(LONG / 2);
      expect(await store.readLease()).toMatchObject({ holder: "me", term: term() });
    });

    it("hands an expired or released lease on with the next term", async () => {
      await store.takeLease("me", 20);
      await place.wait(30);
      expect(await store.takeLease("other", LONG)).toMatchObject({ holder: "other", term: term() + 1 });
      await store.releaseLease("me");
      expect(await store.readLease()).toMatchObject({ holder: "other" });
      await store.releaseLease("other");
      expect(await store.takeLease("me", LONG)).toMatchObject({ holder: "me", term: term() + 2 });
    });
  });

  describe("a lease whose end is far away, because the database's clock was set back", () => {
    it("is taken by who watched it stand still, and by nobody who saw an older one", async () => {
      const seen = await store.takeLease("other", 1_000_000);
      await place.wait(2);
      const renewed = await store.takeLease("me", 1_000_000);
      expect((await store.takeLease("other", LONG, seen)).holder).toBe("me");
      expect((await store.takeLease("other", LONG, { ...renewed, holder: "x" })).holder).toBe("me");
      expect((await store.takeLease("other", LONG, { ...renewed, term: renewed.term + 1 })).holder).toBe("me");
      expect(await store.takeLease("other", LONG, renewed)).toMatchObject({ holder: "other", term: renewed.term + 1 });
    });
  });

  describe("replicas", () => {
    it("tells the schedulers of each other", async () => {
      const tell = (name: string, version: string, leading: boolean, frozen: boolean) =>
        store.tellReplica({ name, version, holder: `${name}-${version}`, leading, frozen });
      await tell("b", "1", false, false);
      await tell("a", "1", true, true);
      const all = await tell("b", "2", false, false);
      expect(all.map(({ name, version, holder, leading, frozen }) => [name, version, holder, leading, frozen])).toEqual(
        [
          ["a", "1", "a-1", true, true],
          ["b", "2", "b-2", false, false],
        ],
      );
      expect((await tell("a", "1", true, false)).map(one => one.frozen)).toEqual([false, false]);
    });
  });
}
