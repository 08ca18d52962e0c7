import { expect, test } from "vitest";
import type { Release } from "../model/deployment.ts";
import {
  aContainer,
  aDeployment,
  aLocation,
  aNode,
  anInstance,
  aRelease,
  aSpec,
  aWorld,
  changesOf,
} from "../testing/builders.ts";
import { DEFAULT_SETTINGS, type World } from "../world/world.ts";
import { lookAround } from "./look-around.ts";
import { lookAt } from "./decide.ts";

const PORT = { containerPort: 80, protocol: "tcp" as const, hostPort: undefined };
const resources = { cpuMillis: 100, memoryBytes: 1_000, reserveCpuMillis: 0, reserveMemoryBytes: 0, pids: 100 };
const specOf = (name: string) => aSpec({ name, containers: [aContainer({ ports: [PORT], resources })] });
const releaseOf = (name: string): Release => aRelease({ deploymentId: `acme.${name}`, spec: specOf(name) });
const ports = [{ container: "app", containerPort: 80, protocol: "tcp" as const, hostPort: 20_000 }];
/** Nothing of its spec can be read. */
const broken = (name: string): Release => ({ ...releaseOf(name), spec: {} as never });

/** A node with room for two ports, and deployments that want a copy each. */
function wanting(releases: readonly Release[], over: Partial<World> = {}): World {
  return aWorld({
    nodes: [aNode({ capacity: { portFrom: 20_000, portTo: 20_001 } })],
    deployments: releases.map(one => aDeployment({ name: one.spec.name ?? one.deploymentId.slice("acme.".length) })),
    releases,
    ...over,
  });
}

const placed = (look: ReturnType<typeof lookAt>): readonly string[] =>
  changesOf(look.plan.changes, "place").map(one => one.instanceId);

test("of one whose records make it throw nothing is decided, and of all others everything is", () => {
  const world = wanting([releaseOf("api"), broken("bad"), releaseOf("web")]);
  expect(() => lookAt(world, DEFAULT_SETTINGS, 1_000, undefined)).toThrow(TypeError);
  const look = lookAround(world, DEFAULT_SETTINGS, 1_000, undefined);
  expect(placed(look)).toEqual(["acme.api.1", "acme.web.1"]);
  expect([...look.aside]).toEqual([["acme.bad", expect.any(TypeError)]]);
  expect(look.plan.changes.filter(one => JSON.stringify(one).includes("acme.bad"))).toEqual([]);
});

test("what it has goes on to count: nobody gets its host port or its place", () => {
  const bad = { id: "acme.bad.1", deploymentId: "acme.bad" };
  const world = wanting([broken("bad"), releaseOf("web")], {
    deployments: [aDeployment({ name: "bad", replicas: 2, nextSerial: 2 }), aDeployment({ name: "web" })],
    instances: [anInstance({ ...bad, epoch: 1 })],
    locations: [aLocation({ instanceId: bad.id, deploymentId: bad.deploymentId, ports })],
  });
  const look = lookAround(world, DEFAULT_SETTINGS, 1_000, undefined);
  expect([...look.aside.keys()]).toEqual(["acme.bad"]);
  expect(changesOf(look.plan.changes, "place")).toMatchObject([
    { instanceId: "acme.web.1", ports: [{ hostPort: 20_001 }] },
  ]);
});

test("it stays aside while nothing of it changes, and is decided on once it is mended", () => {
  const world = wanting([broken("bad"), releaseOf("web")]);
  const first = lookAround(world, DEFAULT_SETTINGS, 1_000, undefined);
  const second = lookAround(world, DEFAULT_SETTINGS, 1_010, first);
  expect([...second.aside.keys()]).toEqual(["acme.bad"]);
  // Another node looks like news for everybody who waits.
  const wider = { ...world, nodes: [...world.nodes, aNode({ id: "node-2" })] };
  const third = lookAround(wider, DEFAULT_SETTINGS, 61_500, second);
  expect([...third.aside.keys()]).toEqual(["acme.bad"]);
  const mended = { ...wider, releases: [releaseOf("bad"), releaseOf("web")] };
  const fourth = lookAround(mended, DEFAULT_SETTINGS, 61_510, third);
  expect(fourth.aside).toEqual(new Map());
  expect(placed(fourth)).toContain("acme.bad.1");
});

test("who is aside already is not looked for again", () => {
  const world = wanting([broken("bad"), ...Array.from({ length: 200 }, (_, at) => releaseOf(`d${at}`))]);
  const first = lookAround(world, DEFAULT_SETTINGS, 1_000, undefined);
  let reads = 0;
  const counting = world.releases.map(one =>
    Object.defineProperty({ ...one }, "spec", { get: () => ((reads += 1), one.spec) }),
  );
  const again = { ...world, releases: counting, deployments: world.deployments.map(one => ({ ...one })) };
  const plain = { ...again, releases: counting.slice(1), deployments: again.deployments.slice(1) };
  lookAt(plain, DEFAULT_SETTINGS, 1_010, first);
  const once = reads;
  reads = 0;
  expect([...lookAround(again, DEFAULT_SETTINGS, 1_010, first).aside.keys()]).toEqual(["acme.bad"]);
  expect(reads).toBeLessThan(once * 1.5);
});

test("no time of it is waited for", () => {
  const deferred = anInstance({ id: "acme.bad.1", deploymentId: "acme.bad", retryAt: 5_000 });
  const well = wanting([releaseOf("bad")], { instances: [deferred] });
  const before = lookAround(well, DEFAULT_SETTINGS, 1_000, undefined);
  expect([...before.seen.due]).toEqual([["acme.bad", 5_000]]);
  const worse = { ...well, releases: [broken("bad")], deployments: [{ ...well.deployments[0]!, replicas: 2 }] };
  const after = lookAround(worse, DEFAULT_SETTINGS, 1_010, before);
  expect([[...after.aside.keys()], [...after.seen.due]]).toEqual([["acme.bad"], []]);
});

test("what rests beside is counted by the settings of the look", () => {
  const web = { id: "acme.web.1", deploymentId: "acme.web" };
  const world = wanting([broken("bad"), releaseOf("web"), releaseOf("api")], {
    instances: [anInstance({ ...web, epoch: 1 })],
    locations: [aLocation({ instanceId: web.id, deploymentId: web.deploymentId, ports })],
  });
  const first = lookAround(world, DEFAULT_SETTINGS, 1_000, undefined);
  const more = { ...world, deployments: world.deployments.map(one => (one.name === "web" ? one : { ...one })) };
  const second = lookAround(more, DEFAULT_SETTINGS, 1_010, first);
  const other = { ...DEFAULT_SETTINGS, memoryOvercommit: 1 };
  const third = lookAround(more, other, 1_020, second);
  expect(third.standing?.counts).toEqual(lookAround(more, other, 1_020, undefined).standing?.counts);
});

test("where no deployment is to blame it throws", () => {
  const world = { ...wanting([releaseOf("web")]), nodes: null as never };
  expect(() => lookAround(world, DEFAULT_SETTINGS, 1_000, undefined)).toThrow(TypeError);
});
