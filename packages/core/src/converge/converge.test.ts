import { expect, test } from "vitest";
import {
  aContainer,
  aSpec,
  anAssignedInstance,
  anAssignment,
  anObserved,
  anObservedContainer,
} from "../testing/builders.ts";
import { ToyNode } from "../testing/toy-node.ts";
import type { Converged } from "./converge.ts";
import { applyStep } from "./effect.ts";
import { EMPTY_MEMORY, noteBoot } from "./memory.ts";

const HEALTH = {
  probe: { kind: "tcp", port: 80 },
  intervalMs: 1000,
  timeoutMs: 1000,
  retries: 3,
  startPeriodMs: 0,
} as const;
const CRASHED = { state: "exited", exitCode: 1 } as const;

function kinds(result: Converged): string[] {
  return result.steps.map(step => step.kind);
}

test("an instance goes by image and network, create and start, to running", () => {
  const node = new ToyNode(aSpec());
  const seen: string[][] = [];
  for (let at = 0; at < 4; at++) {
    const result = node.look();
    seen.push(kinds(result));
    for (const step of result.steps) node.observed = applyStep(node.observed, step, node.now);
  }
  expect(seen).toEqual([["create-network", "pull-image"], ["create-container"], ["start-container"], []]);
  expect(node.look().statuses).toMatchObject([
    { instanceId: "acme.web.1", state: "running", health: "none", stranger: false },
  ]);
});

test.each([
  ["a container", aSpec()],
  ["a pod", aSpec({ containers: [aContainer({ name: "a" }), aContainer({ name: "b" })] })],
])("%s whose tenant's network goes as it is made gets another one before it starts", (_, spec) => {
  const node = new ToyNode(spec);
  for (let at = 0; at < 2; at++)
    for (const step of node.look().steps) node.observed = applyStep(node.observed, step, node.now);
  expect(node.observed.containers.map(one => one.state)).toEqual(["created"]);
  node.observed = { ...node.observed, networks: [] };
  expect(kinds(node.look())).toEqual(["create-network"]);
  node.settle();
  expect(node.look().statuses).toMatchObject([{ state: "running" }]);
});

test("a step in flight is not issued again", () => {
  const node = new ToyNode(aSpec());
  node.inFlight = node.look().steps.map(step => step.key);
  expect(node.look().steps).toEqual([]);
});

test("only so many are made and started at once, and what has ended keeps nobody from a turn", () => {
  const node = new ToyNode(undefined);
  const spec = aSpec();
  const slots = Array.from({ length: 7 }, (_, slot) => slot);
  const instances = slots.map(slot => anAssignedInstance({ instanceId: `acme.web.${slot + 1}`, slot, spec }));
  node.assignment = anAssignment({ instances });
  for (const step of node.look().steps) node.observed = applyStep(node.observed, step, node.now);
  const made = node.look();
  expect(kinds(made)).toEqual(Array(4).fill("create-container"));
  expect(made.isTurnAwaited).toBe(true);
  node.inFlight = made.steps.map(step => step.key);
  expect(node.look().steps).toEqual([]);
  for (const step of made.steps) node.observed = applyStep(node.observed, step, node.now);
  node.ended = node.inFlight;
  const next = node.look();
  expect(kinds(next).toSorted()).toEqual([...Array(3).fill("create-container"), ...Array(2).fill("start-container")]);
  expect(next.statuses.map(status => status.message)).toContain("app waits for its turn to start");
  const [first = "", second = ""] = next.steps.filter(step => step.kind === "start-container").map(step => step.key);
  [node.inFlight, node.ended] = [[first, second], [first]];
  expect(node.look().steps.filter(step => step.kind === "start-container")).toHaveLength(1);
});

