import { describe, expect, it } from "vitest";
import { NOW, type StoreSetting } from "./setting.ts";

/** Which agents may join the bus. */
export function describeKeys({ store }: StoreSetting): void {
  describe("the nodes' keys", () => {
    it("are the first that came, whoever comes later", async () => {
      expect(await store.loadNodeKey("node-1")).toBeUndefined();
      const first = { publicKey: "UONE", joinedAt: NOW, revokedAt: undefined };
      expect(await store.joinNode("node-1", "UONE", NOW)).toEqual(first);
      expect(await store.joinNode("node-1", "UTWO", NOW + 1)).toEqual(first);
      expect(await store.loadNodeKey("node-1")).toEqual(first);
    });

    it("are revoked, also before the node ever joined, and forgotten when it may join again", async () => {
      await store.joinNode("node-1", "UONE", NOW);
      await store.revokeNode("node-1", NOW + 1);
      await store.revokeNode("node-1", NOW + 2);
      await store.revokeNode("node-2", NOW + 3);
      expect(await store.listRevokedNodes()).toEqual(["node-1", "node-2"]);
      expect(await store.loadNodeKey("node-1")).toEqual({ publicKey: "UONE", joinedAt: NOW, revokedAt: NOW + 1 });
      expect(await store.joinNode("node-2", "UTWO", NOW + 4)).toMatchObject({ publicKey: "", revokedAt: NOW + 3 });
      await store.rejoinNode("node-1");
      expect(await store.listRevokedNodes()).toEqual(["node-2"]);
      expect(await store.joinNode("node-1", "UNEW", NOW + 5)).toMatchObject({
        publicKey: "UNEW",
        revokedAt: undefined,
      });
    });
  });
}
