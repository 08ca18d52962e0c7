import { expect, test } from "vitest";
import { DEFAULT_RESOURCES } from "../model/resources.ts";
import {
  aContainer,
  aDeployment,
  aLocation,
  aRelease,
  aSpec,
  aTenant,
  aWorld,
  anInstance,
  someNodes,
} from "../testing/builders.ts";
import { explainPlacement, previewPlacement } from "./explain.ts";

const MIB = 1024 * 1024;

test("every node is told why it will do or not, in the user's words, and the best one is chosen", () => {
  const nodes = someNodes(
    5,
    index =>
      [
        { labels: { compute: "true" }, load: { cpuShare: 0.4, memoryShare: 0.1 } },
        { labels: { compute: "true" }, load: { cpuShare: 0.2, memoryShare: 0.1 } },
        {},
        { labels: { compute: "true" }, availability: "drain" as const },
        { labels: { compute: "true" }, liveness: "suspect" as const },
      ][index]!,
  );
  const spec = aSpec({ placement: { constraints: ["node.labels.compute==true"] } });
  const { nodes: verdicts, chosen, refusal } = explainPlacement(aWorld({ nodes }), { tenantId: "acme", spec }, 0);
  expect(verdicts.map(one => [one.eligible, one.rank, one.filter])).toEqual([
    [true, 2, undefined],
    [true, 1, undefined],
    [false, undefined, "constraint node.labels.compute == true"],
    [false, undefined, "availability"],
    [false, undefined, "liveness"],
  ]);
  expect(verdicts[2]?.because).toBe("it does not have the label compute=true");
  expect(verdicts[1]?.because).toContain("least loaded (20 %");
  expect([chosen, refusal]).toEqual(["node-2", undefined]);
});

test("a refusal counts nodes per filter and names the one change that helps most", () => {
  const nodes = someNodes(4, index => ({
    labels: index === 0 ? { compute: "true" } : {},
    capacity: { memoryBytes: index === 0 ? 200 * MIB : 4096 * MIB },
  }));
  const resources = { ...DEFAULT_RESOURCES, reserveMemoryBytes: 512 * MIB };
  const spec = aSpec({
    containers: [aContainer({ resources })],
    placement: { constraints: ["node.labels.compute == true"] },
  });
  const { refusal } = explainPlacement(aWorld({ nodes }), { tenantId: "acme", spec }, 0);
  expect(refusal?.removed).toEqual([
    {
      filter: "constraint node.labels.compute == true",
      nodes: 3,
      sentence: "3 nodes do not have the label compute=true",
    },
    { filter: "memory", nodes: 1, sentence: "1 node has less than 512 MiB of memory left to reserve" },
  ]);
  expect(refusal?.advice).toBe(
    "remove the constraint node.labels.compute == true, or give a node the label: skep label node-2 compute=true",
  );
});

test.each([
  [{ reserveMemoryBytes: 512 * MIB }, "add memory or reserve less: the largest free is 200 MiB, wanted 512 MiB"],
  [{ reserveCpuMillis: 5000 }, "add cpu or reserve less: the most that is free on a node is 4 cores, wanted 5 cores"],
])("advice on resources says what is free and what is wanted", (over, advice) => {
  const nodes = someNodes(2, index => ({ capacity: { memoryBytes: (index + 1) * 100 * MIB } }));
  const spec = aSpec({ containers: [aContainer({ resources: { ...DEFAULT_RESOURCES, ...over } })] });
  expect(explainPlacement(aWorld({ nodes }), { tenantId: "acme", spec }, 0).refusal?.advice).toBe(advice);
});

test("a quota, a full node, a taken port and anti-affinity each have their word", () => {
  const hostPort = { containerPort: 80, protocol: "tcp" as const, hostPort: 8080 };
  const world = aWorld({
    tenants: [aTenant({ quota: { instances: 1, cpuMillis: undefined, memoryBytes: undefined } })],
    nodes: someNodes(1, () => ({ capacity: { instances: 1 } })),
    deployments: [aDeployment()],
    releases: [aRelease()],
    instances: [anInstance({ epoch: 1 })],
    locations: [aLocation({ ports: [{ ...hostPort, container: "app", hostPort: 8080 }] })],
  });
  const ask = (tenants: typeof world.tenants, capacity: number, spec = aSpec({ name: "other" })): string | undefined =>
    explainPlacement(
      { ...world, tenants, nodes: someNodes(1, () => ({ capacity: { instances: capacity } })) },
      { tenantId: "acme", spec },
      0,
    ).refusal?.advice;
  expect(ask(world.tenants, 10)).toContain("raise the quota of the tenant acme");
  expect(ask([], 1)).toContain("raise the number of instances that a node may run");
  expect(ask([], 10, aSpec({ name: "other", containers: [aContainer({ ports: [hostPort] })] }))).toContain(
    "let the scheduler pick the host port",
  );
  expect(ask([], 10, aSpec({ name: "other", placement: { antiAffinity: ["web"] } }))).toContain(
    "drop the anti-affinity with acme.web",
  );
  expect(ask([], 10, aSpec({ placement: { maxPerNode: 1 } }))).toContain("raise the most per node from 1");
  expect(ask([], 10)).toBeUndefined();
});

test("without any node the advice is to bring one", () => {
  expect(explainPlacement(aWorld(), { tenantId: "acme", spec: aSpec() }, 0).refusal?.advice).toContain("join a node");
});

test("a preview places all replicas, and says which slot finds no node", () => {
  const nodes = someNodes(2, () => ({ capacity: { instances: 1 } }));
  const { placed, refused } = previewPlacement(
    aWorld({ nodes }),
    { tenantId: "acme", spec: aSpec({ replicas: 3 }) },
    0,
  );
  expect(placed.map(one => one.nodeId)).toEqual(["node-1", "node-2"]);
  expect(refused.map(one => one.slot)).toEqual([2]);
});

test("a node takes large specs up to its budget, each once, and says what would help", () => {
  const text = "x".repeat(6 * MIB);
  const large = (name: string, replicas = 1) =>
    aSpec({ name, replicas, containers: [aContainer({ env: { TEXT: text } })] });
  const id = "acme.first";
  const world = aWorld({
    nodes: someNodes(1),
    deployments: [aDeployment({ id, name: "first" })],
    releases: [aRelease({ deploymentId: id, spec: large("first") })],
    instances: [anInstance({ id: `${id}.1`, deploymentId: id })],
    locations: [aLocation({ instanceId: `${id}.1`, deploymentId: id })],
  });
  const { placed, refused } = previewPlacement(world, { tenantId: "acme", spec: large("second", 5) }, 0);
  expect([placed.length, refused.length]).toEqual([5, 0]);
  const tooMany = aSpec({ name: "second", containers: [aContainer({ env: { TEXT: text.repeat(2) } })] });
  const { refusal, nodes } = explainPlacement(world, { tenantId: "acme", spec: tooMany }, 0);
  expect(nodes[0]?.filter).toBe("spec-budget");
  expect(refusal?.removed[0]?.sentence).toMatch(
    /^1 node has no room for another spec of \d+ KiB: a node holds 16 MiB of large specs$/,
  );
  expect(refusal?.advice).toMatch(/make the spec smaller than \d+ KiB/);
  expect(explainPlacement(world, { tenantId: "acme", spec: aSpec({ name: "small" }) }, 0).chosen).toBe("node-1");
});
