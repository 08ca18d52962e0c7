import fc from "fast-check";
import { expect, test, vi } from "vitest";
import {
  aContainer,
  aDeployment,
  aLocation,
  anInstance,
  aRelease,
  aSpec,
  aWorld,
  changesOf,
  someNodes,
} from "../testing/builders.ts";
import { decide } from "./decide.ts";
import { DEFAULT_SETTINGS } from "../world/world.ts";
import { ToyCluster } from "../testing/toy-cluster.ts";

// Many runs of many steps: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 });

const PORT = { containerPort: 80, protocol: "tcp" as const, hostPort: undefined };

test("a deployment gets an instance per replica, spread over the nodes, and then nothing changes any more", () => {
  const cluster = new ToyCluster(someNodes(3));
  const id = cluster.deploy(aSpec({ replicas: 3, containers: [aContainer({ ports: [PORT] })] }));
  cluster.run(5);
  expect(
    cluster
      .serving(id)
      .map(one => one.nodeId)
      .sort(),
  ).toEqual(["node-1", "node-2", "node-3"]);
  expect(cluster.serving(id)[0]?.ports).toEqual([
    { container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_001 },
  ]);
  expect(cluster.tick()).toEqual([]);
});

test("an update starts each new instance before the old one leaves, one at a time", () => {
  const cluster = new ToyCluster(someNodes(3));
  const id = cluster.deploy(aSpec({ replicas: 3 }));
  cluster.run(5);
  cluster.deploy(aSpec({ replicas: 3 }));
  let overlap = 0;
  cluster.run(60, () => {
    expect(cluster.serving(id).length).toBeGreaterThanOrEqual(3);
    overlap = Math.max(
      overlap,
      cluster.world.instances.filter(
        one => one.release === 2 && !cluster.serving(id).some(at => at.instanceId === one.id),
      ).length,
    );
  });
  expect(cluster.serving(id).map(one => one.release)).toEqual([2, 2, 2]);
  expect(overlap).toBe(1);
  expect(cluster.world.instances.map(one => one.slot).sort()).toEqual([0, 1, 2]);
});

test("a spread does not count with what gives way", () => {
  const spec = aSpec({ replicas: 3, placement: { strategy: "spread" } });
  const old = { release: 1, epoch: 1 };
  const wanted = { release: 2, epoch: 1 };
  const world = aWorld({
    nodes: someNodes(3),
    deployments: [
      aDeployment({ replicas: 3, release: 2, nextSerial: 6 }),
      aDeployment({ name: "neighbour", nextSerial: 2 }),
    ],
    releases: [
      aRelease({ spec }),
      aRelease({ number: 2, spec }),
      aRelease({ deploymentId: "acme.neighbour", spec: aSpec({ name: "neighbour" }) }),
    ],
    instances: [
      anInstance({ id: "acme.web.3", slot: 2, ...old }),
      anInstance({ id: "acme.web.4", slot: 0, ...wanted }),
      anInstance({ id: "acme.web.5", slot: 1, ...wanted }),
      anInstance({ id: "acme.neighbour.1", deploymentId: "acme.neighbour", epoch: 1 }),
    ],
    locations: [
      aLocation({ instanceId: "acme.web.3", nodeId: "node-1", ...old }),
      aLocation({ instanceId: "acme.web.4", nodeId: "node-2", ...wanted }),
      aLocation({ instanceId: "acme.web.5", nodeId: "node-3", ...wanted }),
      aLocation({ instanceId: "acme.neighbour.1", nodeId: "node-1" }),
    ],
  });
  const [placed] = changesOf(decide(world, DEFAULT_SETTINGS, 1_000).changes, "place");
  expect(placed?.nodeId).toBe("node-1");
});

test("stop-first frees the slot, and even the host port, before the new instance is made", () => {
  const spec = aSpec({
    containers: [aContainer({ ports: [{ ...PORT, hostPort: 8080 }] })],
    update: { order: "stop-first" },
  });
  const cluster = new ToyCluster(someNodes(1));
  const id = cluster.deploy(spec);
  cluster.run(5);
  cluster.deploy(spec);
  cluster.run(20, () => expect(cluster.world.locations.length).toBeLessThanOrEqual(1));
  expect(cluster.serving(id).map(one => one.release)).toEqual([2]);
});