test("a container that crashed is started again by itself, later each time, and its restarts are counted", () => {
  const node = new ToyNode(aSpec());
  node.settle();
  const waits: number[] = [];
  for (let at = 0; at < 4; at++) {
    node.pass(500).crash();
    const { wakeAt, statuses } = node.settle();
    expect(statuses[0]).toMatchObject({ state: "starting" });
    expect(statuses[0]?.message).toContain("it ended with exit code 1");
    waits.push(wakeAt! - node.now);
    node.pass(wakeAt! - node.now);
    expect(node.settle().statuses[0]).toMatchObject({ state: "running", containers: [{ restarts: at + 1 }] });
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000]);
});

test("a long good run makes earlier ends forgotten", () => {
  const node = new ToyNode(aSpec());
  node.settle();
  for (let at = 0; at < 3; at++) {
    node.crash();
    node.pass(node.settle().wakeAt! - node.now).settle();
  }
  node.pass(60_000).crash();
  expect(node.settle().wakeAt).toBe(node.now + 1000);
});

test("too many ends within the window make the instance failed, for good, and the rest of its pod is stopped", () => {
  const containers = [aContainer(), aContainer({ name: "side" })];
  const node = new ToyNode(aSpec({ containers, restart: { maxAttempts: 2 } }));
  node.settle();
  for (let at = 0; at < 3; at++) {
    const { wakeAt } = node.crash().settle();
    if (wakeAt !== undefined) node.pass(wakeAt - node.now).settle();
  }
  const { statuses } = node.settle();
  expect(statuses[0]).toMatchObject({ state: "failed", message: "app is given up: it ended with exit code 1" });
  expect(node.observed.containers.every(one => one.state !== "running")).toBe(true);
  expect(node.pass(3_600_000).settle().statuses[0]?.state).toBe("failed");
});

test.each([
  ["on-failure", 0, "completed"],
  ["on-failure", 1, "starting"],
  ["none", 0, "completed"],
  ["none", 1, "failed"],
  ["any", 0, "starting"],
] as const)("with restart condition %s, exit code %i makes it %s", (condition, exitCode, state) => {
  const node = new ToyNode(aSpec({ restart: { condition } }));
  node.settle();
  node.edit("app", { state: "exited", exitCode, finishedAt: node.now });
  expect(node.settle().statuses[0]?.state).toBe(state);
});

test("a container that was removed by hand is made again at once, the second time after a wait", () => {
  const node = new ToyNode(aSpec());
  node.settle();
  node.pass(500).drop();
  expect(node.settle().statuses[0]?.state).toBe("running");
  node.pass(500).drop();
  const { wakeAt, statuses } = node.settle();
  expect(statuses[0]?.message).toContain("removed from the engine");
  expect(wakeAt).toBe(node.now + 2000);
});

test("a failed pull keeps the engine's words, backs off, and holds up nobody else", () => {
  const other = anAssignedInstance({
    instanceId: "acme.other.1",
    spec: aSpec({ name: "other", containers: [aContainer({ image: "good:1" })] }),
  });
  const node = new ToyNode(undefined);
  node.assignment = anAssignment({
    instances: [anAssignedInstance({ spec: aSpec({ containers: [aContainer({ image: "nosuch:1" })] }) }), other],
  });
  node.failing = step => (step.kind === "pull-image" && step.image === "nosuch:1" ? "manifest unknown" : undefined);
  const { statuses, wakeAt } = node.settle();
  expect(statuses.map(one => [one.instanceId, one.state])).toEqual([
    ["acme.other.1", "running"],
    ["acme.web.1", "preparing"],
  ]);
  expect(statuses[1]?.message).toBe("the image nosuch:1 cannot be pulled: manifest unknown (tried once)");
  expect(wakeAt).toBe(node.now + 1000);
  expect(node.pass(1000).settle().wakeAt).toBe(node.now + 2000);
});

