import { expect, test } from "vitest";
import { changedRecord } from "../deployment/change.ts";
import { slotOfNode } from "../model/node-slot.ts";
import type { DeploymentSpec } from "../model/deployment.ts";
import { explainPlacement, previewPlacement } from "../placement/explain.ts";
import { aContainer, aDeployment, aNode, aRelease, aSpec, changesOf, someNodes } from "../testing/builders.ts";
import { ToyCluster } from "../testing/toy-cluster.ts";

const everywhere = (over: Parameters<typeof aSpec>[0] = {}): DeploymentSpec =>
  aSpec({ name: "agent", mode: "global", ...over });

const nodesOf = (cluster: ToyCluster, id: string): readonly string[] =>
  cluster
    .serving(id)
    .map(one => one.nodeId)
    .sort();

test("a global deployment runs once on each node that its constraints let in, managers too, and follows nodes", () => {
  const cluster = new ToyCluster(
    someNodes(4, index => ({ role: index === 0 ? "manager" : "worker", labels: { zone: index === 3 ? "b" : "a" } })),
  );
  const id = cluster.deploy(everywhere({ placement: { constraints: ["node.labels.zone == a"] } }));
  cluster.run(5);
  expect(nodesOf(cluster, id)).toEqual(["node-1", "node-2", "node-3"]);
  expect(cluster.status(id)).toMatchObject({ wanted: 3, healthy: 3, converged: true });
  expect(cluster.tick()).toEqual([]);
  cluster.turn("node-4", { labels: { zone: "a" } });
  cluster.turn("node-2", { availability: "drain" });
  cluster.turn("node-3", { liveness: "down" });
  cluster.world = { ...cluster.world, nodes: [...cluster.world.nodes, aNode({ id: "node-5", labels: { zone: "a" } })] };
  cluster.run(10);
  expect(nodesOf(cluster, id)).toEqual(["node-1", "node-4", "node-5"]);
  cluster.turn("node-2", { availability: "active" });
  cluster.turn("node-3", { liveness: "ready" });
  cluster.run(10);
  expect(nodesOf(cluster, id)).toEqual(["node-1", "node-2", "node-3", "node-4", "node-5"]);
});

test("what is silent or paused keeps its copy and gets none", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(everywhere());
  cluster.run(5);
  cluster.turn("node-1", { liveness: "suspect" });
  cluster.turn("node-2", { availability: "pause" });
  const late = cluster.deploy(everywhere({ name: "late" }));
  cluster.run(5);
  expect([nodesOf(cluster, id), nodesOf(cluster, late)]).toEqual([["node-1", "node-2"], []]);
  expect(cluster.status(late)).toMatchObject({ wanted: 0, converged: false });
});

test("an update goes node by node, and no node is without for longer or has two for good", () => {
  for (const order of ["start-first", "stop-first"] as const) {
    const cluster = new ToyCluster(someNodes(3));
    const ports = [
      { containerPort: 80, protocol: "tcp" as const, hostPort: order === "stop-first" ? 8080 : undefined },
    ];
    const spec = everywhere({ containers: [aContainer({ ports })], update: { order, parallelism: 1 } });
    const id = cluster.deploy(spec);
    cluster.run(5);
    cluster.deploy(spec);
    cluster.run(60, () => {
      expect(nodesOf(cluster, id).length).toBeGreaterThanOrEqual(2);
      const busy = cluster.world.instances.filter(
        one => one.release === 2 && !cluster.serving(id).some(at => at.instanceId === one.id),
      );
      expect(busy.length).toBeLessThanOrEqual(1);
    });
    expect(cluster.serving(id).map(one => one.release)).toEqual([2, 2, 2]);
    expect(nodesOf(cluster, id)).toEqual(["node-1", "node-2", "node-3"]);
  }
});

test("where its node has no room it waits for that, and the reason is its node's", () => {
  const cluster = new ToyCluster(someNodes(2, index => ({ capacity: { memoryBytes: (index + 1) * 2 ** 30 } })));
  const resources = { ...aContainer().resources, reserveMemoryBytes: 1.5 * 2 ** 30, memoryBytes: 1.5 * 2 ** 30 };
  const id = cluster.deploy(everywhere({ containers: [aContainer({ resources })] }));
  cluster.run(5);
  expect(nodesOf(cluster, id)).toEqual(["node-2"]);
  const waiting = cluster.world.instances.find(one => one.epoch === 0)!;
  expect(waiting.refusal?.advice).toContain("add memory");
  expect(explainPlacement(cluster.world, waiting, cluster.now).nodes.map(one => one.filter)).toEqual([
    "memory",
    "own-node",
  ]);
  const preview = previewPlacement(cluster.world, { tenantId: "acme", spec: everywhere({ name: "other" }) }, 0);
  expect(preview.placed.map(one => one.nodeId).sort()).toEqual(["node-1", "node-2"]);
});

test("a global job runs once on each node, and not again after its node was lost or drained", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(everywhere({ mode: "global-job", restart: { condition: "on-failure" } }));
  cluster.run(5);
  const { locations } = cluster.world;
  cluster.world = { ...cluster.world, locations: locations.map(one => ({ ...one, state: "completed" as const })) };
  cluster.run(2);
  cluster.turn("node-1", { liveness: "down" });
  cluster.turn("node-2", { availability: "drain" });
  cluster.run(5);
  cluster.turn("node-1", { liveness: "ready" });
  cluster.turn("node-2", { availability: "active" });
  cluster.run(5);
  expect(changesOf(cluster.changes, "place")).toHaveLength(2);
  expect(cluster.status(id)).toMatchObject({ wanted: 2, completed: 2, converged: true });
});

test("it has no number of replicas", () => {
  const record = { deployment: aDeployment(), release: aRelease({ spec: everywhere() }) };
  expect(() => changedRecord(record, { replicas: 2 }, undefined)).toThrow("runs once on each node");
});

test("nodes have slots of their own", () => {
  const slots = Array.from({ length: 2_000 }, (_, at) => slotOfNode(`node-${at}`));
  expect(new Set(slots).size).toBe(2_000);
  expect(slots.every(slot => slot >= 0 && slot < 2 ** 31)).toBe(true);
});