test("stop-first waits for every older copy in the slot, also for one that two updates are to replace", () => {
  const spec = aSpec({ update: { order: "stop-first" } });
  const world = aWorld({
    nodes: someNodes(1),
    deployments: [aDeployment({ release: 3, nextSerial: 3 })],
    releases: [1, 2, 3].map(number => aRelease({ number, spec })),
    instances: [
      anInstance({ id: "acme.web.1", release: 1, epoch: 1 }),
      anInstance({ id: "acme.web.2", release: 2, epoch: 0 }),
    ],
    locations: [aLocation({ instanceId: "acme.web.1", release: 1, epoch: 1, state: "running", desired: "stop" })],
  });
  const { changes } = decide(world, DEFAULT_SETTINGS, 1_000);
  expect(changesOf(changes, "create-instance")).toEqual([]);
  expect(changesOf(changes, "stop-instance").map(one => one.instanceId)).toContain("acme.web.2");
});

test("a release that never serves stops its own rollout, and the old instances stay", () => {
  const cluster = new ToyCluster(someNodes(3));
  const id = cluster.deploy(aSpec({ replicas: 3 }));
  cluster.run(5);
  cluster.outcome = location => (location.release === 2 ? "hangs" : "runs");
  cluster.deploy(aSpec({ replicas: 3 }));
  cluster.run(30);
  expect(cluster.serving(id).map(one => one.release)).toEqual([1, 1, 1]);
  expect(cluster.world.instances.filter(one => one.release === 2).length).toBe(1);
  cluster.deploy(aSpec({ replicas: 3 }));
  cluster.run(60);
  expect(cluster.world.instances.map(one => one.release)).toEqual([3, 3, 3]);
});

test("draining a node moves its instances without a moment in which fewer serve", () => {
  const cluster = new ToyCluster(someNodes(3));
  const id = cluster.deploy(aSpec({ replicas: 6 }));
  cluster.run(5);
  cluster.turn("node-1", { availability: "drain" });
  cluster.run(20, () => expect(cluster.serving(id).length).toBeGreaterThanOrEqual(6));
  expect(cluster.serving(id).some(one => one.nodeId === "node-1")).toBe(false);
  expect(cluster.world.locations.length).toBe(6);
  expect(changesOf(cluster.changes, "retire").length).toBe(2);
});

test("an old copy that is unwell for a moment in a drain is not stopped before the new one serves", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec());
  cluster.run(5);
  const from = cluster.serving(id)[0]!.nodeId;
  cluster.outcome = location => (location.nodeId === from ? "runs" : "hangs");
  cluster.turn(from, { availability: "drain" });
  cluster.run(3);
  const turnWell = (health: "starting" | "healthy"): void => {
    const locations = cluster.world.locations.map(one => (one.nodeId === from ? { ...one, health } : one));
    cluster.world = { ...cluster.world, locations };
  };
  turnWell("starting");
  cluster.run(20);
  turnWell("healthy");
  cluster.run(1);
  expect(cluster.serving(id).map(one => one.nodeId)).toEqual([from]);
  cluster.outcome = () => "runs";
  cluster.run(10, () => expect(cluster.serving(id).length).toBeGreaterThan(0));
  expect(cluster.world.locations.map(one => one.nodeId)).not.toContain(from);
});

test("an old copy that stays unwell stops when the grace of its move has ended, and the reason names it", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec());
  cluster.run(5);
  const from = cluster.serving(id)[0]!.nodeId;
  cluster.outcome = () => "hangs";
  cluster.turn(from, { availability: "drain" });
  cluster.run(3);
  const locations = cluster.world.locations.map(one => (one.nodeId === from ? { ...one, health: "unhealthy" } : one));
  cluster.world = { ...cluster.world, locations: locations as typeof cluster.world.locations };
  cluster.run(50);
  expect(cluster.world.locations.map(one => one.nodeId)).toContain(from);
  expect(decide(cluster.world, DEFAULT_SETTINGS, cluster.now).wakeAt).toBeLessThanOrEqual(cluster.now + 20_000);
  cluster.run(20);
  expect(cluster.world.locations.map(one => one.nodeId)).not.toContain(from);
  expect(changesOf(cluster.changes, "stop").at(-1)?.because).toContain("did not serve within 60 s");
});

