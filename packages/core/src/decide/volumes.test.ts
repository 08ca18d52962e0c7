import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Location } from "../model/instance.ts";
import { mayRunUntil } from "../passes/single.ts";
import { aWorldOfAnyKind } from "../testing/arbitrary-world.ts";
import { aContainer, aSpec, aVolume, changesOf, someNodes } from "../testing/builders.ts";
import { ToyCluster } from "../testing/toy-cluster.ts";
import { leaseWait } from "../model/lease.ts";
import { isLeased, isSingle, volumesOf } from "../model/volume.ts";
import { applyPlan } from "../world/apply.ts";
import { openDraft } from "../world/draft.ts";
import { DEFAULT_SETTINGS } from "../world/world.ts";
import { decide } from "./decide.ts";

vi.setConfig({ testTimeout: 120_000 });

const NOW = 1_000_000;
const DATA = { name: "data", target: "/data", readOnly: false };
const stateful = aSpec({ name: "db", containers: [aContainer({ volumes: [DATA] })] });
const exclusive = aSpec({ name: "one", exclusive: true });

/** How many copies of a deployment may run right now, as far as the toy agents know. */
function copies(cluster: ToyCluster, id: string): number {
  const runs = (one: Location): boolean => ["starting", "running", "stopping"].includes(one.state);
  return cluster.world.locations.filter(one => one.deploymentId === id && runs(one)).length;
}

test("an instance with a volume goes back to the node that has it, from the first placement on", () => {
  const cluster = new ToyCluster(someNodes(3));
  const id = cluster.deploy(stateful);
  cluster.run(5);
  const [home] = cluster.serving(id);
  expect(cluster.world.volumes).toMatchObject([{ owner: id, name: "data", nodeId: home?.nodeId, state: "kept" }]);
  for (let round = 0; round < 5; round++) {
    cluster.deploy(aSpec({ name: `noise-${round}`, placement: { constraints: [`node.hostname == ${home?.nodeId}`] } }));
    cluster.deploy(stateful);
    cluster.run(15, () => expect(copies(cluster, id)).toBeLessThanOrEqual(1));
    expect(cluster.serving(id).map(one => [one.nodeId, one.release])).toEqual([[home?.nodeId, round + 2]]);
  }
  expect(cluster.world.volumes.length).toBe(1);
});

test("several replicas share one volume on its node, as in Compose, and a new volume is made beside the others", () => {
  const cluster = new ToyCluster(someNodes(3));
  const shared = { ...stateful, replicas: 3, placement: { ...stateful.placement, strategy: "spread" as const } };
  const id = cluster.deploy(shared);
  cluster.run(5);
  const nodes = new Set(cluster.serving(id).map(one => one.nodeId));
  expect([cluster.serving(id).length, nodes.size]).toEqual([3, 1]);
  const more = { ...shared, containers: [aContainer({ volumes: [DATA, { ...DATA, name: "more", target: "/more" }] })] };
  cluster.deploy(more);
  cluster.run(60);
  expect(new Set(cluster.world.volumes.map(one => one.nodeId))).toEqual(nodes);
  expect(new Set(cluster.world.volumes.map(one => one.serial)).size).toBe(2);
});

test("while the node of its volume is away it waits and says for whom, and goes on there when the node returns", () => {
  const cluster = new ToyCluster(someNodes(3));
  const id = cluster.deploy(stateful);
  cluster.run(5);
  const home = cluster.serving(id)[0]!.nodeId;
  cluster.turn(home, { liveness: "down" });
  cluster.run(30);
  expect(cluster.world.locations.map(one => one.nodeId)).toEqual([home]);
  const advice = cluster.world.instances[0]?.refusal?.advice;
  expect(advice).toMatch(
    new RegExp(`^it waits for ${home}, which has its volume data and is down since 1970-.*volume rm acme.db/`),
  );
  expect(changesOf(cluster.changes, "refuse").length).toBe(1);
  cluster.turn(home, { liveness: "ready" });
  cluster.run(3);
  expect(cluster.serving(id).map(one => [one.nodeId, one.epoch])).toEqual([[home, 1]]);
  expect(cluster.world.instances[0]?.refusal).toBeUndefined();
});