test("an unhealthy container is stopped and started again, and the reason is told", () => {
  const node = new ToyNode(aSpec({ containers: [aContainer({ health: HEALTH })] }));
  expect(node.settle().statuses[0]).toMatchObject({ state: "running", health: "starting" });
  node.edit("app", { engineHealth: "healthy" });
  expect(node.settle().statuses[0]?.health).toBe("healthy");
  const [container] = node.observed.containers;
  node.healthNotes = { [container!.id]: "connection refused" };
  node.edit("app", { engineHealth: "unhealthy" });
  const { steps, statuses } = node.look();
  expect(steps).toMatchObject([{ kind: "stop-container", graceMs: 10_000 }]);
  expect(statuses[0]).toMatchObject({
    state: "running",
    health: "unhealthy",
    message: "app: its health check failed: connection refused",
  });
  const { wakeAt } = node.settle();
  expect(node.settle().statuses[0]).toMatchObject({ state: "starting", health: "unhealthy" });
  node.pass(wakeAt! - node.now);
  expect(node.settle().statuses[0]).toMatchObject({ state: "running", containers: [{ restarts: 1 }] });
});

test("a pod's containers wait for its sandbox and join it, and it bears their ports", () => {
  const ports = [{ container: "app", containerPort: 80, protocol: "tcp" as const, hostPort: 20_000 }];
  const node = new ToyNode(aSpec({ containers: [aContainer(), aContainer({ name: "side" })] }), { ports });
  node.settle();
  const [sandbox, ...apps] = node.observed.containers;
  expect([sandbox?.role, sandbox?.ports]).toEqual(["sandbox", ports]);
  expect(apps.map(one => [one.name, one.ports])).toEqual([
    ["app", []],
    ["side", []],
  ]);
});

test("one container of a pod is started again alone; a dead sandbox makes the whole pod anew", () => {
  const node = new ToyNode(aSpec({ containers: [aContainer(), aContainer({ name: "side" })] }));
  node.settle();
  const ids = node.observed.containers.map(one => one.id);
  node.crash("side").settle();
  node.pass(1000).settle();
  expect(node.observed.containers.map(one => one.id)).toEqual(ids);
  node.edit("", CRASHED);
  const removed: string[] = [];
  for (let round = 0; round < 20; round++) {
    const { steps, wakeAt } = node.look();
    for (const step of steps) {
      if (step.kind === "remove-container") removed.push(step.container);
      node.observed = applyStep(node.observed, step, node.now);
    }
    if (steps.length === 0 && wakeAt !== undefined) node.pass(wakeAt - node.now);
  }
  expect(removed).toEqual(["app", "side", ""]);
  expect(node.look().statuses[0]?.state).toBe("running");
});

test.each([
  ["container", "app", aSpec(), 1],
  ["pod", "", aSpec({ containers: [aContainer({ name: "one" }), aContainer({ name: "two" })] }), 3],
])("a %s that lost its network is made anew, at once the first time and later with a delay", (_, name, spec, count) => {
  const node = new ToyNode(spec);
  node.settle();
  const ids = new Set(node.observed.containers.map(one => one.id));
  expect(ids.size).toBe(count);
  expect(node.edit(name, { isDetached: true }).look().statuses[0]?.state).toBe("starting");
  node.observed = {
    ...node.observed,
    containers: node.observed.containers.map(one => ({ ...one, id: `old ${one.id}` })),
  };
  expect(node.settle().statuses[0]?.state).toBe("running");
  expect(node.observed.containers.map(one => [ids.has(one.id), one.isDetached])).toEqual(
    Array.from({ length: count }, () => [true, false]),
  );
  const again = node.edit(name, { isDetached: true }).settle();
  expect(again.statuses[0]?.state).toBe("starting");
  expect(again.wakeAt).toBeGreaterThan(node.now);
  expect(node.pass(60_000).settle().statuses[0]?.state).toBe("running");
});

