import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { COUNTS } from "@skep/core/workspace/container.ts";
import type { HostingChange } from "@skep/core/workspace/host.ts";
import type { HostingPlan } from "@skep/core/workspace/hosting-plan.ts";
import { MIGRATION_TIMES } from "@skep/core/workspace/migration.ts";
import type { Migration } from "@skep/core/workspace/migration-state.ts";
import type { MoveFacts } from "@skep/core/workspace/move.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { aHostedStatus, aHostReport } from "../testing/hosts.ts";
import { codeOf } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const because = "it was decided";
const place = (hostId: string, epoch: number, role?: "standby"): HostingChange => ({
  ...{ kind: "place", workspaceId: "fleet", hostId, epoch, placement: 7, because },
  ...(role === undefined ? {} : { role }),
});
const forget = (epoch: number): HostingChange => ({ kind: "forget", workspaceId: "fleet", epoch, because });
const facts: MoveFacts = {
  ...{ step: 2, isReady: true, isSubscribed: true, copied: 5, total: 9, isCopied: false, isBoth: false },
  ...{ lacking: 4, quietMs: 12, fault: "", waiting: "the other half is away" },
  comparison: {
    from: 0,
    until: 9,
    compared: 3,
    missing: { source: { count: 0, first: [] }, target: { count: 1, first: ["m1"] } },
  },
};

