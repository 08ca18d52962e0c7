import { aContainer, aNode, anInstance, aSpec, aTenant } from "@skep/core/testing/builders.ts";
import type { Change } from "@skep/core/decide/plan.ts";
import type { Instance, InstanceState, Location } from "@skep/core/model/instance.ts";
import type { Route } from "@skep/core/model/routing.ts";
import { canBecome } from "@skep/core/model/state.ts";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NodeFacts, ReportedStatus, StatusReport } from "./reports.ts";
import type { Request, Store } from "./store.ts";

const someone: Request = { actor: "someone", idempotencyKey: undefined };
const NOW = 1_700_000_000_000;
const LONG = 60_000;

/** What the contract needs of a place where the store runs. */
export interface StorePlace {
  readonly name: string;
  /** A store on an empty database. */
  open(): Promise<Store>;
  /** Lets the database's own clock pass. */
  wait(durationMs: number): Promise<void>;
}

/** Facts of a node's agent. */
export function someFacts(over: Partial<NodeFacts> = {}): NodeFacts {
  const { hostname, address, os, architecture, engineVersion, engineLabels, capacity } = aNode();
  const nodeId = over.nodeId ?? "node-1";
  return {
    nodeId,
    sessionId: "session-1",
    bootId: "boot-1",
    hostname: over.nodeId ?? hostname,
    address,
    os,
    architecture,
    engineVersion,
    engineLabels,
    capacity,
    ...over,
  };
}

/** A route of `acme.web`. */
export function aRoute(over: Partial<Route> = {}): Route {
  return {
    deploymentId: "acme.web",
    tenantId: "acme",
    router: "web",
    kind: "http",
    domain: "web.example",
    path: "/",
    rule: "Host(`web.example`)",
    entryPoints: ["web"],
    priority: undefined,
    container: "app",
    targetPort: 80,
    tls: false,
    weight: 1,
    balancing: "wrr",
    middlewares: [{ name: "gzip", options: { compress: {} } }],
    service: {},
    ...over,
  };
}

/** A report of `node-1` in its first session. */
export function aReport(over: Partial<StatusReport> = {}): StatusReport {
  return { nodeId: "node-1", sessionId: "session-1", seq: 1, full: false, statuses: [], gone: [], ...over };
}

/** `acme.web.1` at epoch 1, running in one container. */
export function aStatus(over: Partial<ReportedStatus> = {}): ReportedStatus {
  return {
    instanceId: "acme.web.1",
    epoch: 1,
    state: "running",
    health: "healthy",
    containers: [{ name: "app", id: "c1", imageId: "sha256:1", running: true, exitCode: undefined, restarts: 0 }],
    ports: [],
    message: "",
    ...over,
  };
}

/** The creation of `acme.web.<serial>`. */
export function creation(serial: number, over: Partial<Instance> = {}): Change {
  const instance = anInstance({ id: `acme.web.${serial}`, ...over });
  return { kind: "create-instance", serial, instance };
}

/** The placement of `acme.web.<serial>` on `node-1`. */
export function placement(serial: number, over: Partial<Extract<Change, { kind: "place" }>> = {}): Change {
  return {
    kind: "place",
    instanceId: `acme.web.${serial}`,
    epoch: 1,
    nodeId: "node-1",
    ports: [],
    placement: serial,
    because: "it had the least load",
    ...over,
  };
}