test("what is not wanted any more is stopped, removed, and reported gone", () => {
  const node = new ToyNode(aSpec());
  node.settle();
  node.assignment = anAssignment({ instances: [anAssignedInstance({ desired: "stop" })] });
  expect(node.look()).toMatchObject({
    steps: [{ kind: "stop-container", graceMs: 10_000 }],
    statuses: [{ state: "stopping" }],
  });
  expect(node.settle().statuses).toMatchObject([{ state: "stopped", containers: [] }]);
});

test("an older epoch goes when a newer one is assigned here, named or not, and a newer one than assigned is left alone", () => {
  const node = new ToyNode(undefined);
  node.observed = anObserved({
    images: ["app:1"],
    containers: [anObservedContainer({ id: "old", epoch: 1 }), anObservedContainer({ id: "new", epoch: 3 })],
  });
  node.assignment = anAssignment({ instances: [anAssignedInstance({ epoch: 2 })] });
  const { statuses } = node.settle();
  expect(node.observed.containers.map(one => one.epoch).sort()).toEqual([2, 3]);
  expect(statuses.map(one => [one.epoch, one.stranger])).toEqual([
    [2, false],
    [3, true],
  ]);
});

test("a stranger is reported and left alone until a removal names it", () => {
  const node = new ToyNode(undefined);
  node.assignment = anAssignment();
  node.observed = anObserved({ containers: [anObservedContainer()] });
  expect(node.settle().statuses).toMatchObject([{ stranger: true, state: "running" }]);
  node.assignment = anAssignment({
    removals: [{ instanceId: "acme.web.1", epoch: 1, because: "no record explains it" }],
  });
  expect(node.settle().statuses).toEqual([]);
});

test("an image written in two ways is one image", () => {
  const node = new ToyNode(aSpec({ containers: [aContainer({ image: "docker.io/library/nginx" })] }));
  node.observed = anObserved({
    images: ["nginx:latest"],
    networks: [{ id: "n", name: "skep-acme", tenantId: "acme" }],
  });
  expect(kinds(node.look())).toEqual(["create-container"]);
});

test("after its node started anew, nothing that had ended starts before the assignment is confirmed", () => {
  const node = new ToyNode(aSpec());
  node.settle();
  node.pass(60_000).edit("app", { state: "exited", exitCode: 137, finishedAt: node.now });
  node.memory = noteBoot(EMPTY_MEMORY, node.observed);
  node.confirmed = false;
  expect(node.pass(60_000).settle().statuses[0]).toMatchObject({ state: "assigned" });
  node.confirmed = true;
  node.settle();
  expect(node.pass(1000).settle().statuses[0]?.state).toBe("running");
});

test("a tenant's network goes when nothing of the tenant is left, but never without an assignment", () => {
  const node = new ToyNode(undefined);
  node.observed = anObserved({ networks: [{ id: "n", name: "skep-acme", tenantId: "acme" }] });
  expect(node.look().steps).toEqual([]);
  node.assignment = anAssignment();
  expect(node.look().steps).toMatchObject([{ kind: "remove-network", name: "skep-acme" }]);
});

test("a container made from something else is made anew", () => {
  const node = new ToyNode(aSpec());
  node.settle();
  node.edit("app", { specHash: "something else" });
  expect(node.settle().statuses[0]?.state).toBe("running");
  expect(node.observed.containers.length).toBe(1);
  expect(node.observed.containers[0]?.specHash).not.toBe("something else");
});

test("a clock that was put back keeps neither a failed step nor a restart waiting for the time it had reached", () => {
  const node = new ToyNode(aSpec());
  node.failing = step => (step.kind === "create-network" ? "the answer got lost" : undefined);
  node.settle();
  node.failing = () => undefined;
  node.now -= 3_600_000;
  expect(node.settle().statuses[0]?.state).toBe("running");

  node.observed = { ...node.observed, containers: node.observed.containers.map(one => ({ ...one, ...CRASHED })) };
  node.look();
  node.now -= 3_600_000;
  expect(node.settle().statuses[0]?.state).toBe("running");
});
