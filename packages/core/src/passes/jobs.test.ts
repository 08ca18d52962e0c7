import { expect, test } from "vitest";
import { assignedByNode, assignmentOf } from "../world/assignment-of.ts";
import type { ContainerStatus, Location } from "../model/instance.ts";
import { aContainer, aSpec, changesOf, someNodes } from "../testing/builders.ts";
import { ToyCluster } from "../testing/toy-cluster.ts";

const job = (replicas: number, maxConcurrent?: number) =>
  aSpec({
    name: "job",
    replicas,
    mode: "replicated-job",
    restart: { condition: "on-failure" },
    job: { maxConcurrent },
  });

const ended = (exitCode: number): readonly ContainerStatus[] => [
  { name: "app", id: "c1", imageId: "", running: false, exitCode, restarts: 0 },
];

/** What runs ends as an agent would report it. */
function end(cluster: ToyCluster, which: (location: Location) => boolean, exitCode = 0): void {
  const state = exitCode === 0 ? "completed" : "failed";
  const change = { state, containers: ended(exitCode), changedAt: cluster.now } as const;
  const { locations } = cluster.world;
  cluster.world = {
    ...cluster.world,
    locations: locations.map(one => (one.state === "running" && which(one) ? { ...one, ...change } : one)),
  };
}

const all = (): boolean => true;
const states = (cluster: ToyCluster): readonly string[] => cluster.world.locations.map(one => one.state).sort();

test("a job runs as many at once as it may, until as many are completed as it has replicas, each once", () => {
  const cluster = new ToyCluster(someNodes(3));
  const id = cluster.deploy(job(5, 2));
  const seen: number[] = [];
  for (let at = 0; at < 8; at++) {
    cluster.run(5);
    seen.push(cluster.world.locations.filter(one => one.state === "running").length);
    end(cluster, all);
  }
  expect(seen).toEqual([2, 2, 1, 0, 0, 0, 0, 0]);
  expect(changesOf(cluster.changes, "place")).toHaveLength(5);
  expect(cluster.status(id)).toMatchObject({ wanted: 5, placed: 0, healthy: 0, completed: 5, converged: true });
  expect(cluster.tick()).toEqual([]);
});

test("what is completed stays so, through the loss of its node, a drain and a year, and takes no room", () => {
  const cluster = new ToyCluster(
    someNodes(1, () => ({ capacity: { instances: 1, portFrom: 20_000, portTo: 20_000 } })),
  );
  const containers = [aContainer({ ports: [{ containerPort: 80, protocol: "tcp", hostPort: undefined }] })];
  cluster.deploy({ ...job(1), containers });
  cluster.run(5);
  end(cluster, all);
  cluster.run(1);
  cluster.turn("node-1", { liveness: "down" });
  cluster.run(5);
  cluster.turn("node-1", { liveness: "ready", availability: "drain" });
  cluster.run(5);
  cluster.now += 365 * 86_400_000;
  cluster.turn("node-1", { availability: "active" });
  const web = cluster.deploy(aSpec({ containers }));
  cluster.run(5);
  expect(states(cluster)).toEqual(["completed", "running"]);
  expect(cluster.serving(web)).toHaveLength(1);
});

test("an update runs a job anew, after what still runs of it has ended", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(job(2));
  cluster.run(5);
  end(cluster, one => one.instanceId.endsWith(".1"));
  cluster.deploy(job(2));
  cluster.run(2, () => {
    const live = cluster.world.locations.filter(one => one.state !== "completed" && one.state !== "stopped");
    for (const slot of [0, 1]) {
      const ids = new Set(cluster.world.instances.filter(one => one.slot === slot).map(one => one.id));
      expect(live.filter(one => ids.has(one.instanceId)).length).toBeLessThanOrEqual(1);
    }
  });
  cluster.run(20);
  expect(cluster.serving(id).map(one => one.release)).toEqual([2, 2]);
  end(cluster, all);
  cluster.run(10);
  expect(states(cluster)).toEqual(["completed", "completed"]);
});

test("what failed as often as it may has failed for good: it is said, and not placed again", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec({ restart: { condition: "on-failure", maxAttempts: 2 } }));
  cluster.run(5);
  end(cluster, all, 1);
  cluster.run(400);
  expect(changesOf(cluster.changes, "place")).toHaveLength(1);
  const { converged, message } = cluster.status(id);
  expect([converged, message]).toEqual([false, expect.stringContaining("it has failed for good on node node-1")]);
  // What is to run always is tried elsewhere.
  const always = cluster.deploy(aSpec({ name: "always", restart: { condition: "any", maxAttempts: 2 } }));
  cluster.run(5);
  end(cluster, one => one.deploymentId === always, 1);
  cluster.run(20);
  expect(cluster.serving(always)).toHaveLength(1);
});

test("a node is told to keep what is over, and to run nothing of it", () => {
  const cluster = new ToyCluster(someNodes(1));
  cluster.deploy(job(1));
  cluster.deploy(aSpec({ name: "once", restart: { condition: "none" } }));
  cluster.run(5);
  end(cluster, one => one.deploymentId === "acme.job");
  end(cluster, all, 1);
  const told = (): readonly string[] => {
    const { world } = cluster;
    const on = assignedByNode(world, new Set(["node-1"])).get("node-1") ?? [];
    const origin = { incarnation: "", succeeds: [], term: 1 };
    return assignmentOf(world.nodes[0]!, origin, on, [], []).instances.map(one => one.desired);
  };
  expect(changesOf(cluster.tick(), "retire").map(one => one.because)).toEqual([
    "it is completed, and nothing of it is to run again",
    "it is failed, and nothing of it is to run again",
  ]);
  expect(told()).toEqual(["keep", "keep"]);
  cluster.want("acme.job", { desired: "stopped" });
  cluster.tick();
  expect(told()).toEqual(["stop", "keep"]);
});

test("a run that has to leave its node ends there before it begins elsewhere, and not where it is done meanwhile", () => {
  for (const isDone of [false, true]) {
    const cluster = new ToyCluster(someNodes(2));
    const id = cluster.deploy(job(1));
    cluster.run(5);
    const [first] = cluster.serving(id);
    cluster.turn(first!.nodeId, { availability: "drain" });
    cluster.run(1);
    if (isDone) end(cluster, all);
    cluster.run(20, () => {
      const live = cluster.world.locations.filter(one => !["stopped", "completed"].includes(one.state));
      expect(live.length).toBeLessThanOrEqual(1);
    });
    expect(changesOf(cluster.changes, "place")).toHaveLength(isDone ? 1 : 2);
    expect(states(cluster)).toEqual([isDone ? "completed" : "running"]);
  }
});