test("a person who gives the volume up lets the instance start anew and empty elsewhere", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(stateful);
  cluster.run(5);
  const home = cluster.serving(id)[0]!.nodeId;
  cluster.turn(home, { liveness: "down" });
  cluster.run(5);
  cluster.world = { ...cluster.world, volumes: cluster.world.volumes.map(one => ({ ...one, state: "removing" })) };
  // A new leader does not know of the silence yet: what was given up does not come back by it.
  cluster.turn(home, { liveness: "unknown" });
  cluster.run(3);
  cluster.turn(home, { liveness: "down" });
  cluster.run(10);
  expect(cluster.serving(id).map(one => one.nodeId)).not.toContain(home);
  expect(cluster.serving(id).length).toBe(1);
  const [old, fresh] = cluster.world.volumes;
  expect(fresh).toMatchObject({ name: "data", nodeId: cluster.serving(id)[0]?.nodeId, state: "kept" });
  expect(fresh!.serial).toBeGreaterThan(old!.serial);
});

test("a deployment that is made anew in the same tenant waits for the node that has its volume", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(stateful);
  cluster.run(5);
  const home = cluster.serving(id)[0]!.nodeId;
  cluster.want(id, { desired: "deleted" });
  cluster.run(5);
  expect(cluster.world.deployments).toEqual([]);
  expect(cluster.world.volumes.length).toBe(1);
  cluster.turn(home, { liveness: "down" });
  cluster.deploy(stateful);
  cluster.run(5);
  expect(cluster.world.instances[0]?.refusal?.advice).toContain(`it waits for ${home}, which has its volume data`);
  expect(cluster.world.instances[0]?.refusal?.removed.map(one => one.filter)).toContain("volume");
  cluster.turn(home, { liveness: "ready" });
  cluster.run(5);
  expect(cluster.serving(id).map(one => one.nodeId)).toEqual([home]);
});

test("a drained node keeps the instance whose volume it has, and the refusal says what happens", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(stateful);
  cluster.run(5);
  const home = cluster.serving(id)[0]!.nodeId;
  cluster.turn(home, { availability: "drain" });
  cluster.run(10);
  expect(cluster.serving(id).map(one => one.nodeId)).toEqual([home]);
  expect(cluster.world.instances[0]?.refusal?.advice).toContain("its volume data is there, and no other node has it");
});

test("what is volume data on two nodes is for a person to decide", () => {
  const cluster = new ToyCluster(someNodes(2));
  cluster.world = {
    ...cluster.world,
    volumes: [aVolume({ owner: "acme.db" }), aVolume({ owner: "acme.db", nodeId: "node-2", serial: 2 })],
  };
  const id = cluster.deploy(stateful);
  cluster.run(5);
  expect(cluster.serving(id)).toEqual([]);
  expect(cluster.world.instances[0]?.refusal?.advice).toContain("on node-1 and on node-2: remove what is not wanted");
});

test("an exclusive instance leaves a drained node before it starts elsewhere, and stays where nothing else fits", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(exclusive);
  cluster.run(5);
  const from = cluster.serving(id)[0]!.nodeId;
  cluster.turn(from, { availability: "drain" });
  cluster.run(20, () => expect(copies(cluster, id)).toBeLessThanOrEqual(1));
  const to = cluster.serving(id).map(one => one.nodeId);
  expect(to.length).toBe(1);
  expect(to).not.toContain(from);
  expect(changesOf(cluster.changes, "retire")[0]?.because).toContain("it ends here first");
  cluster.turn(to[0]!, { availability: "drain" });
  cluster.run(10);
  expect(cluster.serving(id).map(one => one.nodeId)).toEqual(to);
});

test("an exclusive instance of a lost node is placed again only when its lease has surely ended", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(exclusive);
  cluster.run(5);
  const from = cluster.serving(id)[0]!.nodeId;
  cluster.turn(from, { liveness: "down" });
  cluster.tick();
  const lostAt = cluster.now;
  const { wakeAt } = decide(cluster.world, DEFAULT_SETTINGS, cluster.now);
  cluster.run(20);
  expect(cluster.world.instances[0]?.refusal?.advice).toContain("may run until its lease has surely ended");
  expect(cluster.world.instances[0]?.epoch).toBe(1);
  cluster.run(10);
  const placed = cluster.world.locations.find(one => one.epoch === 2);
  expect(placed!.desiredAt).toBeGreaterThanOrEqual(lostAt + DEFAULT_SETTINGS.exclusiveLeaseMs * 1.2);
  expect(wakeAt).toBeLessThanOrEqual(placed!.desiredAt);
});

