import { expect, test } from "vitest";
import { aContainer, aSpec, anAssignedInstance, anAssignment } from "../testing/builders.ts";
import { ToyNode } from "../testing/toy-node.ts";
import type { Step } from "./step.ts";
import { stepKey } from "./step.ts";

const PORTS = [
  { container: "app", containerPort: 80, protocol: "tcp" as const, hostPort: 20_001 },
  { container: "app", containerPort: 81, protocol: "tcp" as const, hostPort: 2_000 },
];
const TAKEN = { words: "Bind for 0.0.0.0:20001 failed: port is already allocated", isPortTaken: true };
const POD = aSpec({ containers: [aContainer(), aContainer({ name: "side" })] });

function refused(spec = aSpec()): ToyNode {
  const node = new ToyNode(spec, { ports: PORTS });
  node.failing = step => (step.kind === "start-container" ? TAKEN : undefined);
  return node;
}

test.each([
  ["container", aSpec(), "app is given up"],
  ["pod", POD, "the pod is given up"],
])("a %s whose host port is taken is tried once more and then given up, with the port named", (_, spec, who) => {
  const node = refused(spec);
  const first = node.settle();
  expect(first.statuses[0]?.state).toBe("starting");
  expect(first.statuses[0]?.message).toContain("port is already allocated");
  const second = node.pass(first.wakeAt! - node.now).settle();
  const message = `${who}: the host port 20001 of its node is taken: ${TAKEN.words}`;
  expect(second.statuses[0]).toMatchObject({ state: "failed", message });
  node.failing = () => undefined;
  node.pass(3_600_000).settle();
  // Tries are forgotten by now; that it was given up is not.
  expect(node.settle().statuses[0]).toMatchObject({ state: "failed", message });
});

test("a port that is free again at the second try costs nothing but a second", () => {
  const node = refused();
  const { wakeAt } = node.settle();
  node.failing = () => undefined;
  expect(node.pass(wakeAt! - node.now).settle().statuses[0]?.state).toBe("running");
});

test("only refusals of the port in a row count", () => {
  const node = refused();
  let { wakeAt } = node.settle();
  const says = (failure: ReturnType<ToyNode["failing"]>): void => {
    node.failing = step => (step.kind === "start-container" ? failure : undefined);
    ({ wakeAt } = node.pass(wakeAt! - node.now).settle());
  };
  says("no space left on device");
  says(TAKEN);
  expect(node.look().statuses[0]?.state).toBe("starting");
  says(TAKEN);
  expect(node.look().statuses[0]?.state).toBe("failed");
});

/** An older container that has one of the ports, with the steps that are being done to it. */
function withOlder(...steps: ((id: string) => string)[]): ToyNode {
  const older = anAssignedInstance({ instanceId: "acme.old.1", spec: aSpec(), ports: PORTS.slice(0, 1) });
  const node = new ToyNode(undefined);
  node.assignment = anAssignment({ instances: [older] });
  node.settle();
  const { id } = node.observed.containers[0]!;
  const wanted = anAssignedInstance({ spec: aSpec(), ports: PORTS });
  const leaves = steps.length > 0;
  node.assignment = anAssignment({ instances: [{ ...older, desired: leaves ? "stop" : "run" }, wanted] });
  node.inFlight = steps.map(key => key(id));
  node.failing = (step: Step) => (step.kind === "start-container" ? TAKEN : undefined);
  return node;
}

const statusOf = (node: ToyNode): unknown => node.look().statuses.find(one => one.instanceId === "acme.web.1");

test("while the older container that has the port is being stopped, nothing is tried and nothing given up", () => {
  const node = withOlder(stepKey.stop);
  node.settle();
  const { steps, wakeAt } = node.pass(9_999).look();
  expect(steps).toEqual([]);
  expect(wakeAt).toBe(node.now + 1);
  const message = expect.stringContaining("acme.old.1 at epoch 1 has it and is being ended");
  expect(statusOf(node)).toMatchObject({ state: "starting", message });
  [node.inFlight, node.failing] = [[], () => undefined];
  node.settle();
  expect(statusOf(node)).toMatchObject({ state: "running" });
});

test("one that takes longer than ten seconds to end is not waited for", () => {
  const node = withOlder(stepKey.stop);
  node.settle();
  node.pass(10_000);
  expect(statusOf(node)).toMatchObject({ state: "failed" });
});

test("a container that goes on running keeps nobody waiting for its port", () => {
  const node = withOlder();
  const { wakeAt } = node.settle();
  node.pass(wakeAt! - node.now).settle();
  expect(statusOf(node)).toMatchObject({ state: "failed" });
});

test.each([
  ["another port", { hostPort: 20_002 }],
  ["the same port of another protocol", { protocol: "udp" as const }],
])("one that is being stopped and has %s is not waited for", (_, port) => {
  const node = withOlder(stepKey.stop);
  const { id } = node.observed.containers[0]!;
  const containers = node.observed.containers.map(one =>
    one.id === id ? { ...one, ports: [{ ...PORTS[0]!, ...port }] } : one,
  );
  node.observed = { ...node.observed, containers };
  node.settle();
  node.pass(1_000).settle();
  expect(statusOf(node)).toMatchObject({ state: "failed" });
});

test("one that the engine is removing is waited for", () => {
  const node = withOlder();
  const [older] = node.observed.containers;
  node.observed = { ...node.observed, containers: [{ ...older!, state: "removing" }] };
  node.settle();
  expect(node.pass(5_000).look().steps).toEqual([]);
  expect(statusOf(node)).toMatchObject({ state: "starting" });
});
