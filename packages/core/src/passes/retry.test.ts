import { expect, test } from "vitest";
import type { Location } from "../model/instance.ts";
import { aSpec, someNodes } from "../testing/builders.ts";
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
