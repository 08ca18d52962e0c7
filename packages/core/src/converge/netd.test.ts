import { expect, test } from "vitest";
import { aContainer, aSpec, anAssignedInstance, anAssignment } from "../testing/builders.ts";
import { ToyNode } from "../testing/toy-node.ts";
import type { Converged } from "./converge.ts";
import { applyStep } from "./effect.ts";
import { PLAIN_SANDBOX } from "./spec-hash.ts";
import type { Step } from "./step.ts";
import { warmCount } from "./warm.ts";

function kinds(result: Converged): string[] {
  return result.steps.map(step => step.kind);
}

function onNetd(warm = 0, spec = aSpec()): ToyNode {
  const node = new ToyNode(spec);
  node.network = { network: "netd", warm };
  return node;
}

function rounds(node: ToyNode, most = 12): string[][] {
  const seen: string[][] = [];
  for (let at = 0; at < most; at++) {
    const result = node.look();
    seen.push(kinds(result));
    if (result.steps.length === 0) return seen;
    for (const step of result.steps) node.observed = applyStep(node.observed, step, node.now);
  }
  throw new Error("it does not settle");
}

function warmed(count: number): ToyNode {
  const node = onNetd(count);
  const { instances } = node.assignment!;
  node.assignment = { ...node.assignment!, instances: [] };
  node.observed = { ...node.observed, images: ["sandbox:1", "app:1"] };
  node.settle();
  node.assignment = { ...node.assignment, instances };
  return node;
}

test("a container that is alone has a sandbox too, and the engine makes no network", () => {
  expect(rounds(onNetd())).toEqual([
    ["pull-image"],
    ["create-sandbox"],
    ["start-container"],
    ["pull-image"],
    ["create-container"],
    ["start-container"],
    [],
  ]);
});

test("an instance that says something of its network takes no sandbox that was made ahead", () => {
  const ahead = (hostname?: string): readonly string[][] => {
    const node = warmed(1);
    const [instance] = node.assignment!.instances;
    const spec = aSpec({ containers: [aContainer({ hostname })] });
    node.assignment = { ...node.assignment!, instances: [{ ...instance!, spec }] };
    return rounds(node);
  };
  expect(ahead()[0]).toContain("take-sandbox");
  const own = ahead("db");
  expect(own.flat()).not.toContain("take-sandbox");
  expect(own[0]).toContain("create-sandbox");
});

test("a container is made beside netd's work, and started only once its sandbox is connected", () => {
  const node = onNetd();
  node.netd = () => ({ netns: undefined, fault: "node-2 has the same block" });
  const waiting = node.settle();
  expect(node.observed.containers.map(one => one.state)).toEqual(["running", "created"]);
  expect(waiting.statuses).toMatchObject([
    {
      state: "starting",
      message: "app waits: netd connects it to its tenant's network; its network: node-2 has the same block",
    },
  ]);
  node.netd = () => ({ netns: "netns-of-a-run-before", fault: undefined });
  expect(node.look().steps).toEqual([]);
  node.netd = ({ netns }) => ({ netns, fault: undefined });
  expect(node.settle().statuses).toMatchObject([{ state: "running", message: "" }]);
});

test("what is wrong with the network of something that runs is said, and stops nothing", () => {
  const node = onNetd();
  node.settle();
  node.netd = ({ netns }) => ({ netns, fault: "ufw drops what is forwarded" });
  expect(node.look()).toMatchObject({
    steps: [],
    statuses: [{ state: "running", message: "its network: ufw drops what is forwarded" }],
  });
});

test("after a restart of the node sandbox and containers are started again as they are", () => {
  const node = onNetd();
  node.settle();
  const ids = node.observed.containers.map(one => one.id);
  node.crash("").crash("app").pass(1_000);
  node.settle();
  expect(node.pass(20_000).settle().statuses).toMatchObject([{ state: "running" }]);
  expect(node.observed.containers.map(one => one.id)).toEqual(ids);
});

test("a container that outlived its sandbox is made anew, since its network leads nowhere", () => {
  const node = onNetd();
  node.settle();
  const made = node.now;
  node.crash("").pass(20_000);
  node.settle();
  expect(node.pass(20_000).settle().statuses).toMatchObject([{ state: "running" }]);
  expect(node.observed.containers.map(one => one.createdAt > made)).toEqual([true, true]);
});

test("a sandbox that ends again and again waits ever longer", () => {
  const node = onNetd();
  node.settle();
  const waits: number[] = [];
  for (let at = 0; at < 3; at++) {
    node.pass(500).crash("").crash("app");
    const { wakeAt } = node.settle();
    waits.push(wakeAt! - node.now);
    node.pass(wakeAt! - node.now).settle();
  }
  expect(waits).toEqual([1000, 2000, 4000]);
});

