import { expect, test } from "vitest";
import { decide } from "../decide/decide.ts";
import type { Strategy } from "../model/deployment.ts";
import { isControlPlane } from "../model/node.ts";
import type { Node, TenantsOnManagers } from "../model/node.ts";
import { ToyCluster } from "../testing/toy-cluster.ts";
import {
  aContainer,
  aDeployment,
  aLocation,
  aNode,
  anInstance,
  aRelease,
  aSpec,
  aVolume,
  aWorld,
  changesOf,
  someNodes,
} from "../testing/builders.ts";
import { DEFAULT_SETTINGS } from "../world/world.ts";
import { explainPlacement, previewPlacement } from "./explain.ts";

const STRATEGIES: readonly Strategy[] = ["least-loaded", "round-robin", "resource-based", "spread"];
const settingsWith = (tenantsOnManagers: TenantsOnManagers) => ({ ...DEFAULT_SETTINGS, tenantsOnManagers });

/** `node-1` is an idle manager, the others are loaded workers with room for `instances` each. */
function managerAndWorkers(workers: number, instances = 100): readonly Node[] {
  return someNodes(1 + workers, index =>
    index === 0
      ? { role: "manager" as const }
      : { capacity: { instances }, load: { cpuShare: 0.9, memoryShare: 0.9 }, lastPlaced: 9 },
  );
}

test.each([
  [{ role: "manager" }, true],
  [{ role: "worker" }, false],
  [{ role: "worker", labels: { "postgres.replica": "1" } }, true],
  [{ role: "worker", labels: { "postgres.replica": "0" } }, false],
  [{ role: "worker", labels: { "skep.control": "true" } }, true],
  [{ role: "manager", labels: { "skep.control": "false" } }, false],
  [{ role: "manager", labels: { "skep.control": "no" } }, true],
  // What the node's own engine says counts for nothing.
  [{ role: "worker", engineLabels: { "skep.control": "true" } }, false],
] as const)("%o is a node of the control plane: %s", (over, expected) => {
  expect(isControlPlane(aNode(over))).toBe(expected);
});

test.each(STRATEGIES)("%s takes a manager only once no worker can take the instance, and says so", strategy => {
  const spec = aSpec({ replicas: 5, placement: { strategy } });
  const world = aWorld({ nodes: managerAndWorkers(2, 2), placements: 9 });
  const { placed } = previewPlacement(world, { tenantId: "acme", spec }, 0);
  expect(placed.map(one => one.nodeId === "node-1")).toEqual([false, false, false, false, true]);
  expect(placed.map(one => /a node of the control plane, and no other node can take/.test(one.because))).toEqual(
    placed.map(one => one.nodeId === "node-1"),
  );
});

test("nodes that are all of the control plane take tenants as ever", () => {
  const nodes = someNodes(3, () => ({ role: "manager" as const }));
  const { placed } = previewPlacement(aWorld({ nodes }), { tenantId: "acme", spec: aSpec({ replicas: 3 }) }, 0);
  expect(placed.map(one => one.nodeId)).toEqual(["node-1", "node-2", "node-3"]);
});

test("an explanation ranks a manager last, whatever its score, and says why", () => {
  const explain = (nodes: readonly Node[]) =>
    explainPlacement(aWorld({ nodes }), { tenantId: "acme", spec: aSpec() }, 0);
  const { nodes, chosen } = explain(managerAndWorkers(2));
  expect(nodes.map(one => one.rank)).toEqual([3, 1, 2]);
  expect(chosen).toBe("node-2");
  expect(nodes[0]?.because).toMatch(/avoided as a node of the control plane while another can take this$/);
  expect(nodes[1]?.because).not.toMatch(/control plane/);
  expect(explain(managerAndWorkers(1, 0)).nodes[0]?.because).toMatch(/no other node can take this$/);
});

test("with `allow` a manager is a node like any other", () => {
  const proposal = { tenantId: "acme", spec: aSpec() };
  const { chosen, nodes } = explainPlacement(
    aWorld({ nodes: managerAndWorkers(2) }),
    proposal,
    0,
    settingsWith("allow"),
  );
  expect([chosen, nodes[0]?.because]).toEqual(["node-1", expect.not.stringMatching(/control plane/)]);
});

