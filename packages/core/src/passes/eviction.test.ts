import { expect, test } from "vitest";
import { aContainer, aSpec, changesOf, someNodes } from "../testing/builders.ts";
import { ToyCluster } from "../testing/toy-cluster.ts";

const PORT = { containerPort: 80, protocol: "tcp" as const, hostPort: undefined };

test("a row that came back without a host port that it needs ends, and the next placement has one", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(aSpec({ containers: [aContainer({ ports: [PORT] })] }));
  cluster.run(5);
  for (const other of [{ protocol: "udp" as const }, { containerPort: 81 }, { container: "side" }, undefined]) {
    const [before] = cluster.serving(id);
    const kept = other === undefined ? [] : before!.ports.map(port => ({ ...port, ...other }));
    cluster.world = { ...cluster.world, locations: [{ ...before!, ports: kept }] };
    const gone = changesOf(cluster.tick(), "retire");
    expect(gone).toMatchObject([{ because: "its record has no host port for port 80, so nothing leads to it" }]);
    cluster.run(150);
    expect(cluster.serving(id)).toMatchObject([{ epoch: before!.epoch + 1, ports: [{ containerPort: 80 }] }]);
    expect(cluster.tick()).toEqual([]);
  }
  cluster.world = {
    ...cluster.world,
    locations: cluster.world.locations.map(one => ({ ...one, ports: [], health: "starting" as const })),
  };
  expect(changesOf(cluster.tick(), "stop")).toHaveLength(1);
  for (const over of [{ desired: "stop" as const }, { desired: "run" as const, state: "failed" as const }]) {
    cluster.world = { ...cluster.world, locations: cluster.world.locations.map(one => ({ ...one, ...over })) };
    expect(cluster.tick().filter(one => "because" in one && one.because.startsWith("its record"))).toEqual([]);
  }
});