test("an instance takes a sandbox that is ready, and another one is made", () => {
  const node = warmed(1);
  expect(rounds(node)).toEqual([["take-sandbox"], ["create-container"], ["start-container"], ["make-warm"], []]);
  const [sandbox] = node.observed.containers;
  expect(sandbox).toMatchObject({ id: "warm-1", instanceId: "acme.web.1", role: "sandbox", specHash: PLAIN_SANDBOX });
});

test("two instances never take the same one, whatever is under way", () => {
  const node = warmed(2);
  const instances = [1, 2, 3].map(slot => anAssignedInstance({ instanceId: `acme.web.${slot}`, slot, spec: aSpec() }));
  node.assignment = anAssignment({ instances });
  const taken = (steps: readonly Step[]) =>
    steps.flatMap(step => (step.kind === "take-sandbox" ? step.containerId : []));
  const first = node.look().steps;
  expect(taken(first).toSorted()).toEqual(["warm-1", "warm-2"]);
  node.inFlight = first.map(step => step.key);
  expect(node.look().steps).toEqual([]);
  node.inFlight = first.map(step => step.key).slice(0, 1);
  expect(taken(node.look().steps)).toHaveLength(1);
});

test("one that is being removed is not taken", () => {
  const node = warmed(1);
  node.inFlight = ["remove:warm-1"];
  expect(kinds(node.look())).toEqual(["create-sandbox"]);
});

test("one that cannot be taken is left, and one is made for the instance", () => {
  const node = warmed(1);
  node.failing = step => (step.kind === "take-sandbox" ? "No such container: warm-1" : undefined);
  expect(node.settle().statuses).toMatchObject([{ state: "running" }]);
});

test("none is made ahead while an instance is on its way", () => {
  const node = warmed(0);
  const slots = Array.from({ length: 6 }, (_, slot) => slot);
  node.assignment = anAssignment({
    instances: slots.map(slot => anAssignedInstance({ instanceId: `acme.web.${slot + 1}`, slot, spec: aSpec() })),
  });
  node.network = { network: "netd", warm: 3 };
  expect(kinds(node.look())).toEqual(Array(4).fill("create-sandbox"));
  node.assignment = { ...node.assignment, instances: node.assignment.instances.slice(0, 1) };
  expect(kinds(node.look())).toEqual(["create-sandbox"]);
  node.settle();
  expect(node.observed.warm).toHaveLength(3);
});

test("a dead or an old one is replaced, and one that is being made is waited for", () => {
  const node = warmed(2);
  const [first, second] = node.observed.warm!;
  node.assignment = { ...node.assignment!, instances: [] };
  const change = (warm: typeof node.observed.warm): void =>
    void (node.observed = { ...node.observed, warm: warm ?? [] });
  change([{ ...first!, isRunning: false }, second!]);
  expect(kinds(node.look())).toEqual(["remove-warm", "make-warm"]);
  node.inFlight = ["warm:0"];
  expect(node.look().steps).toEqual([]);
  node.inFlight = [];
  change([{ ...first!, specHash: "of an older agent" }, second!]);
  expect(kinds(node.look())).toEqual(["remove-warm", "make-warm"]);
});

test.each(["drain", "pause"] as const)("a node in %s keeps none", availability => {
  const node = warmed(2);
  node.assignment = { ...node.assignment!, instances: [], availability };
  node.settle();
  expect(node.observed.warm).toEqual([]);
});

test("with the engine's bridges none is kept, and pods alone have sandboxes", () => {
  const node = warmed(2);
  node.network = { network: "bridge", warm: 2 };
  node.settle();
  expect(node.observed.warm).toEqual([]);
  expect(node.observed.containers.map(one => one.role)).toEqual(["app"]);
});

test("a change from bridges to netd makes what runs anew", () => {
  const node = onNetd(0, aSpec({ containers: [aContainer({ name: "a" }), aContainer({ name: "b" })] }));
  node.network = { network: "bridge" };
  node.settle();
  node.network = { network: "netd" };
  expect(node.settle().statuses).toMatchObject([{ state: "running" }]);
  expect(node.observed.containers.filter(one => one.role === "sandbox").map(one => one.specHash)).toEqual([
    PLAIN_SANDBOX,
  ]);
});

test("how many are kept goes by cores and by what was taken, and is bounded by memory", () => {
  const GIB = 1024 ** 3;
  expect(warmCount({ cores: 2, memoryBytes: 8 * GIB }, 0)).toBe(8);
  expect(warmCount({ cores: 2, memoryBytes: 8 * GIB }, 20)).toBe(20);
  expect(warmCount({ cores: 2, memoryBytes: 64 * GIB }, 1_000)).toBe(32);
  expect(warmCount({ cores: 64, memoryBytes: 512 * GIB }, 1_000)).toBe(48);
  expect(warmCount({ cores: 2, memoryBytes: GIB }, 1_000)).toBe(3);
  expect(warmCount({ cores: 2, memoryBytes: 64 * 1024 ** 2 }, 0)).toBe(0);
});
