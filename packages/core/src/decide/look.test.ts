import { expect, test } from "vitest";
import {
  aContainer,
  aDeployment,
  aLocation,
  anInstance,
  aNode,
  aRelease,
  aSpec,
  aVolume,
  aWorld,
} from "../testing/builders.ts";
import { countsOfDraft } from "../placement/fleet-of-world.ts";
import { openDraft } from "../world/draft.ts";
import { DEFAULT_SETTINGS, type World } from "../world/world.ts";
import { decide, lookAt } from "./decide.ts";

const names = ["api", "web"] as const;
const instanceIds = ["acme.api.1", "acme.web.1"] as const;

/** Two deployments with one instance each that runs. */
function settled(over: Partial<World> = {}): World {
  return aWorld({
    nodes: [aNode()],
    deployments: names.map(name => aDeployment({ name, nextSerial: 2 })),
    releases: names.map(name => aRelease({ deploymentId: `acme.${name}`, spec: aSpec({ name }) })),
    instances: instanceIds.map((id, at) => anInstance({ id, deploymentId: `acme.${names[at]}`, epoch: 1 })),
    locations: instanceIds.map(instanceId => aLocation({ instanceId })),
    ...over,
  });
}

/** How often the spec of each release is read. */
function counting(world: World): { readonly world: World; readonly reads: Map<string, number> } {
  const reads = new Map<string, number>();
  const releases = world.releases.map(release =>
    Object.defineProperty({ ...release }, "spec", {
      get: () => (reads.set(release.deploymentId, (reads.get(release.deploymentId) ?? 0) + 1), release.spec),
    }),
  );
  return { world: { ...world, releases }, reads };
}

test("a deployment of which nothing changed rests, and one that changed is looked at", () => {
  const { world, reads } = counting(settled());
  const first = lookAt(world, DEFAULT_SETTINGS, 1_000, undefined);
  expect(first.plan.changes).toEqual([]);
  reads.clear();
  const [api, web] = world.locations;
  const changed = { ...world, locations: [api!, { ...web!, health: "unhealthy" as const }] };
  expect(lookAt(changed, DEFAULT_SETTINGS, 1_010, first).plan.changes).toEqual([]);
  expect([...reads.keys()]).toEqual(["acme.web"]);
});

test("once a minute nothing rests", () => {
  const { world, reads } = counting(settled());
  let look = lookAt(world, DEFAULT_SETTINGS, 1_000, undefined);
  reads.clear();
  look = lookAt(world, DEFAULT_SETTINGS, 60_999, look);
  expect([...reads.keys()]).toEqual([]);
  look = lookAt(world, DEFAULT_SETTINGS, 61_000, look);
  expect([...reads.keys()]).toEqual(["acme.api", "acme.web"]);
  reads.clear();
  lookAt(world, DEFAULT_SETTINGS, 61_001, look);
  expect([...reads.keys()]).toEqual([]);
});

test("what was over comes again for a clock that was set back", () => {
  const world = settled();
  const [api, web] = world.instances;
  const past = { ...world, instances: [{ ...api!, retryAt: 500 }, web!] };
  const look = lookAt(past, DEFAULT_SETTINGS, 1_000, undefined);
  expect(look.plan.wakeAt).toBeUndefined();
  expect(lookAt(past, DEFAULT_SETTINGS, 400, look).plan.wakeAt).toBe(500);
});

test("an instance that waits for a missing row is placed when it is given up", () => {
  const whole = settled();
  const world = { ...whole, locations: whole.locations.slice(1) };
  const unseen = lookAt({ ...world, unseen: new Map([["acme.api.1", 9_000]]) }, DEFAULT_SETTINGS, 1_000, undefined);
  expect(unseen.plan).toMatchObject({ changes: [], wakeAt: 9_000 });
  const { changes } = lookAt(world, DEFAULT_SETTINGS, 1_010, unseen).plan;
  expect(changes).toMatchObject([{ kind: "place", instanceId: "acme.api.1", epoch: 2 }]);
});

test("what was given up on a node that is not recorded is ended there when the node comes", () => {
  const whole = settled();
  const [api, web] = whole.instances;
  const moved = aLocation({ instanceId: api!.id, epoch: 2 });
  const lost = aLocation({ instanceId: api!.id, nodeId: "node-2", state: "lost" });
  const instances = [{ ...api!, epoch: 2 }, web!];
  const world = { ...whole, instances, locations: [lost, moved, whole.locations[1]!] };
  const look = lookAt(world, DEFAULT_SETTINGS, 1_000, undefined);
  expect(look.plan.changes).toEqual([]);
  const { changes } = lookAt(
    { ...world, nodes: [aNode(), aNode({ id: "node-2" })] },
    DEFAULT_SETTINGS,
    1_010,
    look,
  ).plan;
  expect(changes).toMatchObject([{ kind: "stop", instanceId: api!.id, epoch: 1 }]);
});

