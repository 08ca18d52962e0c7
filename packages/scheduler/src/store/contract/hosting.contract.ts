import type { SwarmNode } from "@skep/core/model/report.ts";
import type { HostingChange } from "@skep/core/workspace/host.ts";
import { applyHosting } from "@skep/core/workspace/hosting.ts";
import type { HostingPlan } from "@skep/core/workspace/hosting-plan.ts";
import type { HostReport } from "@skep/core/workspace/host-report.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { beforeEach, describe, expect, it } from "vitest";
import type { Mandate } from "../mandate.ts";
import { aHostedStatus, aHostReport } from "../testing/hosts.ts";
import { codeOf } from "../testing/records.ts";
import { LONG, NOW, someone, type StoreSetting } from "./setting.ts";

const HOLD_MS = 2_000;
const because = "it was decided";

const place = (hostId = "host_a", epoch = 1, workspaceId = "fleet"): HostingChange => ({
  ...{ kind: "place", workspaceId, hostId, epoch, placement: 7, because },
});
const stop: HostingChange = { kind: "stop", workspaceId: "fleet", epoch: 1, because };
const forget: HostingChange = { kind: "forget", workspaceId: "fleet", epoch: 1, because };

const drained: SwarmNode = {
  ...{ nodeId: "node-1", hostname: "one", role: "worker", availability: "drain", state: "ready", address: "10.0.0.1" },
  ...{ labels: {}, versionIndex: 9 },
};

