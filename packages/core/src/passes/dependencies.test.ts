import { expect, test } from "vitest";
import type { Dependency } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import { aContainer, aSpec, someNodes } from "../testing/builders.ts";
import { ToyCluster, type Outcome } from "../testing/toy-cluster.ts";

const on = (condition: Dependency["condition"], required = true, name = "db"): readonly Dependency[] => [
  { name, condition, required },
];
const probed = aContainer({
  health: { probe: { kind: "tcp", port: 80 }, intervalMs: 100, timeoutMs: 100, retries: 1, startPeriodMs: 0 },
});

function placed(cluster: ToyCluster, id: string): number {
  return cluster.world.locations.filter(one => one.deploymentId === id).length;
}

/** Changes the newest locations of a deployment, as its agents would report them. */
function report(cluster: ToyCluster, id: string, change: Partial<Location>): void {
  const { locations } = cluster.world;
  cluster.world = {
    ...cluster.world,
    locations: locations.map(one => (one.deploymentId === id ? { ...one, ...change, changedAt: cluster.now } : one)),
  };
}

test("a deployment begins once the one that it depends on is well, and says until then what it waits for", () => {
  const cluster = new ToyCluster(someNodes(3));
  const web = cluster.deploy(aSpec({ name: "web", replicas: 2, dependsOn: on("healthy") }));
  const db = cluster.deploy(aSpec({ name: "db", containers: [probed] }));
  cluster.run(1);
  expect(cluster.status(web).message).toContain("acme.web.1: it waits for db to be healthy");
  report(cluster, db, { state: "running", health: "starting" });
  cluster.run(3);
  expect(placed(cluster, web)).toBe(0);
  expect(cluster.tick()).toEqual([]);
  report(cluster, db, { health: "unhealthy" });
  cluster.run(1);
  expect(cluster.status(web).message).toContain("it waits for db to be healthy, which is unhealthy: see skep ps");
  expect(placed(cluster, web)).toBe(0);
  report(cluster, db, { health: "healthy" });
  cluster.run(5);
  expect(cluster.serving(web)).toHaveLength(2);
  expect(cluster.world.instances.map(one => one.refusal)).toEqual([undefined, undefined, undefined]);
});

test("what is not there, is stopped or has no replicas is waited for and named, and not where it is not required", () => {
  const cluster = new ToyCluster(someNodes(3));
  const web = cluster.deploy(aSpec({ name: "web", dependsOn: on("started") }));
  const free = cluster.deploy(aSpec({ name: "free", dependsOn: on("started", false) }));
  cluster.run(1);
  expect(cluster.status(web).message).toContain("it waits for db to start, which does not exist: deploy it");
  expect(placed(cluster, free)).toBe(1);
  const db = cluster.deploy(aSpec({ name: "db" }));
  cluster.want(db, { desired: "stopped" });
  cluster.run(1);
  expect(cluster.status(web).message).toContain("which is stopped: skep start db begins it");
  cluster.want(db, { desired: "run", replicas: 0 });
  cluster.run(1);
  expect(cluster.status(web).message).toContain("which has no replicas");
  cluster.want(db, { replicas: 1 });
  cluster.run(8);
  expect(cluster.serving(web)).toHaveLength(1);
});

test("one that has failed is waited for only where it is required", () => {
  const cluster = new ToyCluster(someNodes(3));
  cluster.outcome = (location): Outcome => (location.deploymentId === "acme.db" ? "fails" : "runs");
  const web = cluster.deploy(aSpec({ name: "web", dependsOn: on("healthy") }));
  const free = cluster.deploy(aSpec({ name: "free", dependsOn: on("healthy", false) }));
  cluster.deploy(aSpec({ name: "db", restart: { condition: "none" } }));
  cluster.run(12);
  expect(cluster.status(web).message).toContain("it waits for db to be healthy, which has failed: see skep ps");
  expect(placed(cluster, web)).toBe(0);
  expect(cluster.serving(free)).toHaveLength(1);
});

test("neither an update, nor a copy more, nor a move off a dead node waits for what is unwell for a moment", () => {
  for (const order of ["start-first", "stop-first"] as const) {
    const cluster = new ToyCluster(someNodes(3));
    const spec = aSpec({ name: "web", dependsOn: on("healthy"), update: { order } });
    const db = cluster.deploy(aSpec({ name: "db", containers: [probed] }));
    const web = cluster.deploy(spec);
    cluster.run(3);
    report(cluster, db, { state: "running", health: "healthy" });
    cluster.run(5);
    expect(cluster.serving(web)).toHaveLength(1);
    report(cluster, db, { health: "unhealthy" });
    cluster.deploy(spec);
    cluster.run(15);
    expect(cluster.serving(web).map(one => one.release)).toEqual([2]);
    cluster.want(web, { replicas: 2 });
    cluster.run(5);
    expect(cluster.serving(web)).toHaveLength(2);
    const { nodeId } = cluster.serving(web)[0]!;
    const { nodes } = cluster.world;
    cluster.world = {
      ...cluster.world,
      nodes: nodes.map(one => (one.id === nodeId ? { ...one, liveness: "down" } : one)),
    };
    cluster.run(5);
    expect(cluster.serving(web)).toHaveLength(2);
  }
});

test("an update waits for the job that it depends on, and what runs goes on meanwhile", () => {
  for (const order of ["start-first", "stop-first"] as const) {
    const cluster = new ToyCluster(someNodes(3));
    const spec = aSpec({ name: "web", dependsOn: on("completed", true, "migrate"), update: { order } });
    const job = aSpec({ name: "migrate", mode: "replicated-job", restart: { condition: "none" } });
    const web = cluster.deploy(spec);
    const migrate = cluster.deploy(job);
    cluster.run(5);
    expect(cluster.status(web).message).toContain("it waits for migrate to complete");
    report(cluster, migrate, { state: "completed" });
    cluster.run(5);
    expect(cluster.serving(web)).toHaveLength(1);
    cluster.deploy(job);
    cluster.deploy(spec);
    cluster.run(10);
    expect(cluster.serving(web).map(one => one.release)).toEqual([1]);
    expect(cluster.status(web).message).toContain("it runs on, and release 2 waits for migrate to complete");
    expect(cluster.tick()).toEqual([]);
    const { locations } = cluster.world;
    cluster.world = {
      ...cluster.world,
      locations: locations.map(one =>
        one.deploymentId === migrate && one.release === 2 ? { ...one, state: "completed" } : one,
      ),
    };
    cluster.run(15);
    expect(cluster.serving(web).map(one => one.release)).toEqual([2]);
    expect(cluster.world.instances.map(one => one.refusal)).toEqual([undefined, undefined]);
  }
});