test("a release that is read later than its instances is looked at", () => {
  const whole = settled();
  const [api, web] = whole.releases;
  const look = lookAt({ ...whole, releases: [api!] }, DEFAULT_SETTINGS, 1_000, undefined);
  expect(look.plan.changes).toEqual([]);
  const containers = [aContainer({ volumes: [{ name: "data", target: "/data", readOnly: false }] })];
  const mounting = { ...web!, spec: aSpec({ name: "web", containers }) };
  const { changes } = lookAt({ ...whole, releases: [api!, mounting] }, DEFAULT_SETTINGS, 1_010, look).plan;
  expect(changes).toMatchObject([{ kind: "create-volume", volume: { owner: "acme.web", name: "data" } }]);
});

test("a volume whose row vanished is recorded anew", () => {
  const containers = [aContainer({ volumes: [{ name: "data", target: "/data", readOnly: false }] })];
  const releases = names.map(name => aRelease({ deploymentId: `acme.${name}`, spec: aSpec({ name, containers }) }));
  const world = settled({ releases, volumes: names.map(name => aVolume({ owner: `acme.${name}` })) });
  const look = lookAt(world, DEFAULT_SETTINGS, 1_000, undefined);
  expect(look.plan.changes).toEqual([]);
  const { changes } = lookAt({ ...world, volumes: world.volumes.slice(1) }, DEFAULT_SETTINGS, 1_010, look).plan;
  expect(changes).toMatchObject([{ kind: "create-volume", volume: { owner: "acme.api", serial: 2 } }]);
});

test.each([
  ["a node is another one", [aNode(), aNode({ id: "node-2" })]],
  ["a node's load is measured now", [aNode({ id: "node-0" }), aNode({ load: { cpuShare: 0.5, memoryShare: 0.5 } })]],
])("what rests is counted anew where %s", (_, nodes) => {
  const wanting = settled({ nodes: [aNode({ id: "node-0" }), aNode()] });
  const more = (world: World, name: string): World => ({
    ...world,
    deployments: [...world.deployments, aDeployment({ name })],
    releases: [...world.releases, aRelease({ deploymentId: `acme.${name}`, spec: aSpec({ name }) })],
  });
  const first = lookAt(wanting, DEFAULT_SETTINGS, 1_000, undefined);
  const second = lookAt(more(wanting, "x"), DEFAULT_SETTINGS, 1_010, first);
  expect([...second.standing!.counts.count]).toEqual([0, 2]);
  const world = { ...more(more(wanting, "x"), "y"), nodes };
  const third = lookAt(world, DEFAULT_SETTINGS, 1_020, second);
  const rest = openDraft(world, 0, { has: id => third.standing!.without.has(id) === false });
  const { count, cpuSince } = countsOfDraft(rest, DEFAULT_SETTINGS);
  expect(third.standing!.counts).toMatchObject({ count, cpuSince });
});

test("what changed while nothing was placed is counted as it is by the next placement", () => {
  const wanting = settled({ nodes: [aNode({ id: "node-0" }), aNode()] });
  const { deployments, releases, locations } = wanting;
  const more = { deployments: [...deployments, aDeployment({ name: "x", replicas: 1 })], releases };
  const first = lookAt(wanting, DEFAULT_SETTINGS, 1_000, undefined);
  const second = lookAt({ ...wanting, ...more }, DEFAULT_SETTINGS, 1_010, first);
  expect([...second.standing!.counts.count]).toEqual([0, 2]);
  const elsewhere = { ...wanting, locations: [{ ...locations[0]!, nodeId: "node-0" }, locations[1]!] };
  const third = lookAt(elsewhere, DEFAULT_SETTINGS, 1_020, second);
  const fourth = lookAt({ ...elsewhere, ...more }, DEFAULT_SETTINGS, 1_030, third);
  expect([...fourth.standing!.counts.count]).toEqual([1, 1]);
});

test("an old copy whose row has vanished is not ended while its agent is asked: the row may come back serving", () => {
  const spec = aSpec({ update: { order: "start-first" } });
  const [release, next] = [aRelease({ spec }), aRelease({ number: 2, spec })];
  const instances = [anInstance({ epoch: 1 }), anInstance({ id: "acme.web.2", release: 2, epoch: 1 })];
  const world = aWorld({
    nodes: [aNode()],
    deployments: [aDeployment({ release: 2, nextSerial: 3 })],
    releases: [release, next],
    instances,
    locations: [aLocation({ instanceId: "acme.web.2", release: 2 })],
  });
  const asked = { ...world, unseen: new Map([["acme.web.1", 9_000]]) };
  expect(decide(asked, DEFAULT_SETTINGS, 1_000)).toMatchObject({ changes: [], wakeAt: 9_000 });
  const back = { ...world, locations: [...world.locations, aLocation()] };
  expect(decide(back, DEFAULT_SETTINGS, 1_000).changes).toMatchObject([{ kind: "retire", instanceId: "acme.web.1" }]);
  expect(decide(world, DEFAULT_SETTINGS, 9_000).changes[0]).toMatchObject({ kind: "stop-instance" });
});