/** Workspaces that move between modes. */
export function describeMoves({ store, mandate }: StoreSetting): void {
  let seq = 0;
  const report = (hostId: string, over: object = {}) =>
    store.saveHostReport(
      aHostReport({ hostId, seq: ++seq, eventsPort: 7704, address: `${hostId}.example`, ...over }),
      2_000,
      NOW,
    );
  const commit = (changes: readonly HostingChange[], over: Partial<HostingPlan> = {}) =>
    store.commitHosting({ changes, silenced: new Map(), gone: [], lost: [], ...over }, mandate(), NOW + 7);
  const write = (move: Migration, fromStep: number, changes: readonly HostingChange[] = []) =>
    commit(changes, { moves: [{ move, fromStep }] });
  const start = (to: "shared" | "standalone" = "standalone") => store.startMove("fleet", to, someone, NOW);
  const next = (move: Migration, over: Partial<Migration>): Migration => ({ ...move, step: move.step + 1, ...over });

  describe("a move of a workspace", () => {
    beforeEach(async () => {
      seq = 0;
      const wanted = { tenantId: "acme", connector: aConnector({ id: "fleet" }), purpose: aPurpose() };
      await store.createWorkspace({ ...wanted, strategy: "least-loaded" }, someone, NOW);
      await report("host_a");
      await report("host_b", { workspaceId: "fleet" });
    });

    it("begins once, whoever asks how often, and never beside another one", async () => {
      expect(await store.getMove("fleet")).toBeUndefined();
      const move = await start();
      expect(move).toMatchObject({ workspaceId: "fleet", from: "shared", to: "standalone", stage: "prepare", step: 1 });
      expect(await start()).toEqual(move);
      expect(await store.getMove("fleet")).toEqual({ move, halves: [] });
      expect((await store.loadHosting()).moves).toEqual([move]);
      expect(await codeOf(start("shared"))).toBe("failed_precondition WORKSPACE_MOVING");
      expect(await codeOf(store.startMove("none", "shared", someone, NOW))).toBe("not_found WORKSPACE_NOT_FOUND");
    });

    it("is refused where it leads nowhere, or the workspace does not run", async () => {
      expect(await codeOf(start("shared"))).toBe("failed_precondition MODE_ALREADY");
      await store.changeWorkspace("fleet", { desired: "stopped" }, undefined, someone, NOW);
      expect(await codeOf(start())).toBe("failed_precondition WORKSPACE_STOPPED");
      await store.changeWorkspace("fleet", { desired: "deleted" }, undefined, someone, NOW);
      expect(await codeOf(start())).toBe("failed_precondition WORKSPACE_DELETED");
    });

    it("is wanted back by another step, which the leader sees before it writes the next", async () => {
      expect(await codeOf(store.abortMove("fleet", someone, NOW))).toBe("failed_precondition WORKSPACE_NOT_MOVING");
      const move = await start();
      const unwanted = await store.abortMove("fleet", someone, NOW);
      expect(unwanted).toEqual({ ...move, step: 2, abort: "someone wants it back" });
      expect(await write(next(move, { stage: "copy" }), 1)).toMatchObject({ kind: "stale" });
      expect(await store.getMove("fleet")).toMatchObject({ move: unwanted });
    });

    it("is written by its step, with what it says", async () => {
      const move = await start();
      const copying = next(move, {
        stage: "copy",
        since: NOW + 5,
        copied: 3,
        copiedAt: NOW + 6,
        lostAt: NOW,
        because: "it is ready",
      });
      expect(await write(copying, 1)).toEqual({ kind: "committed" });
      expect(await write(next(copying, { stage: "follow" }), 1)).toMatchObject({ kind: "stale" });
      expect((await store.loadHosting()).moves).toEqual([copying]);
    });

    it("has two halves, of which one reads, each on a host of its own", async () => {
      await start();
      expect(await commit([place("host_a", 1)])).toEqual({ kind: "committed" });
      expect(await commit([place("host_a", 2, "standby")])).toMatchObject({ kind: "stale" });
      expect(await commit([place("host_b", 2)])).toMatchObject({ kind: "stale" });
      expect(await commit([place("host_b", 2, "standby")])).toEqual({ kind: "committed" });
      const both = [1, 2].map(epoch => aHostedStatus({ epoch }));
      expect((await report("host_a", { workspaces: [both[0]] })).answer).toMatchObject({ granted: [{ epoch: 1 }] });
      const standby = await report("host_b", { workspaceId: "fleet", workspaces: [{ ...both[1], move: facts }] });
      expect(standby.answer).toMatchObject({ granted: [], ended: [] });
      const located = (await store.locateWorkspaces(["fleet"])).get("fleet");
      expect(located).toMatchObject({ hostId: "host_a", epoch: 1 });
      expect(await store.reachWorkspace("fleet")).toMatchObject({ address: "host_a.example" });
      const { locations } = await store.loadHosting();
      expect(locations).toMatchObject([{ epoch: 1 }, { epoch: 2, role: "standby", move: facts }]);
      expect(locations[0]).not.toHaveProperty("role");
      expect((await store.getMove("fleet"))?.halves).toEqual(locations);
      expect(await commit([forget(2)])).toEqual({ kind: "committed" });
      expect((await report("host_b", { workspaceId: "fleet", workspaces: [both[1]] })).answer.ended).toHaveLength(1);
    });

    it("has its halves placed though its workspace is to stop, while it goes back", async () => {
      const move = await start();
      await store.changeWorkspace("fleet", { desired: "stopped" }, undefined, someone, NOW);
      expect(await commit([place("host_a", 1)])).toEqual({ kind: "committed" });
      await write(next(move, { stage: "apart" }), 1);
      expect(await commit([place("host_b", 2, "standby")])).toMatchObject({ kind: "stale" });
    });

    it("tells each half its order, and where the other one is, and raises both revisions", async () => {
      const move = await start();
      await commit([place("host_a", 1)]);
      await commit([place("host_b", 2, "standby")]);
      const told = async (id: string) => (await store.loadHostAssignment(id))!;
      const before = [(await told("host_a")).revision, (await told("host_b")).revision];
      await write(next(move, { stage: "both" }), 1);
      const [source, target] = [await told("host_a"), await told("host_b")];
      expect(source.revision).toBeGreaterThan(before[0]!);
      expect(target.revision).toBeGreaterThan(before[1]!);
      const order = { stage: "both", step: 2 };
      expect(source.workspaces).toMatchObject([
        { epoch: 1, move: { ...order, side: "source", peer: "host_b.example:7704", copySince: 0, storesBoth: true } },
      ]);
      expect(source.workspaces[0]).not.toHaveProperty("role");
      expect(target.workspaces).toMatchObject([
        {
          epoch: 2,
          role: "standby",
          move: { ...order, side: "target", peer: "host_a.example:7704", storesBoth: false },
        },
      ]);
      const times = { ...MIGRATION_TIMES, settleMs: 1 };
      await write(next(move, { stage: "compare", step: 3 }), 2);
      expect((await store.loadHostAssignment("host_a", { times }))?.workspaces[0]?.move?.compare?.settleMs).toBe(1);
    });

    it("leads a pod to its shared half by the edge of its node, and edges to that half", async () => {
      const move = await start();
      await commit([place("host_b", 1)]);
      await commit([place("host_a", 2, "standby")]);
      await report("host_a", { workspaces: [aHostedStatus({ epoch: 2 })] });
      await write(next(move, { stage: "verify" }), 1);
      const pod = (await store.loadHostAssignment("host_b", { edgePort: 80 }))?.workspaces[0];
      expect(pod?.move?.peer).toBe("host_b.example:80");
      const shared = (await store.loadHostAssignment("host_a", { edgePort: 80 }))?.workspaces[0];
      expect(shared?.move?.peer).toBe("host_b.example:7704");
      const half = { workspaceId: "fleet", address: "host_a.example", port: 7704, isServed: true, isHalf: true };
      expect((await store.loadEdge()).workspaces).toEqual([
        { workspaceId: "fleet", address: "host_b.example", port: 7704, isServed: false },
        half,
      ]);
    });

    it("that is done gives its workspace the mode, and is kept with what it says", async () => {
      const move = await start();
      const done = next(move, { stage: "done", because: "none is missing" });
      expect(await write(done, 1)).toEqual({ kind: "committed" });
      const workspace = (await store.getWorkspace("fleet"))!;
      expect(workspace.connector.config.resources.type).toBe("standalone");
      expect(workspace).toMatchObject({ version: 2, updatedAt: NOW + 7 });
      expect(await store.loadHosting()).toMatchObject({ moves: [], workspaces: [{ mode: "standalone" }] });
      expect((await store.getMove("fleet"))?.move).toEqual(done);
      const back = await start("shared");
      expect(back).toMatchObject({ from: "standalone", to: "shared", stage: "prepare", step: 3 });
    });

    it("goes with its workspace", async () => {
      await start();
      await commit([place("host_a", 1)]);
      expect((await store.loadHostAssignment("host_a"))?.workspaces[0]?.move).toMatchObject({ stage: "prepare" });
      await store.changeWorkspace("fleet", { desired: "deleted", data: "remove" }, undefined, someone, NOW);
      // What removes its data is no half of it.
      expect((await store.loadHosting()).moves).toEqual([]);
      expect((await store.loadHostAssignment("host_a"))?.workspaces[0]).not.toHaveProperty("move");
      await report("host_a", { workspaces: [aHostedStatus({ epoch: 1, counts: { [COUNTS.dataRemoved]: 1 } })] });
      await report("host_a", { workspaces: [aHostedStatus({ epoch: 1, state: "stopped" })] });
      expect(await commit([forget(1)])).toEqual({ kind: "committed" });
      expect(await commit([], { gone: ["fleet"] })).toEqual({ kind: "committed" });
      expect(await store.getMove("fleet")).toBeUndefined();
    });
  });
}
