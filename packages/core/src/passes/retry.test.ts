import { expect, test } from "vitest";
import type { Location } from "../model/instance.ts";
import { aContainer, aNode, aSpec, someNodes } from "../testing/builders.ts";
import { ToyCluster } from "../testing/toy-cluster.ts";

const made = { name: "app", id: "c1", imageId: "", running: false, exitCode: undefined, restarts: 0 };

test.each<[string, Partial<Location>, number]>([
  ["never ran", { containers: [made] }, 2],
  ["failed", { containers: [{ ...made, exitCode: 1 }] }, 1],
  ["ended, nobody knows how,", { containers: [made], state: "stopped" }, 1],
  ["was refused before anything was made", { containers: [] }, 1],
])("what is to run once and %s is placed again only where it was made and never ran", (_, change, placements) => {
  const cluster = new ToyCluster(someNodes(2));
  cluster.outcome = () => "fails";
  cluster.deploy(aSpec({ restart: { condition: "none" } }));
  cluster.run(5);
  const locations = cluster.world.locations.map(one => ({ ...one, state: "failed" as const, ...change }));
  cluster.world = { ...cluster.world, locations };
  cluster.run(15);
  expect(cluster.changes.filter(one => one.kind === "place")).toHaveLength(placements);
});

const FIXED = [{ containerPort: 80, protocol: "tcp" as const, hostPort: 8080 }];
const placedOn = (cluster: ToyCluster): readonly string[] =>
  cluster.changes.flatMap(one => (one.kind === "place" ? [one.nodeId] : []));

/** Its strategy prefers the smallest node, which is the one where it fails. */
function withTakenPort(nodes: number, ports: typeof FIXED | undefined): ToyCluster {
  const cluster = new ToyCluster(
    someNodes(nodes, index => (index > 0 ? {} : { capacity: { ...aNode().capacity, memoryBytes: 2 ** 30 } })),
  );
  cluster.outcome = ({ nodeId }) => (nodeId === "node-1" ? "fails" : "runs");
  const containers = [aContainer(ports === undefined ? {} : { ports })];
  cluster.deploy(aSpec({ containers, placement: { ...aSpec().placement, strategy: "resource-based" } }));
  return cluster;
}

test("a copy with a fixed host port that failed goes to another node at once: its port there counts as taken", () => {
  const cluster = withTakenPort(2, FIXED);
  cluster.run(30);
  expect(placedOn(cluster)).toEqual(["node-1", "node-2"]);
  expect(cluster.serving("acme.web")).toHaveLength(1);
});

test("it is tried where it failed when there is no other node, and others keep to the best one", () => {
  for (const cluster of [withTakenPort(1, FIXED), withTakenPort(2, undefined)]) {
    cluster.run(30);
    expect(placedOn(cluster).slice(0, 2)).toEqual(["node-1", "node-1"]);
  }
});