test("the agent's word that the copy has ended is enough, without the lease", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(exclusive);
  cluster.run(5);
  cluster.turn(cluster.serving(id)[0]!.nodeId, { liveness: "down" });
  cluster.tick();
  cluster.world = {
    ...cluster.world,
    locations: cluster.world.locations.map(one => ({ ...one, state: "stopped", desired: "stop" })),
  };
  cluster.run(6);
  expect(cluster.serving(id).length).toBe(1);
});

test("a deployment stopped and started, updated or deleted and made anew runs one copy at most", () => {
  for (const spec of [stateful, exclusive]) {
    const cluster = new ToyCluster(someNodes(2));
    const id = cluster.deploy(spec);
    const few = (): void => expect(copies(cluster, id)).toBeLessThanOrEqual(1);
    cluster.run(5, few);
    cluster.want(id, { desired: "stopped" });
    cluster.run(1, few);
    cluster.want(id, { desired: "run" });
    cluster.run(10, few);
    cluster.deploy(aSpec({ ...spec, update: { order: "start-first" } }));
    cluster.run(20, few);
    expect(cluster.serving(id).map(one => one.release)).toEqual([2]);
  }
});

test("in any world nothing with a volume is placed away from it, and of a single nothing while a copy may run", () => {
  fc.assert(
    fc.property(aWorldOfAnyKind(NOW), world => {
      const plan = decide(world, DEFAULT_SETTINGS, NOW);
      const after = applyPlan(world, plan, NOW);
      const draft = openDraft(after, NOW);
      for (const placed of changesOf(plan.changes, "place")) {
        const instance = after.instances.find(one => one.id === placed.instanceId)!;
        const specs = after.releases.filter(one => one.deploymentId === instance.deploymentId).map(one => one.spec);
        const { spec } = after.releases.find(
          one => one.deploymentId === instance.deploymentId && one.number === instance.release,
        )!;
        // What was left behind in this very plan is no home any more, and what it made is one.
        for (const { owner, name, isExternal } of volumesOf(instance.tenantId, spec)) {
          const homes = after.volumes.filter(one => one.owner === owner && one.name === name && one.state === "kept");
          expect(homes.map(one => one.nodeId)).toEqual([placed.nodeId]);
          if (isExternal) expect(world.volumes.some(one => one.owner === owner && one.name === name)).toBe(true);
        }
        if (!specs.some(isSingle)) continue;
        const others = after.locations.filter(
          one =>
            one.deploymentId === instance.deploymentId &&
            !(one.instanceId === instance.id && one.epoch === placed.epoch),
        );
        expect(others.filter(one => mayRunUntil(draft, DEFAULT_SETTINGS, one) !== undefined)).toEqual([]);
        if (specs.some(isLeased)) expect(others.some(one => one.state === "lost" && one.changedAt === NOW)).toBe(false);
      }
    }),
    { numRuns: 1500 },
  );
});

test("nothing takes the place of an exclusive copy whose row has vanished while its agent is asked", () => {
  for (const change of ["update", "restart", "nothing"] as const) {
    const cluster = new ToyCluster(someNodes(2));
    const id = cluster.deploy(exclusive);
    cluster.run(5);
    const asked = cluster.now + 10_000;
    cluster.world = { ...cluster.world, locations: [], unseen: new Map([["acme.one.1", asked]]) };
    if (change === "update") cluster.deploy(aSpec({ ...exclusive, update: { order: "start-first" } }));
    if (change === "restart") cluster.want(id, { desired: "stopped" });
    cluster.tick();
    cluster.want(id, { desired: "run" });
    cluster.tick();
    expect(cluster.world.instances.map(one => one.id)).toContain("acme.one.1");
    expect(cluster.world.locations).toEqual([]);
    const { wakeAt } = decide(cluster.world, DEFAULT_SETTINGS, cluster.now);
    expect(wakeAt).toBeLessThanOrEqual(asked);
    cluster.run(30);
    expect(cluster.serving(id).length).toBe(1);
  }
});

