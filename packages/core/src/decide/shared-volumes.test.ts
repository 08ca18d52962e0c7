import { expect, test } from "vitest";
import type { DeploymentSpec, VolumeMount } from "../model/deployment.ts";
import { DEFAULT_RESOURCES } from "../model/resources.ts";
import { aContainer, aSpec, aVolume, changesOf, someNodes } from "../testing/builders.ts";
import { ToyCluster } from "../testing/toy-cluster.ts";
import { DEFAULT_SETTINGS } from "../world/world.ts";
import { decide } from "./decide.ts";

const MIB = 1024 * 1024;

/** A service of the project `blog` that mounts volumes of these names. */
function service(name: string, mounts: readonly (string | VolumeMount)[], over: Partial<DeploymentSpec> = {}) {
  const { reserveMiB = 0, ...rest } = over as Partial<DeploymentSpec> & { readonly reserveMiB?: number };
  const volumes = mounts.map(one =>
    typeof one === "string" ? { name: one, target: `/${one}`, readOnly: false } : one,
  );
  const resources = { ...DEFAULT_RESOURCES, reserveMemoryBytes: reserveMiB * MIB };
  return aSpec({ name, project: "blog", containers: [aContainer({ volumes, resources })], ...rest } as never);
}

const moving = (name: string): VolumeMount => ({ name, target: `/${name}`, readOnly: false, move: "empty" });

function homesOf(cluster: ToyCluster, ...ids: readonly string[]): readonly (string | undefined)[] {
  return ids.map(id => cluster.serving(id)[0]?.nodeId);
}

test("services of a project that share a volume run on one node, each with its copies, and mount one volume", () => {
  const cluster = new ToyCluster(someNodes(3));
  const a = cluster.deploy(service("a", ["data"]));
  const b = cluster.deploy(service("b", ["data"], { replicas: 2, placement: { strategy: "spread" } as never }));
  const other = cluster.deploy(aSpec({ name: "other", containers: service("x", ["data"]).containers }));
  cluster.run(5);
  const home = cluster.serving(a)[0]!.nodeId;
  expect(cluster.serving(b).map(one => one.nodeId)).toEqual([home, home]);
  expect(cluster.world.volumes.map(one => one.owner).sort()).toEqual(["acme.other", "acme/blog"]);
  expect(homesOf(cluster, other)[0]).not.toBe(home);
  expect(cluster.tick()).toEqual([]);
});

test("two that share nothing are together where a third one mounts volumes of both, whichever comes first", () => {
  const three = [service("a", ["one"]), service("b", ["one", "two"]), service("c", ["two"])];
  for (const order of [three, three.toReversed(), [three[0]!, three[2]!, three[1]!]]) {
    const cluster = new ToyCluster(someNodes(3));
    const ids = order.map(spec => cluster.deploy(spec));
    cluster.run(8);
    expect(new Set(homesOf(cluster, ...ids)).size).toBe(1);
    expect(homesOf(cluster, ...ids)).not.toContain(undefined);
  }
  // Also where the one that holds them together comes to run later than both.
  const cluster = new ToyCluster(someNodes(3));
  const late = cluster.deploy({ ...three[1]!, replicas: 0 });
  const [a, c] = [cluster.deploy(three[0]!), cluster.deploy(three[2]!)];
  cluster.run(5);
  cluster.want(late, { replicas: 1 });
  cluster.run(5);
  expect(new Set(homesOf(cluster, a, late, c)).size).toBe(1);
});

test("a service keeps its node when another one comes to mount its volume and one elsewhere, and that one says why not", () => {
  const cluster = new ToyCluster(someNodes(2));
  const volumes = [
    aVolume({ owner: "acme/blog", name: "one", nodeId: "node-1" }),
    aVolume({ owner: "acme/blog", name: "two", nodeId: "node-2", serial: 2 }),
  ];
  cluster.world = { ...cluster.world, volumes };
  const [a, b, c] = [["one"], ["one", "two"], ["two"]].map((mounts, at) =>
    cluster.deploy(service(["a", "b", "c"][at]!, mounts)),
  );
  cluster.run(8);
  expect(homesOf(cluster, a!, b!, c!)).toEqual(["node-1", undefined, "node-2"]);
  const waiting = cluster.world.instances.find(one => one.deploymentId === b);
  expect(waiting?.refusal?.advice).toContain("on node-1 and on node-2: remove what is not wanted with skep volume rm");
});