/** Every promise of the store's port; run against the twin and against Postgres. */
export function describeStore(place: StorePlace): void {
  let store: Store;
  let term: number;

  const commit = (...changes: Change[]) => store.commit({ changes, wakeAt: undefined }, term, NOW);
  const committed = async (...changes: Change[]): Promise<ReadonlyMap<string, number>> => {
    const result = await commit(...changes);
    if (result.kind !== "committed") throw new Error(`stale: ${result.because}`);
    return result.revisions;
  };
  const locationOf = async (instanceId: string, epoch = 1): Promise<Location | undefined> =>
    (await store.loadWorld()).locations.find(one => one.instanceId === instanceId && one.epoch === epoch);
  const instanceOf = async (id: string): Promise<Instance | undefined> =>
    (await store.loadWorld()).instances.find(one => one.id === id);

  /** Tenant acme, deployment acme.web, node-1 with a known session, and the lease in our hands. */
  beforeEach(async () => {
    store = await place.open();
    await store.createTenant(aTenant(), someone);
    await store.createDeployment("acme", aSpec({ replicas: 2 }), [aRoute()], someone, NOW);
    await store.saveFacts(someFacts(), NOW);
    term = (await store.takeLease("me", LONG)).term;
  });
  afterEach(() => store.close());

  describe(`the store: ${place.name}`, () => {
    describe("leases", () => {
      it("gives a free lease, renews one's own under the same term, and keeps another's", async () => {
        expect((await store.takeLease("me", LONG)).term).toBe(term);
        const refused = await store.takeLease("other", LONG);
        expect(refused).toMatchObject({ holder: "me", term });
        expect(refused.expiresInMs).toBeGreaterThan(LONG / 2);
        expect(await store.readLease()).toMatchObject({ holder: "me", term });
      });

      it("hands an expired or released lease on with the next term", async () => {
        await store.takeLease("me", 20);
        await place.wait(30);
        expect(await store.takeLease("other", LONG)).toMatchObject({ holder: "other", term: term + 1 });
        await store.releaseLease("me");
        expect(await store.readLease()).toMatchObject({ holder: "other" });
        await store.releaseLease("other");
        expect(await store.takeLease("me", LONG)).toMatchObject({ holder: "me", term: term + 2 });
      });
    });

    describe("the world and the commit", () => {
      it("loads what was written, as one snapshot", async () => {
        const world = await store.loadWorld();
        expect(new Set(world.tenants)).toEqual(new Set([aTenant(), aTenant({ id: "default" })]));
        expect(world.deployments).toMatchObject([{ id: "acme.web", replicas: 2, nextSerial: 1, release: 1 }]);
        expect(world.releases).toEqual([{ deploymentId: "acme.web", number: 1, spec: aSpec({ replicas: 2 }) }]);
        expect(world.nodes).toMatchObject([{ id: "node-1", capacity: aNode().capacity, liveness: "unknown" }]);
        expect(world).toMatchObject({ instances: [], locations: [], placements: 0 });
      });

      it("creates and places instances in one commit and answers the node's new revision", async () => {
        const ports = [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20000 }] as const;
        const revisions = await committed(creation(1), creation(2), placement(1, { ports }));
        expect(revisions).toEqual(new Map([["node-1", 1]]));
        const world = await store.loadWorld();
        expect(world.deployments[0]?.nextSerial).toBe(3);
        expect(world.placements).toBe(1);
        expect(world.nodes[0]).toMatchObject({ lastPlaced: 1, assignmentRevision: 1 });
        expect(world.instances.map(one => [one.id, one.epoch]).toSorted()).toEqual([
          ["acme.web.1", 1],
          ["acme.web.2", 0],
        ]);
        expect(world.locations).toEqual([
          {
            instanceId: "acme.web.1",
            deploymentId: "acme.web",
            tenantId: "acme",
            release: 1,
            epoch: 1,
            nodeId: "node-1",
            desired: "run",
            desiredAt: NOW,
            ports,
            state: "assigned",
            health: "none",
            containers: [],
            message: "",
            changedAt: NOW,
          },
        ]);
      });

      it("refuses the plan of another term and of an expired lease, and writes nothing of it", async () => {
        const plan = { changes: [creation(1)], wakeAt: undefined };
        expect(await store.commit(plan, term + 1, NOW)).toMatchObject({ kind: "stale" });
        await store.takeLease("me", 20);
        await place.wait(30);
        expect(await store.commit(plan, term, NOW)).toMatchObject({ kind: "stale" });
        expect((await store.loadWorld()).instances).toEqual([]);
      });

      it("refuses a serial that is behind, an epoch that moved on and a port that is taken, each as stale", async () => {
        const ports = [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20000 }] as const;
        await committed(creation(1), creation(2), placement(1, { ports }));
        expect(await commit(creation(2))).toMatchObject({ kind: "stale" });
        expect(await commit(placement(1))).toMatchObject({ kind: "stale" });
        expect(await commit(placement(2, { ports }))).toMatchObject({ kind: "stale" });
        expect(await commit(creation(3), placement(2, { epoch: 3 }))).toMatchObject({ kind: "stale" });
        expect((await store.loadWorld()).instances).toHaveLength(2);
        await committed({ kind: "lose", instanceId: "acme.web.1", epoch: 1, because: "its node is down" });
        await committed(placement(2, { ports }));
      });

      it("lets two leaders of one term never both place an instance", async () => {
        await committed(creation(1));
        const results = await Promise.all([1, 2, 3, 4].map(() => commit(placement(1))));
        expect(results.filter(result => result.kind === "committed")).toHaveLength(1);
      });

      it("writes every other kind of change", async () => {
        const refusal = { removed: [{ filter: "capacity", nodes: 1, sentence: "1 node is full" }], advice: "Add a node." };
        await committed(creation(1), creation(2), placement(1));
        await committed(
          { kind: "refuse", instanceId: "acme.web.2", refusal },
          { kind: "defer", instanceId: "acme.web.2", retryAt: NOW + 5, because: "it keeps failing" },
          { kind: "retire", instanceId: "acme.web.1", epoch: 1, because: "a newer one serves" },
        );
        expect(await instanceOf("acme.web.2")).toMatchObject({ refusal, retryAt: NOW + 5 });
        expect(await locationOf("acme.web.1")).toMatchObject({ desired: "retire" });
        await committed({ kind: "stop", instanceId: "acme.web.1", epoch: 1, because: "it has retired" });
        expect(await locationOf("acme.web.1")).toMatchObject({ desired: "stop", desiredAt: NOW });
        await committed({ kind: "lose", instanceId: "acme.web.1", epoch: 1, because: "its node is down" });
        expect(await locationOf("acme.web.1")).toMatchObject({ state: "lost", message: "its node is down" });
        await committed(placement(1, { epoch: 2, placement: 2 }), placement(2, { placement: 3 }));
        expect(await instanceOf("acme.web.2")).toMatchObject({ refusal: undefined, retryAt: undefined, epoch: 1 });
        await committed({ kind: "stop-instance", instanceId: "acme.web.1", because: "scaled down" });
        expect(await locationOf("acme.web.1", 2)).toMatchObject({ desired: "stop" });
        await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1 });
        expect(await locationOf("acme.web.1", 1)).toBeUndefined();
        await committed({ kind: "forget-instance", instanceId: "acme.web.1" });
        expect((await store.loadWorld()).locations).toHaveLength(1);
        await committed(
          { kind: "forget-instance", instanceId: "acme.web.2" },
          { kind: "forget-deployment", deploymentId: "acme.web" },
        );
        const world = await store.loadWorld();
        expect(world).toMatchObject({ deployments: [], releases: [], instances: [], locations: [], placements: 3 });
        expect(await store.listRoutes({})).toEqual([]);
      });
    });

    describe("assignments", () => {
      it("names what a node is to run and to stop, and no longer what is gone", async () => {
        await committed(creation(1), creation(2), placement(1), placement(2));
        await committed({ kind: "lose", instanceId: "acme.web.2", epoch: 1, because: "its node was down" });
        expect(await store.loadAssignment("node-1")).toMatchObject({
          nodeId: "node-1",
          term,
          revision: 2,
          availability: "active",
          removals: [],
          instances: [
            { instanceId: "acme.web.1", epoch: 1, desired: "run", slot: 0, spec: { name: "web" } },
            { instanceId: "acme.web.2", epoch: 1, desired: "stop" },
          ],
        });
        await store.saveReport(aReport({ gone: [{ instanceId: "acme.web.2", epoch: 1 }] }), NOW);
        expect((await store.loadAssignment("node-1"))?.instances).toHaveLength(1);
        expect(await store.loadAssignment("node-9")).toBeUndefined();
      });
    });

    describe("replicas and revisions", () => {
      it("raises revisions for the leader alone", async () => {
        await committed(creation(1), placement(1));
        const raised = await store.raiseRevisions(["node-1", "node-9"], term);
        expect(raised).toEqual({ kind: "committed", revisions: new Map([["node-1", 2]]) });
        expect(await store.loadAssignment("node-1")).toMatchObject({ revision: 2 });
        expect(await store.raiseRevisions(["node-1"], term + 1)).toMatchObject({ kind: "stale" });
      });

      it("tells the schedulers of each other", async () => {
        await store.tellReplica({ name: "b", version: "1", leading: false });
        await store.tellReplica({ name: "a", version: "1", leading: true });
        const all = await store.tellReplica({ name: "b", version: "2", leading: false });
        expect(all.map(({ name, version, leading }) => [name, version, leading])).toEqual([
          ["a", "1", true],
          ["b", "2", false],
        ]);
      });
    });

    describe("reports", () => {
      it("asks a session that it does not know for everything", async () => {
        const unknown = await store.saveReport(aReport({ sessionId: "session-0", full: true }), NOW);
        expect(unknown).toEqual({ accepted: false, needFull: true, changed: false });
        expect(await store.saveReport(aReport({ seq: 1 }), NOW)).toMatchObject({ accepted: true, needFull: true });
        expect(await store.saveReport(aReport({ seq: 2, full: true }), NOW)).toMatchObject({ needFull: false });
        expect(await store.saveReport(aReport({ seq: 3 }), NOW)).toMatchObject({ needFull: false });
        await store.saveFacts(someFacts(), NOW);
        expect(await store.saveReport(aReport({ seq: 4 }), NOW)).toMatchObject({ needFull: false });
        await store.saveFacts(someFacts({ sessionId: "session-2" }), NOW);
        expect(await store.saveReport(aReport({ seq: 5 }), NOW)).toMatchObject({ accepted: false });
        expect(await store.saveReport(aReport({ sessionId: "session-2" }), NOW)).toMatchObject({ needFull: true });
      });

      it("records a status and says whether a state or a health changed", async () => {
        await committed(creation(1), placement(1));
        const status = aStatus({ message: "it runs" });
        expect(await store.saveReport(aReport({ statuses: [status] }), NOW + 5)).toMatchObject({ changed: true });
        const { containers, message } = status;
        const recorded = await locationOf("acme.web.1");
        expect(recorded).toMatchObject({ state: "running", health: "healthy", message, changedAt: NOW + 5 });
        expect(recorded?.containers).toEqual(containers);
        const again = aReport({ seq: 2, statuses: [aStatus()] });
        expect(await store.saveReport(again, NOW + 9)).toMatchObject({ changed: false });
        expect(await locationOf("acme.web.1")).toMatchObject({ changedAt: NOW + 5, message: "" });
      });

      it("accepts a report again, and an older one, without effect", async () => {
        await committed(creation(1), placement(1));
        await store.saveReport(aReport({ seq: 2, statuses: [aStatus()] }), NOW);
        const older = aReport({ seq: 1, statuses: [aStatus({ state: "failed" })] });
        expect(await store.saveReport(older, NOW)).toMatchObject({ accepted: true, changed: false });
        expect(await locationOf("acme.web.1")).toMatchObject({ state: "running" });
      });

      it("leaves alone what is recorded at another node or epoch", async () => {
        await store.saveFacts(someFacts({ nodeId: "node-2" }), NOW);
        await committed(creation(1), placement(1));
        const statuses = [aStatus()];
        expect(await store.saveReport(aReport({ nodeId: "node-2", statuses }), NOW)).toMatchObject({ changed: false });
        const later = aReport({ statuses: [aStatus({ epoch: 2 })] });
        expect(await store.saveReport(later, NOW)).toMatchObject({ changed: false });
        expect(await locationOf("acme.web.1")).toMatchObject({ state: "assigned" });
      });

      it("lets a state go only where core says that it may go", async () => {
        const states: InstanceState[] = ["preparing", "starting", "running", "stopping", "stopped", "failed", "lost"];
        const pairs = states.flatMap(from => states.map(to => ({ from, to })));
        await committed(...pairs.flatMap((_, index) => [creation(index + 1), placement(index + 1)]));
        const reported = (which: "from" | "to", seq: number): StatusReport =>
          aReport({
            seq,
            statuses: pairs.map((pair, index) => aStatus({ instanceId: `acme.web.${index + 1}`, state: pair[which] })),
          });
        await store.saveReport(reported("from", 1), NOW);
        await store.saveReport(reported("to", 2), NOW);
        const recorded = new Map((await store.loadWorld()).locations.map(one => [one.instanceId, one.state]));
        for (const [index, { from, to }] of pairs.entries()) {
          expect([from, to, recorded.get(`acme.web.${index + 1}`)]).toEqual([from, to, canBecome(from, to) ? to : from]);
        }
      });
    });

    describe("nodes", () => {
      it("keeps Swarm's word by its version, and marks a node that left", async () => {
        const swarmNode = (nodeId: string, versionIndex: number, labels = {}) => ({
          nodeId,
          hostname: nodeId,
          role: "manager" as const,
          availability: "active" as const,
          state: "ready",
          address: "10.9.9.9",
          labels,
          versionIndex,
        });
        expect(await store.saveSwarmNodes([swarmNode("node-1", 7), swarmNode("node-2", 8)], NOW)).toBe(true);
        expect(await store.saveSwarmNodes([swarmNode("node-1", 7), swarmNode("node-2", 8)], NOW)).toBe(false);
        expect(await store.saveSwarmNodes([swarmNode("node-1", 9, { compute: "true" })], NOW)).toBe(true);
        expect(await store.saveSwarmNodes([swarmNode("node-1", 8)], NOW)).toBe(false);
        const nodes = await store.listNodes();
        expect(nodes.map(one => [one.node.id, one.swarmState])).toEqual([
          ["node-1", "ready"],
          ["node-2", "removed"],
        ]);
        expect(nodes[0]?.node).toMatchObject({ role: "manager", labels: { compute: "true" }, address: "10.0.0.1" });
        expect((await store.loadWorld()).nodes.map(node => node.id)).toEqual(["node-1"]);
      });

      it("raises the assignment's revision when a node's availability changes", async () => {
        const listed = (availability: "active" | "drain", versionIndex: number) =>
          store.saveSwarmNodes(
            [{ nodeId: "node-1", hostname: "n", role: "worker", availability, state: "ready", address: "", labels: {}, versionIndex }],
            NOW,
          );
        await listed("active", 1);
        const before = await store.loadAssignment("node-1");
        await listed("drain", 2);
        expect(await store.loadAssignment("node-1")).toMatchObject({ availability: "drain", revision: before!.revision + 1 });
      });

      it("keeps load, last sight, liveness, usage and the number of live locations", async () => {
        await committed(creation(1), creation(2), placement(1), placement(2));
        await store.saveBeats([{ nodeId: "node-1", load: { cpuShare: 0.3, memoryShare: 0.7 } }], NOW + 1);
        await store.saveBeats([{ nodeId: "node-1", load: undefined }], NOW + 2);
        await store.saveLiveness(new Map([["node-1", "ready"]]), NOW);
        await store.saveUsage([{ instanceId: "acme.web.1", epoch: 1, cpuMillis: 12, memoryBytes: 34 }], NOW);
        expect(await store.listNodes()).toMatchObject([
          { seenAt: NOW + 2, instances: 2, node: { liveness: "ready", load: { cpuShare: 0.3, memoryShare: 0.7 } } },
        ]);
        expect(await store.loadUsage(["acme.web.1", "acme.web.2"])).toEqual([
          { instanceId: "acme.web.1", epoch: 1, cpuMillis: 12, memoryBytes: 34 },
        ]);
        await store.saveReport(aReport({ gone: [{ instanceId: "acme.web.1", epoch: 1 }] }), NOW);
        expect(await store.listNodes()).toMatchObject([{ instances: 1 }]);
      });
    });

    describe("digests and repair", () => {
      it("sums live locations per node, the same way whatever the order they came in", async () => {
        await store.saveFacts(someFacts({ nodeId: "node-2" }), NOW);
        await committed(creation(1), creation(2), creation(3), placement(1), placement(2), placement(3, { nodeId: "node-2" }));
        const before = await store.loadDigests();
        const texts = ["acme.web.1/1/assigned/none/", "acme.web.2/1/assigned/none/"];
        const hash = (text: string) => BigInt(`0x${createHash("md5").update(text).digest("hex").slice(0, 16)}`);
        expect(before.get("node-1")).toEqual({ digest: texts.map(hash).reduce((a, b) => a ^ b), count: 2 });
        expect(before.get("node-2")?.count).toBe(1);
        await store.saveReport(aReport({ statuses: [aStatus()] }), NOW);
        const after = await store.loadDigests();
        expect(after.get("node-1")?.digest).not.toBe(before.get("node-1")?.digest);
        expect(after.get("node-2")).toEqual(before.get("node-2"));
        await store.saveReport(aReport({ seq: 2, gone: [{ instanceId: "acme.web.1", epoch: 1 }] }), NOW);
        expect((await store.loadDigests()).get("node-1")?.count).toBe(1);
      });

      it("restores a location of an instance that is recorded at that very epoch, and no other", async () => {
        await committed(creation(1), placement(1));
        const location = (await locationOf("acme.web.1"))!;
        await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1 });
        expect(await store.restoreLocation({ ...location, epoch: 2 })).toBe(false);
        expect(await store.restoreLocation({ ...location, instanceId: "acme.web.9" })).toBe(false);
        expect((await store.loadWorld()).locations).toEqual([]);
        const running: Location = { ...location, state: "running", message: "as the agent sees it" };
        expect(await store.restoreLocation(running)).toBe(true);
        expect(await store.restoreLocation(location)).toBe(false);
        expect((await store.loadWorld()).locations).toEqual([running]);
      });

      it("does not restore a location whose host port was given to another meanwhile", async () => {
        const ports = [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_000 }] as const;
        await committed(creation(1), creation(2), placement(1, { ports }));
        const location = (await locationOf("acme.web.1"))!;
        await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1 }, placement(2, { ports }));
        expect(await store.restoreLocation({ ...location, state: "running" })).toBe(false);
        expect((await store.loadWorld()).locations).toMatchObject([{ instanceId: "acme.web.2" }]);
      });
    });

    describe("tenants and deployments", () => {
      const code = async (promise: Promise<unknown>): Promise<string> =>
        promise.then(
          () => "done",
          (error: { code: string; reason: string }) => `${error.code} ${error.reason}`,
        );
      const NONE = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };

      it("refuses what the port says that it refuses", async () => {
        const create = (tenantId: string, name: string, routes: Route[] = []) =>
          code(store.createDeployment(tenantId, aSpec({ name }), routes, someone, NOW));
        expect(await code(store.createTenant(aTenant(), someone))).toBe("already_exists TENANT_EXISTS");
        expect(await code(store.updateTenant("nobody", NONE, someone))).toBe("not_found TENANT_NOT_FOUND");
        expect(await code(store.deleteTenant("nobody", someone))).toBe("not_found TENANT_NOT_FOUND");
        expect(await code(store.deleteTenant("acme", someone))).toBe("failed_precondition TENANT_HAS_DEPLOYMENTS");
        expect(await create("acme", "web")).toBe("already_exists DEPLOYMENT_EXISTS");
        expect(await create("nobody", "web")).toBe("not_found TENANT_NOT_FOUND");
        expect(await code(store.changeDeployment("acme.nope", {}, undefined, someone, NOW))).toBe(
          "not_found DEPLOYMENT_NOT_FOUND",
        );
        await store.createTenant(aTenant({ id: "other" }), someone);
        const stolen = aRoute({ deploymentId: "other.web", tenantId: "other" });
        expect(await create("other", "web", [stolen])).toBe("failed_precondition DOMAIN_TAKEN");
        expect(await store.getDeployment("other.web")).toBeUndefined();
        expect(await create("acme", "more", [aRoute({ deploymentId: "acme.more" })])).toBe("done");
      });

      it("frees a domain when nothing routes it any more", async () => {
        await store.createTenant(aTenant({ id: "other" }), someone);
        const routes = [aRoute({ domain: "new.example" })];
        await store.changeDeployment("acme.web", { routes }, undefined, someone, NOW);
        expect(await store.listRoutes({ domain: "web.example" })).toEqual([]);
        expect(await store.listRoutes({ deploymentId: "acme.web" })).toEqual(routes);
        const spec = aSpec({ name: "web" });
        const route = aRoute({ deploymentId: "other.web", tenantId: "other" });
        await store.createDeployment("other", spec, [route], someone, NOW);
        expect(await store.listRoutes({ tenantId: "other" })).toEqual([route]);
        const back = code(store.changeDeployment("acme.web", { routes: [aRoute()] }, undefined, someone, NOW));
        expect(await back).toBe("failed_precondition DOMAIN_TAKEN");
        expect(await store.listRoutes({ deploymentId: "acme.web" })).toEqual(routes);
      });

      it("holds a tenant to its quota, also against requests that come at once", async () => {
        await store.createTenant(aTenant({ id: "small", quota: { ...NONE, instances: 3 } }), someone);
        const attempts = await Promise.all(
          ["a", "b", "c", "d"].map(name =>
            code(store.createDeployment("small", aSpec({ name, replicas: 2 }), [], someone, NOW)),
          ),
        );
        expect(attempts.toSorted()).toEqual(["done", ...Array.from({ length: 3 }, () => "resource_exhausted QUOTA_EXCEEDED")]);
        const [held] = (await store.listDeployments({ tenantId: "small" }, { size: 9, token: undefined })).items;
        const scale = (replicas: number) =>
          code(store.changeDeployment(held!.deployment.id, { replicas }, undefined, someone, NOW));
        expect(await scale(4)).toBe("resource_exhausted QUOTA_EXCEEDED");
        expect(await scale(3)).toBe("done");
        await store.updateTenant("small", { ...NONE, memoryBytes: 512 * 1024 * 1024 * 3 }, someone);
        expect(await scale(4)).toBe("resource_exhausted QUOTA_EXCEEDED");
        const stopped = await store.changeDeployment(held!.deployment.id, { desired: "stopped", replicas: 9 }, undefined, someone, NOW);
        expect(stopped.deployment).toMatchObject({ desired: "stopped", replicas: 9 });
      });

      it("makes a new release for a new spec and for a restart, and none for a scale", async () => {
        const change = (what: Parameters<Store["changeDeployment"]>[1]) =>
          store.changeDeployment("acme.web", what, undefined, someone, NOW);
        const scaled = await change({ replicas: 5 });
        expect(scaled.deployment).toMatchObject({ replicas: 5, release: 1, resourceVersion: 2 });
        const restarted = await change({ restart: true });
        expect(restarted.deployment).toMatchObject({ replicas: 5, release: 2, resourceVersion: 3 });
        expect(restarted.release).toEqual({ deploymentId: "acme.web", number: 2, spec: aSpec({ replicas: 2 }) });
        const spec = aSpec({ replicas: 1, containers: [aContainer({ image: "app:2" })] });
        const updated = await change({ spec });
        expect(updated).toEqual({
          deployment: { ...restarted.deployment, replicas: 1, release: 3, resourceVersion: 4 },
          release: { deploymentId: "acme.web", number: 3, spec },
        });
        expect(await store.getDeployment("acme.web")).toEqual(updated);
        expect(await change({})).toEqual(updated);
        expect((await change({ desired: "deleted" })).deployment.resourceVersion).toBe(5);
        expect((await change({ desired: "deleted" })).deployment.resourceVersion).toBe(5);
        expect(await code(change({ replicas: 1 }))).toBe("failed_precondition DEPLOYMENT_DELETED");
      });

      it("refuses a change that is based on an old version, and loses none of those that come at once", async () => {
        const stale = store.changeDeployment("acme.web", { replicas: 9 }, 7, someone, NOW);
        expect(await code(stale)).toBe("aborted STALE_VERSION");
        const both = await Promise.all(
          [3, 4].map(replicas => code(store.changeDeployment("acme.web", { replicas }, 1, someone, NOW))),
        );
        expect(both.toSorted()).toEqual(["aborted STALE_VERSION", "done"]);
        await Promise.all([1, 2, 3, 4].map(() => store.changeDeployment("acme.web", { restart: true }, undefined, someone, NOW)));
        expect((await store.getDeployment("acme.web"))?.release.number).toBe(5);
      });

      it("answers a repeated request as before, and refuses its key for another one", async () => {
        const keyed = (idempotencyKey: string): Request => ({ actor: "someone", idempotencyKey });
        const create = (name: string, key: string) =>
          store.createDeployment("acme", aSpec({ name }), [], keyed(key), NOW);
        const first = await create("job", "k1");
        await store.changeDeployment("acme.job", { replicas: 3 }, undefined, keyed("k2"), NOW);
        expect(await create("job", "k1")).toEqual(first);
        expect(await code(create("job2", "k1"))).toBe("aborted IDEMPOTENCY_KEY_REUSED");
        expect(await store.getDeployment("acme.job2")).toBeUndefined();
        await store.changeDeployment("acme.job", { replicas: 3 }, undefined, keyed("k2"), NOW);
        expect((await store.getDeployment("acme.job"))?.deployment).toMatchObject({ replicas: 3, resourceVersion: 2 });
        const other: Request = { actor: "another", idempotencyKey: "k1" };
        await store.createDeployment("acme", aSpec({ name: "job3" }), [], other, NOW);
        const twice = await Promise.all([1, 2].map(() => create("job4", "k4")));
        expect(twice[0]).toEqual(twice[1]);
        const tenant = aTenant({ id: "again" });
        await store.createTenant(tenant, keyed("k5"));
        expect(await store.createTenant(tenant, keyed("k5"))).toEqual(tenant);
        await store.deleteTenant("again", keyed("k6"));
        await store.deleteTenant("again", keyed("k6"));
        expect(await store.getTenant("again")).toBeUndefined();
      });

      it("gives lists in pages, each item once", async () => {
        for (const name of ["a", "b", "c"]) await store.createDeployment("acme", aSpec({ name }), [], someone, NOW);
        const names: string[] = [];
        let token: string | undefined;
        do {
          const page = await store.listDeployments({ tenantId: "acme" }, { size: 2, token });
          names.push(...page.items.map(item => item.deployment.name));
          token = page.nextToken;
        } while (token !== undefined);
        expect(names).toEqual(["a", "b", "c", "web"]);
        const bad = store.listDeployments({}, { size: 2, token: "%%%" });
        expect(await code(bad)).toBe("invalid_argument BAD_PAGE_TOKEN");
        expect((await store.listTenants({ size: 10, token: undefined })).items).toEqual([
          aTenant(),
          aTenant({ id: "default" }),
        ]);
        await committed(creation(1), creation(2), placement(1));
        const onNode = await store.listInstances({ nodeId: "node-1" }, { size: 10, token: undefined });
        expect(onNode.items.map(item => [item.instance.id, item.locations.length])).toEqual([["acme.web.1", 1]]);
        const first = await store.listInstances({ deploymentId: "acme.web" }, { size: 1, token: undefined });
        const second = await store.listInstances({ deploymentId: "acme.web" }, { size: 1, token: first.nextToken });
        expect(second.items[0]?.instance.id).toBe("acme.web.2");
        expect(second.nextToken).toBeUndefined();
      });
    });

    describe("history and edge", () => {
      it("keeps decisions in order and forgets old ones", async () => {
        const decision = (at: number) => ({
          at,
          kind: "placed",
          tenantId: "acme",
          deploymentId: "acme.web",
          instanceId: undefined,
          nodeId: "node-1",
          epoch: 1,
          sentence: `At ${at}.`,
        });
        await store.saveDecisions([decision(NOW), decision(NOW + 1), decision(NOW + 2)]);
        const page = await store.listDecisions({ deploymentId: "acme.web" }, { size: 2, token: undefined });
        expect(page.items).toEqual([decision(NOW), decision(NOW + 1)]);
        const rest = await store.listDecisions({ deploymentId: "acme.web" }, { size: 2, token: page.nextToken });
        expect(rest).toEqual({ items: [decision(NOW + 2)], nextToken: undefined });
        expect(await store.pruneHistory({ keysAt: NOW, decisionsAt: NOW + 2 }, 1)).toBe(1);
        const left = await store.listDecisions({ sinceAt: NOW }, { size: 9, token: undefined });
        expect(left.items).toEqual([decision(NOW + 1), decision(NOW + 2)]);
      });

      it("shows the edge routes, live locations of routed deployments, and nodes", async () => {
        await committed(creation(1), creation(2), placement(1), placement(2));
        await store.saveReport(aReport({ statuses: [aStatus()], gone: [{ instanceId: "acme.web.2", epoch: 1 }] }), NOW);
        const edge = await store.loadEdge();
        expect(edge.routes).toEqual([aRoute()]);
        expect(edge.locations.map(one => one.instanceId)).toEqual(["acme.web.1"]);
        expect(edge.nodes.map(node => node.id)).toEqual(["node-1"]);
        await store.changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, NOW);
        expect((await store.loadEdge()).routes).toEqual([]);
      });
    });
  });
}