test("whoever waits for a vanished row says so, and a copy that may run counts as one wherever it counts", () => {
  const world = (spec: typeof exclusive): ToyCluster["world"] => {
    const cluster = new ToyCluster(someNodes(2));
    cluster.deploy(spec);
    cluster.run(5);
    const [old] = cluster.world.instances;
    return { ...cluster.world, locations: [], unseen: new Map([[old!.id, 2e12]]) };
  };
  const lost = world(exclusive);
  const stopping = { ...lost.instances[0]!, desired: "stop" as const };
  const next = { ...lost.instances[0]!, id: "acme.one.2", epoch: 0 };
  const held = decide({ ...lost, instances: [stopping, next] }, DEFAULT_SETTINGS, NOW);
  expect(changesOf(held.changes, "place")).toEqual([]);
  expect(changesOf(held.changes, "refuse")[0]?.refusal?.advice).toContain("acme.one.1 at epoch 1 may: its record is");
  const shared = aSpec({ name: "web", update: { order: "stop-first" } });
  const web = world(shared);
  expect(decide(web, DEFAULT_SETTINGS, NOW).changes).toEqual([]);
  const ending = { ...web, instances: web.instances.map(one => ({ ...one, desired: "stop" as const })) };
  expect(decide(ending, DEFAULT_SETTINGS, NOW).changes).toEqual([]);
});

test("a row written back after its instance was ended is told to stop", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(exclusive);
  cluster.run(5);
  const instances = cluster.world.instances.map(one => ({ ...one, desired: "stop" as const }));
  cluster.world = { ...cluster.world, instances };
  cluster.want(id, { desired: "deleted" });
  cluster.run(10);
  expect(cluster.world.locations).toEqual([]);
  expect(cluster.world.instances).toEqual([]);
});

test("a row that was over when it was written back after its instance was ended is told to stop", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(exclusive);
  cluster.run(5);
  const containers = [{ name: "app", id: "c1", imageId: "i1", running: false, exitCode: 137, restarts: 0 }];
  const instances = cluster.world.instances.map(one => ({ ...one, desired: "stop" as const }));
  const locations = cluster.world.locations.map(one => ({ ...one, state: "stopped" as const, containers }));
  const world = { ...cluster.world, instances, locations };
  expect(changesOf(decide(world, DEFAULT_SETTINGS, cluster.now).changes, "stop")).toMatchObject([
    { instanceId: `${id}.1`, because: "its instance is to end" },
  ]);
});

test("a copy that failed keeps others away while its lease may hold what is left of it on a node that is down", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(exclusive);
  cluster.run(5);
  const [home] = cluster.serving(id);
  const failedAt = cluster.now;
  const containers = [{ name: "app", id: "c1", imageId: "i1", running: true, exitCode: undefined, restarts: 0 }];
  const failed = { ...home!, state: "failed", desired: "stop", containers, changedAt: failedAt } as const;
  const nodes = cluster.world.nodes.map(one => (one.id === home?.nodeId ? { ...one, liveness: "down" as const } : one));
  cluster.world = { ...cluster.world, nodes, locations: [failed] };
  cluster.deploy(aSpec({ ...exclusive, update: { order: "stop-first" } }));
  cluster.run(60);
  const [next] = cluster.serving(id);
  expect(next?.desiredAt).toBeGreaterThanOrEqual(failedAt + leaseWait(DEFAULT_SETTINGS.exclusiveLeaseMs));
  expect(next?.nodeId).not.toBe(home?.nodeId);
});

test("a serial of a volume that no scheduler gives does not use serials up", () => {
  const told = aVolume({ owner: "acme.other", nodeId: "node-9", serial: Number.MAX_SAFE_INTEGER });
  const cluster = new ToyCluster(someNodes(3));
  cluster.world = { ...cluster.world, volumes: [told, { ...told, serial: 7 }] };
  const id = cluster.deploy(stateful);
  cluster.run(5);
  expect(cluster.world.volumes.find(one => one.owner === id)?.serial).toBe(8);
});