test("the node that is chosen has room for all of them where there is one, and else the rest says why and what helps", () => {
  const sized = (...mib: readonly number[]) =>
    someNodes(mib.length, index => ({ capacity: { memoryBytes: mib[index]! * MIB } }));
  const pair = [
    service("a", ["data"], { reserveMiB: 600 } as never),
    service("b", ["data"], { reserveMiB: 500 } as never),
  ];
  const roomy = new ToyCluster(sized(700, 1200, 700));
  const ids = pair.map(spec => roomy.deploy(spec));
  roomy.run(5);
  expect(homesOf(roomy, ...ids)).toEqual(["node-2", "node-2"]);
  const tight = new ToyCluster(sized(700, 700));
  const [a, b] = pair.map(spec => tight.deploy(spec));
  tight.run(5);
  expect(homesOf(tight, b!)).toEqual([undefined]);
  const advice = tight.world.instances.find(one => one.deploymentId === b)?.refusal?.advice;
  const home = homesOf(tight, a!)[0];
  expect(advice).toContain(`it waits for ${home}, which has its volume data: it has less than 500 MiB of memory left`);
  expect(advice).toContain(`acme.a must run beside it, for the volumes that they share: make room on ${home}`);
  expect(advice).not.toContain("volume rm");
});

test("the node that is chosen passes what the others ask of a node, too", () => {
  const cluster = new ToyCluster(someNodes(3, index => ({ labels: { at: String(index) } })));
  const a = cluster.deploy(service("a", ["data"], { reserveMiB: 500 } as never));
  const b = cluster.deploy(service("b", ["data"], { placement: { constraints: ["node.labels.at == 2"] } as never }));
  cluster.run(5);
  expect(homesOf(cluster, a, b)).toEqual(["node-3", "node-3"]);
});

test("nothing takes the room of the rest between the first of them and the others", () => {
  const cluster = new ToyCluster(someNodes(2, index => ({ capacity: { memoryBytes: [1000, 900][index]! * MIB } })));
  const sized = (reserveMiB: number) => ({ reserveMiB, placement: { strategy: "resource-based" } }) as never;
  const ids = [service("a", ["data"], sized(500)), service("b", ["data"], sized(400))].map(spec =>
    cluster.deploy(spec),
  );
  cluster.deploy(service("c", [], sized(450)));
  cluster.tick();
  expect(changesOf(cluster.changes, "place").map(one => [one.instanceId, one.nodeId])).toEqual([
    ["acme.a.1", "node-2"],
    ["acme.b.1", "node-2"],
    ["acme.c.1", "node-1"],
  ]);
  expect(ids.length).toBe(2);
});

test("one that would be beside another and does not fit there names the other", () => {
  const cluster = new ToyCluster(someNodes(2, index => ({ labels: { at: String(index) } })));
  const on = (at: number) => ({ placement: { constraints: [`node.labels.at == ${at}`] } as never });
  cluster.deploy({ ...service("b", ["one", "two"]), replicas: 0 });
  cluster.deploy(service("a", ["one"], on(0)));
  const c = cluster.deploy(service("c", ["two"], on(1)));
  cluster.run(2);
  const { advice } = cluster.world.instances.find(one => one.deploymentId === c)!.refusal!;
  expect(advice).toContain("it has to run on node-1, beside acme.a, acme.b: it does not have the label at=1");
});

test("while the node is away all of them wait, and one that lets the volume go empty does not take it from the others", () => {
  const cluster = new ToyCluster(someNodes(3));
  const ids = [cluster.deploy(service("a", ["data"])), cluster.deploy(service("b", [moving("data")]))];
  cluster.run(5);
  const home = cluster.serving(ids[0]!)[0]!.nodeId;
  cluster.turn(home, { liveness: "down" });
  cluster.run(20);
  expect(new Set(cluster.world.locations.map(one => one.nodeId))).toEqual(new Set([home]));
  for (const { refusal } of cluster.world.instances) {
    expect(refusal?.advice).toMatch(new RegExp(`^it waits for ${home}, which has its volume data and is down since`));
    expect(refusal?.advice).toContain(`skep volume rm acme/blog/data --node ${home} --force`);
  }
  cluster.deploy(service("a", [moving("data")]));
  cluster.run(10);
  expect(new Set(homesOf(cluster, ...ids))).toEqual(
    new Set([cluster.world.volumes.find(one => one.state === "kept")?.nodeId]),
  );
});