test("where nothing else fits, a drained node keeps its instance, and the refusal says so until it is active again", () => {
  const cluster = new ToyCluster(someNodes(2, index => ({ labels: index === 0 ? { disk: "ssd" } : {} })));
  const id = cluster.deploy(aSpec({ placement: { constraints: ["node.labels.disk == ssd"] } }));
  cluster.run(5);
  cluster.turn("node-1", { availability: "drain" });
  cluster.run(5);
  expect(cluster.serving(id).map(one => one.nodeId)).toEqual(["node-1"]);
  const [instance] = cluster.world.instances;
  expect(instance?.refusal?.advice).toContain("it stays on node-1, which is drained");
  expect(instance?.refusal?.removed.map(one => one.sentence)).toContain("1 node does not have the label disk=ssd");
  expect(changesOf(cluster.changes, "refuse").length).toBe(1);
  cluster.turn("node-1", { availability: "active" });
  cluster.run(5);
  expect(cluster.serving(id).map(one => one.nodeId)).toEqual(["node-1"]);
  expect(cluster.world.instances[0]?.refusal).toBeUndefined();
  expect(changesOf(cluster.changes, "refuse").length).toBe(2);
});

test("what ran on a node that is down is placed elsewhere with a higher epoch, and ends there when the node is back", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec({ replicas: 2 }));
  cluster.run(5);
  cluster.turn("node-1", { liveness: "down" });
  cluster.run(5);
  expect(
    cluster
      .serving(id)
      .map(one => [one.nodeId, one.epoch])
      .sort(),
  ).toEqual([
    ["node-2", 1],
    ["node-2", 2],
  ]);
  cluster.turn("node-1", { liveness: "ready" });
  cluster.run(1);
  expect(cluster.world.locations.find(one => one.nodeId === "node-1")).toMatchObject({
    state: "stopped",
    desired: "stop",
  });
  cluster.run(2);
  expect(cluster.world.locations.map(one => one.nodeId)).toEqual(["node-2", "node-2"]);
});

test("a node that is only suspect, or not heard yet, keeps what it has and gets nothing new", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec({ replicas: 2 }));
  cluster.run(5);
  cluster.turn("node-1", { liveness: "suspect" });
  cluster.deploy(aSpec({ name: "more", replicas: 4 }));
  cluster.run(5);
  expect(
    cluster
      .serving(id)
      .map(one => one.nodeId)
      .sort(),
  ).toEqual(["node-1", "node-2"]);
  expect(cluster.serving("acme.more").every(one => one.nodeId === "node-2")).toBe(true);
});

test("placements that fail are tried again, later and later", () => {
  const cluster = new ToyCluster(someNodes(2));
  cluster.outcome = () => "fails";
  cluster.deploy(aSpec());
  const times: number[] = [];
  cluster.run(400, () => {
    const latest = cluster.changes.at(-1);
    if (changesOf(cluster.changes, "place").length > times.length && latest !== undefined) times.push(cluster.now);
  });
  const gaps = times.slice(1).map((time, at) => time - times[at]!);
  expect(gaps.length).toBeGreaterThanOrEqual(4);
  expect(gaps.every((gap, at) => at === 0 || gap >= gaps[at - 1]! * 1.5)).toBe(true);
  expect(changesOf(cluster.changes, "defer")[0]?.because).toContain("exit code 1");
});

test("a job that ended as it should is left as it is", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec({ restart: { condition: "on-failure" } }));
  cluster.run(5);
  const containers = [{ name: "app", id: "c1", imageId: "", running: false, exitCode: 0, restarts: 0 }];
  cluster.world = {
    ...cluster.world,
    locations: cluster.world.locations.map(one => ({ ...one, state: "stopped", containers })),
  };
  cluster.run(200);
  expect(cluster.world.locations.map(one => [one.deploymentId, one.state, one.epoch])).toEqual([[id, "stopped", 1]]);
});

test("a placement that does not get running in time is tried on another node, if there is one", () => {
  const cluster = new ToyCluster(someNodes(2));
  cluster.outcome = location => (location.nodeId === "node-1" ? "hangs" : "runs");
  const id = cluster.deploy(aSpec());
  cluster.run(290);
  expect(cluster.serving(id)).toEqual([]);
  cluster.run(20);
  expect(cluster.serving(id).map(one => [one.nodeId, one.epoch])).toEqual([["node-2", 2]]);
});

test("scaling down takes instances out of the routes before it stops them", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec({ replicas: 4 }));
  cluster.run(5);
  cluster.want(id, { replicas: 2 });
  cluster.run(1);
  expect(cluster.world.locations.map(one => one.desired).sort()).toEqual(["retire", "retire", "run", "run"]);
  cluster.run(10);
  expect(cluster.world.instances.map(one => one.slot)).toEqual([0, 1]);
});

