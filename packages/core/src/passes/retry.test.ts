import { expect, test } from "vitest";
import { aSpec, someNodes } from "../testing/builders.ts";
import { ToyCluster } from "../testing/toy-cluster.ts";

test.each([
  ["never ran", undefined, 2],
  ["failed", 1, 1],
])("what is to run once and %s is placed again only where nothing of it ran", (_, exitCode, placements) => {
  const cluster = new ToyCluster(someNodes(2));
  cluster.outcome = () => "fails";
  cluster.deploy(aSpec({ restart: { condition: "none" } }));
  cluster.run(5);
  const containers = [{ name: "app", id: "c1", imageId: "", running: false, exitCode, restarts: 0 }];
  const locations = cluster.world.locations.map(one => ({ ...one, state: "failed" as const, containers }));
  cluster.world = { ...cluster.world, locations };
  cluster.run(15);
  expect(cluster.changes.filter(one => one.kind === "place")).toHaveLength(placements);
});