test.each(["down", "gone"])(
  "with `move: empty` they begin empty elsewhere while the node is %s, and the old one is named",
  how => {
    const cluster = new ToyCluster(someNodes(3));
    const ids = ["a", "b"].map(name => cluster.deploy(service(name, [moving("data")])));
    cluster.run(5);
    const [old] = cluster.world.volumes;
    const home = old!.nodeId;
    if (how === "down") cluster.turn(home, { liveness: "down" });
    else cluster.world = { ...cluster.world, nodes: cluster.world.nodes.filter(one => one.id !== home) };
    cluster.run(5);
    const [left, fresh] = cluster.world.volumes;
    expect(left).toMatchObject({ serial: old!.serial, nodeId: home, state: "left" });
    expect(fresh).toMatchObject({ name: "data", owner: "acme/blog", state: "kept" });
    expect(fresh!.serial).toBeGreaterThan(old!.serial);
    expect(homesOf(cluster, ...ids)).toEqual([fresh!.nodeId, fresh!.nodeId]);
    const [change] = changesOf(cluster.changes, "leave-volume");
    expect(change?.because).toMatch(/and `move: empty` lets what mounts it begin empty on another node/);
    // The node that comes back has nothing to run, and its data stays on record.
    if (how === "down") cluster.turn(home, { liveness: "ready" });
    cluster.run(5);
    expect(homesOf(cluster, ...ids)).toEqual([fresh!.nodeId, fresh!.nodeId]);
    expect(cluster.world.volumes.map(one => one.state)).toEqual(["left", "kept"]);
  },
);

test("a deployment that is stopped keeps the data that it needs, and is told of by the others' place", () => {
  const cluster = new ToyCluster(someNodes(3));
  const a = cluster.deploy(service("a", ["data"]));
  cluster.deploy(service("b", [moving("data")]));
  cluster.run(5);
  cluster.want(a, { desired: "stopped" });
  cluster.run(5);
  cluster.turn(cluster.world.volumes[0]!.nodeId, { liveness: "down" });
  cluster.run(5);
  expect(cluster.world.volumes.map(one => one.state)).toEqual(["kept"]);
  cluster.want(a, { desired: "deleted" });
  cluster.run(5);
  expect(cluster.world.volumes.map(one => one.state)).toEqual(["left", "kept"]);
});

test("what may begin empty waits for its data while no other node takes it", () => {
  const cluster = new ToyCluster(someNodes(2, index => ({ labels: { at: String(index) } })));
  const id = cluster.deploy(
    service("a", [moving("data")], { placement: { constraints: ["node.labels.at == 0"] } as never }),
  );
  cluster.run(5);
  cluster.turn("node-1", { liveness: "down" });
  cluster.run(10);
  expect(cluster.world.volumes.map(one => one.state)).toEqual(["kept"]);
  expect(cluster.world.instances[0]?.refusal?.advice).toContain("it waits for node-1, which has its volume data");
  cluster.turn("node-2", { labels: { at: "0" } });
  cluster.run(5);
  expect(homesOf(cluster, id)).toEqual(["node-2"]);
});

test("a silent node is not away, and nothing is left behind there", () => {
  const cluster = new ToyCluster(someNodes(2));
  cluster.deploy(service("a", [moving("data")]));
  cluster.run(5);
  cluster.turn(cluster.world.volumes[0]!.nodeId, { liveness: "suspect" });
  expect(cluster.tick()).toEqual([]);
});

test("a volume that has to be there is waited for, never made, and found where another project made it", () => {
  const cluster = new ToyCluster(someNodes(2));
  const external = { name: "data", target: "/d", readOnly: true, project: "shop", isExternal: true };
  const id = cluster.deploy(service("a", [external]));
  cluster.run(3);
  expect(cluster.world.volumes).toEqual([]);
  expect(cluster.world.instances[0]?.refusal?.advice).toContain(
    "it waits for the volume acme/shop/data, which is external",
  );
  const maker = cluster.deploy({ ...service("z", ["data"]), project: "shop" });
  cluster.run(5);
  expect(homesOf(cluster, id)).toEqual(homesOf(cluster, maker));
  expect(cluster.world.volumes.map(one => one.owner)).toEqual(["acme/shop"]);
  cluster.want(maker, { desired: "deleted" });
  cluster.run(5);
  cluster.world = { ...cluster.world, volumes: [] };
  cluster.run(3);
  expect(cluster.world.volumes).toEqual([]);
});

test("what makes a volume is placed before what waits for it, so that one look does for both", () => {
  const external = { name: "data", target: "/d", readOnly: true, isExternal: true };
  const cluster = new ToyCluster(someNodes(2));
  cluster.deploy(service("a", [external], { reserveMiB: 400 } as never));
  cluster.deploy(service("z", ["data"]));
  expect(changesOf(cluster.tick(), "place").length).toBe(2);
  expect(cluster.tick()).toEqual([]);
});

test("a deployment that goes with its volumes makes none anew on its way out", () => {
  const cluster = new ToyCluster(someNodes(2));
  const id = cluster.deploy(service("a", ["data"]));
  cluster.run(5);
  cluster.world = { ...cluster.world, volumes: cluster.world.volumes.map(one => ({ ...one, state: "removing" })) };
  cluster.want(id, { desired: "deleted" });
  expect(changesOf(decide(cluster.world, DEFAULT_SETTINGS, cluster.now).changes, "create-volume")).toEqual([]);
});
