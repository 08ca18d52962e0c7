import { beforeEach, describe, expect, it } from "vitest";
import { aReport, aStatus, codeOf, creation, placement, someFacts } from "../testing/records.ts";
import { NOW, type StoreSetting } from "./setting.ts";

const [FIRST, SECOND] = ["10.128.0.0/20", "10.128.16.0/20"];

/** The addresses of nodes and of their instances. */
export function describeBlocks({ store, mandate, committed, locationOf }: StoreSetting): void {
  const change = (nodeId: string, was: string | undefined, block: string | undefined) => {
    return { nodeId, was, block, because: "the test says so" };
  };
  const save = (...changes: readonly ReturnType<typeof change>[]) => store.saveBlocks(changes, mandate());
  const blocks = async () => (await store.loadBlocks()).map(one => [one.id, one.block]);

  describe("node blocks", () => {
    beforeEach(async () => void (await store.saveFacts(someFacts({ nodeId: "node-2", block: SECOND }), NOW)));

    it("keeps what a node was given and what its agent works by, each by itself", async () => {
      expect(await save(change("node-1", undefined, FIRST))).toBe(true);
      expect(await store.loadBlocks()).toEqual([
        { id: "node-1", block: FIRST, reported: undefined, goneSince: undefined },
        { id: "node-2", block: undefined, reported: SECOND, goneSince: undefined },
      ]);
      const nodes = (await store.loadWorld()).nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      expect(nodes).toMatchObject([{ block: FIRST }, { reportedBlock: SECOND }]);
      expect((await store.listNodes()).map(({ node }) => node.block)).toEqual([FIRST, undefined]);
      await store.saveFacts(someFacts({ nodeId: "node-2" }), NOW);
      expect((await store.loadBlocks())[1]?.reported, "it works by none any more").toBeUndefined();
      await store.saveFacts(someFacts(), NOW);
      expect(await blocks(), "facts leave it alone").toEqual([
        ["node-1", FIRST],
        ["node-2", undefined],
      ]);
    });

    it("writes all changes or none, and only on what they were based on", async () => {
      await save(change("node-1", undefined, FIRST));
      expect(await save(change("node-2", undefined, SECOND), change("node-1", undefined, "10.128.32.0/20"))).toBe(
        false,
      );
      expect(await save(change("node-2", undefined, SECOND), change("nobody", undefined, "10.128.32.0/20"))).toBe(
        false,
      );
      expect(await blocks()).toEqual([
        ["node-1", FIRST],
        ["node-2", undefined],
      ]);
    });

    it("lets no two nodes share an address, and a block pass from one to another", async () => {
      await save(change("node-1", undefined, FIRST));
      for (const taken of [FIRST, "10.128.0.0/16", "10.128.8.0/24"])
        expect(await save(change("node-2", undefined, taken)), taken).toBe(false);
      await save(change("node-2", undefined, SECOND));
      expect(await save(change("node-1", FIRST, SECOND), change("node-2", SECOND, FIRST))).toBe(true);
      expect(await blocks()).toEqual([
        ["node-1", SECOND],
        ["node-2", FIRST],
      ]);
      expect(await save(change("node-1", SECOND, undefined), change("node-2", FIRST, SECOND))).toBe(true);
      expect(await blocks()).toEqual([
        ["node-1", undefined],
        ["node-2", SECOND],
      ]);
    });

    it("tells since when a node is gone, which keeps its block", async () => {
      await save(change("node-1", undefined, FIRST));
      const listed = { hostname: "n", role: "worker", availability: "active", state: "ready", labels: {} } as const;
      const list = (version: number, ...ids: readonly string[]) =>
        store.saveSwarmNodes(
          ids.map(nodeId => ({ ...listed, nodeId, address: "", versionIndex: version })),
          NOW,
        );
      await list(1, "node-1", "node-2");
      await list(2, "node-2");
      const [gone, here] = await store.loadBlocks();
      expect(gone).toMatchObject({ id: "node-1", block: FIRST, goneSince: NOW });
      expect(here?.goneSince).toBeUndefined();
    });

    it("is written by the leader alone", async () => {
      const other = { ...mandate(), term: mandate().term + 1 };
      const call = store.saveBlocks([change("node-1", undefined, FIRST)], other);
      expect(await codeOf(call)).toBe("aborted LEASE_LOST");
      expect((await blocks())[0]).toEqual(["node-1", undefined]);
    });
  });

  it("keeps the address of a copy for as long as its agent says it, and a restored row has it", async () => {
    await committed(creation(1), placement(1));
    const report = (seq: number, address?: string) =>
      store.saveReport(aReport({ seq, statuses: [aStatus(address === undefined ? {} : { address })] }), NOW);
    await report(1);
    expect((await locationOf("acme.web.1"))?.address).toBeUndefined();
    expect(await report(2, "10.128.0.9"), "it is news").toMatchObject({ changed: true });
    const location = (await locationOf("acme.web.1"))!;
    expect(location.address).toBe("10.128.0.9");
    expect(await report(3, "10.128.0.9")).toMatchObject({ changed: false });
    await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: NOW });
    await store.restoreLocation(location, mandate());
    expect((await locationOf("acme.web.1"))?.address).toBe("10.128.0.9");
    await store.saveReport(aReport({ seq: 4, gone: [{ instanceId: "acme.web.1", epoch: 1 }] }), NOW);
    expect((await locationOf("acme.web.1"))?.address, "nothing is left of it").toBeUndefined();
  });
}