/** Who runs which workspace. */
export function describeHosting({ store, place: where, mandate }: StoreSetting): void {
  let seq = 0;
  const report = (over: Partial<HostReport> = {}) =>
    store.saveHostReport(aHostReport({ seq: ++seq, ...over }), HOLD_MS, NOW);
  const planned = (changes: readonly HostingChange[], over: Partial<HostingPlan> = {}): HostingPlan => ({
    ...{ changes, silenced: new Map(), gone: [], lost: [] },
    ...over,
  });
  const commit = (changes: readonly HostingChange[], over: Partial<HostingPlan> = {}, by: Mandate = mandate()) =>
    store.commitHosting(planned(changes, over), by, NOW);
  const committed = async (...changes: HostingChange[]): Promise<void> =>
    expect(await commit(changes)).toEqual({ kind: "committed" });
  const create = (id: string, mode: "shared" | "standalone" = "shared") =>
    store.createWorkspace(
      { tenantId: "acme", connector: aConnector({ id }, {}, {}, mode), purpose: aPurpose(), strategy: "round-robin" },
      someone,
      NOW,
    );
  const createFor = (tenantId: string) =>
    store.createWorkspace(
      { tenantId, connector: aConnector({ id: "fleet" }), purpose: aPurpose(), strategy: "round-robin" },
      someone,
      NOW,
    );
  const runs = { workspaces: [aHostedStatus()] };
  const renewalsOf = async (id: string): Promise<number> =>
    (await store.loadHosting()).hosts.find(one => one.id === id)!.renewals;

  describe("hosting", () => {
    beforeEach(async () => {
      seq = 0;
      await create("fleet");
      await report();
      await report({ hostId: "host_b" });
    });

    it("knows hosts by their newest reports, and workspaces by what is wanted", async () => {
      await create("alone", "standalone");
      const load = { connections: 5, messagesPerSecond: 2.5, memoryShare: 0.25 };
      await report({ load, most: 3, availability: "drain" });
      await report({ hostId: "host_c", workspaceId: "alone", nodeId: "node-9" });
      await report({ hostId: "host_b", seq: 1, most: 1 });
      const nothing = { connections: 0, messagesPerSecond: 0, memoryShare: 0 };
      const host = { nodeId: "node-1", lastPlaced: 0, seenAt: NOW, workspaceId: undefined };
      expect(await store.loadHosting()).toEqual({
        hosts: [
          { ...host, id: "host_a", availability: "drain", load, most: 3, renewals: 2 },
          { ...host, id: "host_b", availability: "active", load: nothing, most: 100, renewals: 2 },
          {
            ...host,
            id: "host_c",
            nodeId: "node-9",
            availability: "active",
            load: nothing,
            most: 100,
            renewals: 1,
            workspaceId: "alone",
          },
        ],
        workspaces: [
          {
            id: "alone",
            tenantId: "acme",
            mode: "standalone",
            desired: "run",
            strategy: "round-robin",
            epoch: 0,
            waiting: "",
          },
          {
            id: "fleet",
            tenantId: "acme",
            mode: "shared",
            desired: "run",
            strategy: "round-robin",
            epoch: 0,
            waiting: "",
          },
        ],
        locations: [],
        moves: [],
      });
    });

    it("takes a shared host of a drained node to give everything away, and one in a pod to go with that", async () => {
      await report({ hostId: "host_c", workspaceId: "alone" });
      await store.saveSwarmNodes([drained], NOW);
      expect((await store.loadHosting()).hosts.map(one => one.availability)).toEqual(["drain", "drain", "active"]);
    });

    it("writes a plan as core applies it", async () => {
      const world = async () => ({ ...(await store.loadHosting()), placements: 1 }) as never;
      const follow = async (...changes: HostingChange[]): Promise<void> => {
        const { hosts, workspaces, locations } = applyHosting(await world(), changes);
        await committed(...changes);
        const ordered = locations.toSorted((a, b) => (a.workspaceId < b.workspaceId ? -1 : 1));
        expect(await store.loadHosting()).toEqual({ hosts, workspaces, locations: ordered, moves: [] });
      };
      await create("other");
      await follow({ kind: "wait", workspaceId: "fleet", because: "all hosts are full" });
      await follow(place(), place("host_a", 1, "other"));
      await follow(stop);
      await report({ workspaces: [aHostedStatus({ state: "stopped" })] });
      await follow(forget, place("host_b", 2));
    });

    it("lets a host remove the data of a dropped workspace, and the record goes once it has", async () => {
      const rid = (more: object = {}) =>
        store.changeWorkspace("fleet", { desired: "deleted", ...more }, undefined, someone, NOW);
      const known = async () =>
        (await store.loadHosting()).workspaces.map(({ id, desired, mode }) => ({ id, desired, mode }));
      await committed(place());
      await rid();
      expect(await known()).toEqual([{ id: "fleet", desired: "deleted", mode: "shared" }]);
      expect((await store.loadHostAssignment("host_a"))?.workspaces[0]).not.toHaveProperty("removesData");
      expect((await store.loadHostAssignment("host_a"))?.workspaces[0]?.isDropped).toBe(true);
      await rid({ data: "remove" });
      // It is wanted by a shared host until nothing is left, also where it had a host of its own.
      expect(await known()).toEqual([{ id: "fleet", desired: "run", mode: "shared" }]);
      expect((await store.loadHostAssignment("host_a"))?.workspaces).toMatchObject([{ removesData: true }]);
      const removed = aHostedStatus({ counts: { "data.removed": 1 } });
      for (const [over, status] of [
        [{}, aHostedStatus()],
        [{}, { ...removed, state: "assigned" as const }],
        [{ hostId: "host_b" }, removed],
      ] as const) {
        await report({ ...over, workspaces: [status] });
        expect((await known())[0]?.desired).toBe("run");
      }
      expect(await commit([], { gone: ["fleet"] })).toMatchObject({ kind: "stale" });
      await report({ workspaces: [removed] });
      expect((await known())[0]?.desired).toBe("deleted");
      expect((await store.loadHostAssignment("host_a"))?.workspaces).toMatchObject([{ removesData: true }]);
      await report({ workspaces: [{ ...removed, state: "stopped" }] });
      expect(await commit([forget], { gone: ["fleet"] })).toEqual({ kind: "committed" });
      expect(await store.getWorkspace("fleet")).toBeUndefined();
      await store.createTenant(aTenant({ id: "other" }), someone);
      expect((await createFor("other")).id).toBe("fleet");
    });

    it("does not take the word of an older placement that data is removed: another may have stored since", async () => {
      await committed(place());
      await store.changeWorkspace("fleet", { desired: "deleted", data: "remove" }, undefined, someone, NOW);
      await committed({ ...place("host_b", 2), role: "standby" } as HostingChange);
      await report({ workspaces: [aHostedStatus({ counts: { "data.removed": 1 } })] });
      expect((await store.loadHosting()).workspaces).toMatchObject([{ id: "fleet", desired: "run" }]);
    });

    it("gives nobody else the id of a workspace whose data stayed", async () => {
      const drop = () => store.changeWorkspace("fleet", { desired: "deleted" }, undefined, someone, NOW);
      await store.createTenant(aTenant({ id: "other" }), someone);
      await drop();
      // No host ever had it: there is no data.
      expect(await commit([], { gone: ["fleet"] })).toEqual({ kind: "committed" });
      await createFor("other");
      await committed(place());
      await drop();
      await report({ workspaces: [aHostedStatus({ state: "stopped" })] });
      expect(await commit([forget], { gone: ["fleet"] })).toEqual({ kind: "committed" });
      expect(await codeOf(createFor("acme"))).toBe("failed_precondition WORKSPACE_DATA_KEPT");
      expect((await createFor("other")).epoch).toBe(0);
    });

    it("tells a host whole assignments, each change with a higher revision, and no other host", async () => {
      await committed(place());
      const first = (await store.loadHostAssignment("host_a"))!;
      expect(first).toMatchObject({ hostId: "host_a", term: mandate().term, revision: 1 });
      expect(first.incarnation).toBe((await store.loadIdentity()).incarnation);
      const { version, restarts, databasePool, connector, rulesVersion } = (await store.getWorkspace("fleet"))!;
      const told = { id: "fleet", epoch: 1, version, restarts, databasePool, instances: 1, rulesVersion, connector };
      expect(first.workspaces).toEqual([{ ...told, desired: "run" }]);
      expect(await store.loadHostAssignment("host_b")).toMatchObject({ revision: 0, workspaces: [] });
      expect(await store.loadHostAssignment("host_z")).toBeUndefined();
      await committed(stop);
      expect(await store.loadHostAssignment("host_a")).toEqual({
        ...{ ...first, revision: 2 },
        workspaces: [{ ...told, desired: "stop" }],
      });
      await report({ workspaces: [aHostedStatus({ state: "stopped" })] });
      expect(await store.loadHostAssignment("host_a")).toMatchObject({ revision: 2, workspaces: [] });
    });

    it("says where workspaces are and what their hosts say of them", async () => {
      await committed(place());
      const counts = { stored: 12 };
      await report({ workspaces: [aHostedStatus({ counts, lastError: "the broker is away", isHealthy: false })] });
      const here = {
        workspaceId: "fleet",
        hostId: "host_a",
        nodeId: "node-1",
        epoch: 1,
        desired: "run",
        state: "running",
      };
      expect(await store.locateWorkspaces(["fleet", "nobody"])).toEqual(
        new Map([["fleet", { ...here, isHealthy: false, counts, lastError: "the broker is away", reportedAt: NOW }]]),
      );
    });

    it("says where the owner of each workspace is reached, and whether it serves", async () => {
      expect(await store.reachWorkspace("fleet")).toBeUndefined();
      await committed(place());
      const here = { workspaceId: "fleet", address: "10.0.0.7", port: 7_704 };
      const told = async () => [(await store.reachWorkspace("fleet"))!, ...(await store.loadEdge()).workspaces];
      expect(await told()).toEqual([
        { ...here, isServed: false },
        { ...here, isServed: false },
      ]);
      await report({ ...runs, address: "10.0.0.9", eventsPort: 7_705 });
      const moved = { ...here, address: "10.0.0.9", port: 7_705, isServed: true };
      expect(await told()).toEqual([moved, moved]);
      await report({ hostId: "host_b", address: "10.0.0.10" });
      await report({ ...runs, seq: 1, address: "10.0.0.66" });
      expect(await told()).toEqual([moved, moved]);
      await committed(stop);
      expect(await told()).toMatchObject([{ isServed: false }, { isServed: false }]);
      await report({ workspaces: [aHostedStatus({ state: "stopped" })] });
      expect(await store.reachWorkspace("fleet")).toBeUndefined();
      await committed(forget, place("host_b", 2));
      await report({ hostId: "host_b", address: "10.0.0.10", workspaces: [aHostedStatus({ epoch: 2 })] });
      expect(await told()).toMatchObject([{ address: "10.0.0.10" }, { address: "10.0.0.10" }]);
    });

    it("grants a host what it owns, and counts each lease", async () => {
      await committed(place());
      const before = await renewalsOf("host_a");
      const own = { workspaceId: "fleet", epoch: 1 };
      expect(await report(runs)).toEqual({
        answer: { holdMs: HOLD_MS, granted: [own], ended: [], anew: "", revision: 1 },
        changed: true,
      });
      expect((await report({ ...runs, seq: 1 })).answer.granted).toEqual([own]);
      expect(await renewalsOf("host_a")).toBe(before + 2);
      const leases = (await store.loadHosting()).hosts.map(({ id, renewals }) => ({ id, renewals }));
      expect(await store.countHostLeases()).toEqual(leases);
      const stranger = await report({ ...runs, hostId: "host_b" });
      expect(stranger.answer).toMatchObject({ granted: [], ended: [own] });
      expect((await store.loadHosting()).locations).toMatchObject([{ hostId: "host_a", state: "running" }]);
    });

    it("never takes back that a host has let go", async () => {
      await committed(place());
      await report({ workspaces: [aHostedStatus({ state: "stopped" })] });
      expect((await report(runs)).answer).toMatchObject({ granted: [], ended: [] });
      expect((await store.loadHosting()).locations).toMatchObject([{ state: "stopped" }]);
    });

    it("tells a host that it does not know to begin anew, and records nothing of it", async () => {
      const applied = { incarnation: "inc_other", term: 9, revision: 9 };
      const { answer } = await report({ hostId: "host_z", applied, ...runs });
      expect(answer).toMatchObject({ granted: [], ended: [], anew: "the records do not know host host_z" });
      expect((await store.loadHosting()).hosts.map(one => one.id)).toEqual(["host_a", "host_b"]);
    });

    it("is stale where a host that was held to be silent got another lease", async () => {
      await committed(place());
      await report(runs);
      const silenced = new Map([["host_a", await renewalsOf("host_a")]]);
      await report(runs);
      const late = await commit([forget, place("host_b", 2)], { silenced });
      expect(late).toMatchObject({ kind: "stale", because: expect.stringContaining("another lease") as string });
      silenced.set("host_a", await renewalsOf("host_a"));
      expect(await commit([forget, place("host_b", 2)], { silenced })).toEqual({ kind: "committed" });
    });

    it("gives a workspace one owner, whoever decides", async () => {
      await committed(place());
      expect(await commit([place("host_b", 2)])).toMatchObject({ kind: "stale" });
      expect(await commit([place("host_b", 1)])).toMatchObject({ kind: "stale" });
      await report({ workspaces: [aHostedStatus({ state: "stopped" })] });
      const both = await Promise.all([commit([forget, place("host_b", 2)]), commit([forget, place("host_a", 2)])]);
      expect(both.map(one => one.kind).toSorted()).toEqual(["committed", "stale"]);
    });

    it("lets a commit and a report pass each other in turn: what was ended is not granted", async () => {
      await committed(place());
      await report(runs);
      const silenced = new Map([["host_a", await renewalsOf("host_a")]]);
      const [ended, answered] = await Promise.all([
        commit([forget, place("host_b", 2)], { silenced }),
        ...Array.from({ length: 5 }, () => report(runs)),
      ]);
      if (ended.kind === "committed") expect((await report(runs)).answer.granted).toEqual([]);
      else expect(answered!.answer.granted).toHaveLength(1);
    });

    it("deletes records that nobody needs, and none that somebody does", async () => {
      await committed(place());
      const rule = { workspaceId: "fleet", kind: "rule", reference: "hot" } as const;
      await store.putRule(rule, { id: "hot" }, undefined, someone, NOW);
      await store.changeWorkspace("fleet", { desired: "deleted" }, undefined, someone, NOW);
      const silenced = new Map([["host_b", await renewalsOf("host_b")]]);
      expect(await commit([], { gone: ["fleet"] })).toMatchObject({ kind: "stale" });
      expect(
        await commit([], { lost: ["host_a"], silenced: new Map([["host_a", await renewalsOf("host_a")]]) }),
      ).toMatchObject({
        kind: "stale",
      });
      expect(await commit([], { lost: ["host_b"], silenced })).toEqual({ kind: "committed" });
      await report({ workspaces: [aHostedStatus({ state: "stopped" })] });
      expect(await commit([forget], { gone: ["fleet"] })).toEqual({ kind: "committed" });
      expect(await store.listRuleVersions(rule)).toEqual([]);
      expect(await store.loadHosting()).toMatchObject({ hosts: [{ id: "host_a" }], workspaces: [], locations: [] });
    });

    it("is written by nobody but the leader of the moment", async () => {
      const late = mandate();
      await store.releaseLease(late.holder);
      const { term } = await store.takeLease("other", LONG);
      for (const by of [late, { term, holder: "me" }, { term: term + 1, holder: "other" }])
        expect(await commit([place()], {}, by)).toMatchObject({ kind: "stale" });
      await store.takeLease("other", 20);
      await where.wait(30);
      expect(await commit([place()], {}, { term, holder: "other" })).toMatchObject({ kind: "stale" });
      expect((await store.loadHosting()).locations).toEqual([]);
    });

    it("has a key for the tokens of hosts that stays", async () => {
      const key = await store.loadHostKey();
      expect(key.length).toBeGreaterThan(15);
      expect(await store.loadHostKey()).toBe(key);
      expect((await store.loadIdentity()).receiptKey).not.toBe(key);
    });
  });
}