test("scaling down prefers instances that have no node", () => {
  const cluster = new ToyCluster(someNodes(1, () => ({ capacity: { instances: 2 } })));
  const id = cluster.deploy(aSpec({ replicas: 3 }));
  cluster.run(5);
  const served = cluster.serving(id).map(one => one.instanceId);
  cluster.want(id, { replicas: 2 });
  cluster.run(10);
  expect(cluster.world.instances.map(one => one.id).sort()).toEqual([...served].sort());
});

test("an instance wanted again while it leaves comes back, even to the only host port there is", () => {
  const cluster = new ToyCluster(someNodes(1));
  const id = cluster.deploy(aSpec({ containers: [aContainer({ ports: [{ ...PORT, hostPort: 8080 }] })] }));
  cluster.run(5);
  cluster.want(id, { replicas: 0 });
  cluster.run(1);
  cluster.want(id, { replicas: 1 });
  cluster.run(20);
  expect(cluster.serving(id).length).toBe(1);
});

test("a stopped deployment keeps its record, a deleted one leaves none", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec({ replicas: 2 }));
  cluster.run(5);
  cluster.want(id, { desired: "stopped" });
  cluster.run(5);
  expect([cluster.world.deployments.length, cluster.world.instances.length]).toEqual([1, 0]);
  cluster.want(id, { desired: "run" });
  cluster.run(5);
  expect(cluster.serving(id).length).toBe(2);
  cluster.want(id, { desired: "deleted" });
  cluster.run(5);
  expect([cluster.world.deployments, cluster.world.instances, cluster.world.locations, cluster.world.releases]).toEqual(
    [[], [], [], []],
  );
});

test("a deleted deployment does not wait for a node that is down", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec({ replicas: 2 }));
  cluster.run(5);
  cluster.turn("node-1", { liveness: "down" });
  cluster.want(id, { desired: "deleted" });
  cluster.run(5);
  expect([cluster.world.deployments, cluster.world.locations]).toEqual([[], []]);
});

test("whatever happens, it ends with what is wanted on nodes that may have it", () => {
  const event = fc.oneof(
    fc.record({
      kind: fc.constant("node" as const),
      node: fc.integer({ min: 1, max: 4 }),
      availability: fc.constantFrom("active", "drain", "pause"),
      liveness: fc.constantFrom("ready", "suspect", "down", "unknown"),
    }),
    fc.record({
      kind: fc.constant("release" as const),
      order: fc.constantFrom("start-first", "stop-first"),
      parallelism: fc.integer({ min: 0, max: 2 }),
    }),
    fc.record({ kind: fc.constant("replicas" as const), replicas: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant("desired" as const), desired: fc.constantFrom("run", "stopped") }),
  );
  const script = fc.array(fc.tuple(event, fc.integer({ min: 0, max: 8 })), { maxLength: 12 });
  fc.assert(
    fc.property(script, steps => {
      const cluster = new ToyCluster(someNodes(4));
      const id = cluster.deploy(aSpec({ replicas: 3, containers: [aContainer({ ports: [PORT] })] }));
      for (const [step, seconds] of steps) {
        if (step.kind === "node")
          cluster.turn(`node-${step.node}`, { availability: step.availability, liveness: step.liveness });
        else if (step.kind === "release")
          cluster.deploy(
            aSpec({
              replicas: cluster.world.deployments[0]!.replicas,
              containers: [aContainer({ ports: [PORT] })],
              update: step,
            }),
          );
        else if (step.kind === "replicas") cluster.want(id, { replicas: step.replicas });
        else cluster.want(id, { desired: step.desired });
        cluster.run(seconds);
      }
      for (let node = 1; node <= 4; node++)
        cluster.turn(`node-${node}`, { liveness: "ready", availability: node === 4 ? "drain" : "active" });
      cluster.want(id, { desired: "run" });
      cluster.run(150);
      const { replicas, release } = cluster.world.deployments[0]!;
      expect(cluster.serving(id).length).toBe(replicas);
      expect(cluster.world.locations.length).toBe(replicas);
      expect(cluster.serving(id).every(one => one.release === release && one.nodeId !== "node-4")).toBe(true);
      expect(new Set(cluster.world.instances.map(one => one.slot)).size).toBe(replicas);
      expect(cluster.tick()).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