test("with `never` a manager takes nothing, and the refusal says what would help", () => {
  const world = aWorld({ nodes: managerAndWorkers(1, 1) });
  const spec = aSpec({ replicas: 2 });
  const { placed, refused } = previewPlacement(world, { tenantId: "acme", spec }, 0, settingsWith("never"));
  expect(placed.map(one => one.nodeId)).toEqual(["node-2"]);
  expect(refused[0]?.refusal.removed.map(one => [one.filter, one.sentence])).toContainEqual([
    "control-plane",
    "1 node is a node of the control plane, where no tenant may be placed",
  ]);
  const { refusal } = explainPlacement(
    aWorld({ nodes: managerAndWorkers(0) }),
    { tenantId: "acme", spec },
    0,
    settingsWith("never"),
  );
  expect(refusal?.advice).toBe(
    "add a worker, or let tenants onto such a node: skep label node-1 skep.control=false, " +
      "or SKEP_TENANTS_ON_MANAGERS=avoid for all of them",
  );
});

test.each(["avoid", "never"] as const)("with `%s` an instance goes to the manager that has its volume", policy => {
  const id = "acme.db";
  const spec = aSpec({
    name: "db",
    containers: [aContainer({ volumes: [{ name: "data", target: "/data", readOnly: false }] })],
  });
  const world = aWorld({
    nodes: managerAndWorkers(2),
    deployments: [aDeployment({ id, name: "db" })],
    releases: [aRelease({ deploymentId: id, spec })],
    volumes: [aVolume({ owner: id, nodeId: "node-1" })],
  });
  const placed = changesOf(decide(world, settingsWith(policy), 0).changes, "place");
  expect(placed.map(one => one.nodeId)).toEqual(["node-1"]);
  // Without a home it begins one on a worker.
  const fresh = changesOf(decide({ ...world, volumes: [] }, settingsWith(policy), 0).changes, "place");
  expect(fresh.map(one => one.nodeId)).toEqual(["node-2"]);
});

test("with `never` what has to be beside a volume on the manager goes there as well", () => {
  const mounting = (name: string, ...volumes: readonly string[]) =>
    aSpec({
      ...{ name, project: "p", service: name },
      containers: [aContainer({ volumes: volumes.map(one => ({ name: one, target: `/${one}`, readOnly: false })) })],
    });
  const both = { id: "acme.both", name: "both", replicas: 0 };
  const world = aWorld({
    nodes: managerAndWorkers(2),
    deployments: [aDeployment({ id: "acme.db", name: "db" }), aDeployment(both)],
    releases: [
      aRelease({ deploymentId: "acme.db", spec: mounting("db", "two") }),
      aRelease({ deploymentId: "acme.both", spec: mounting("both", "one", "two") }),
    ],
    volumes: [aVolume({ owner: "acme/p", name: "one", nodeId: "node-1" })],
  });
  const placed = changesOf(decide(world, settingsWith("never"), 0).changes, "place");
  expect(placed.map(one => one.nodeId)).toEqual(["node-1"]);
});

test.each(["avoid", "never"] as const)("with `%s` what runs on a manager stays until it is drained", policy => {
  const world = aWorld({
    nodes: managerAndWorkers(1),
    deployments: [aDeployment()],
    releases: [aRelease()],
    instances: [anInstance({ epoch: 1 })],
    locations: [aLocation({ nodeId: "node-1" })],
  });
  expect(decide(world, settingsWith(policy), 1_000).changes).toEqual([]);
  const drained = world.nodes.map(node => (node.id === "node-1" ? { ...node, availability: "drain" as const } : node));
  const moved = changesOf(decide({ ...world, nodes: drained }, settingsWith(policy), 1_000).changes, "place");
  expect(moved.map(one => one.nodeId)).toEqual(["node-2"]);
});

test("a single copy moves to a manager when its worker is drained, and does not go back by itself", () => {
  const cluster = new ToyCluster(managerAndWorkers(1));
  const id = cluster.deploy(aSpec({ exclusive: true }));
  cluster.run(5);
  expect(cluster.serving(id).map(one => one.nodeId)).toEqual(["node-2"]);
  const setAvailability = (availability: Node["availability"]): void => {
    const nodes = cluster.world.nodes.map(node => (node.id === "node-2" ? { ...node, availability } : node));
    cluster.world = { ...cluster.world, nodes };
  };
  setAvailability("drain");
  cluster.run(30);
  expect(cluster.serving(id).map(one => one.nodeId)).toEqual(["node-1"]);
  setAvailability("active");
  cluster.run(30);
  expect(cluster.serving(id).map(one => one.nodeId)).toEqual(["node-1"]);
});
