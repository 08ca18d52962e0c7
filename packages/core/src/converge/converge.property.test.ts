import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { AssignedInstance, Assignment } from "../model/assignment.ts";
import type { Observed, ObservedContainer } from "../model/observed.ts";
import {
  aContainer,
  aSpec,
  anAssignedInstance,
  anAssignment,
  anObserved,
  anObservedContainer,
} from "../testing/builders.ts";
import { attachmentsOf } from "../testing/toy-node.ts";
import { converge } from "./converge.ts";
import type { Converged } from "./converge.ts";
import { applyStep } from "./effect.ts";
import { EMPTY_MEMORY } from "./memory.ts";
import type { ConvergeMemory } from "./memory.ts";
import type { ConvergeInput } from "./round.ts";
import { containerHash, PLAIN_SANDBOX, sandboxHash } from "./spec-hash.ts";
import { turnOf, type Step } from "./step.ts";

// Many runs of many steps: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 });

const POLICY = { startLimit: 2, sandboxImage: "sandbox:1" };

const instanceShape = fc.record({
  serial: fc.integer({ min: 1, max: 4 }),
  epoch: fc.integer({ min: 1, max: 3 }),
  desired: fc.constantFrom("run", "run", "run", "keep", "stop"),
  containers: fc.integer({ min: 1, max: 3 }),
  health: fc.boolean(),
  condition: fc.constantFrom("any", "any", "on-failure", "none"),
  maxAttempts: fc.constantFrom(undefined, undefined, 2),
});

const containerShape = fc.record({
  serial: fc.integer({ min: 1, max: 5 }),
  epoch: fc.integer({ min: 1, max: 3 }),
  name: fc.constantFrom("c0", "c1", "c2", "other"),
  role: fc.constantFrom("app", "app", "sandbox"),
  state: fc.constantFrom(
    "created",
    "running",
    "running",
    "paused",
    "restarting",
    "removing",
    "exited",
    "exited",
    "dead",
  ),
  exitCode: fc.constantFrom(0, 1, 137),
  matching: fc.boolean(),
  isByNetd: fc.boolean(),
  engineHealth: fc.constantFrom("none", "starting", "healthy", "unhealthy"),
});

const scene = fc
  .record({
    instances: fc.array(instanceShape, { maxLength: 4 }),
    containers: fc.array(containerShape, { maxLength: 8 }),
    removals: fc.array(fc.record({ serial: fc.integer({ min: 1, max: 5 }), epoch: fc.integer({ min: 1, max: 3 }) }), {
      maxLength: 2,
    }),
    images: fc.boolean(),
    policy: fc.record({ network: fc.constantFrom("bridge", "netd"), warm: fc.integer({ min: 0, max: 3 }) }),
    warm: fc.array(fc.record({ isRunning: fc.boolean(), matching: fc.boolean() }), { maxLength: 4 }),
    isDrained: fc.boolean(),
  })
  .map(shape => {
    const instances = unique(shape.instances.map(assigned));
    const assignment = anAssignment({
      instances,
      removals: shape.removals.map(one => ({
        instanceId: `acme.web.${one.serial}`,
        epoch: one.epoch,
        because: "no record explains it",
      })),
    });
    const policy = { ...POLICY, ...shape.policy };
    const containers = shape.containers.map((one, at) => container(one, at, instances));
    const warm = shape.warm.map(({ isRunning, matching }, at) => ({
      ...{ id: `ahead-${at}`, isRunning, specHash: matching ? PLAIN_SANDBOX : "something else" },
    }));
    const availability = shape.isDrained ? ("drain" as const) : ("active" as const);
    const observed = anObserved({ containers, warm, images: shape.images ? ["app:1", POLICY.sandboxImage] : [] });
    return { policy, assignment: { ...assignment, availability }, observed };
  });

test("doing the steps until there are none ends, and then everything wanted runs and nothing unwanted is left", () => {
  fc.assert(
    fc.property(scene, ({ policy, assignment, observed }) => {
      const { after, last, rounds } = settle(policy, assignment, observed);
      expect(last.steps).toEqual([]);
      expect(rounds).toBeLessThan(60);
      const { warm = [] } = after;
      const wanted = policy.network === "netd" && assignment.availability === "active" ? policy.warm : 0;
      expect(warm.filter(one => !one.isRunning || one.specHash !== PLAIN_SANDBOX)).toEqual([]);
      expect(warm.length).toBeLessThanOrEqual(wanted);
      if (after.images.includes(policy.sandboxImage)) expect(warm).toHaveLength(wanted);
      for (const status of last.statuses) {
        const stuck = after.containers.some(
          one =>
            one.instanceId === status.instanceId &&
            one.epoch === status.epoch &&
            ["paused", "restarting", "removing"].includes(one.state),
        );
        if (stuck) continue;
        const wanted = assignment.instances.find(
          one => one.instanceId === status.instanceId && one.epoch === status.epoch,
        );
        if (wanted === undefined) {
          expect(status.stranger).toBe(true);
          continue;
        }
        const isOld = assignment.instances.some(
          one => one.instanceId === wanted.instanceId && one.epoch > wanted.epoch,
        );
        if (wanted.desired === "stop" || isOld) expect(status).toMatchObject({ state: "stopped", containers: [] });
        else if (wanted.desired === "keep") expectKept(status.instanceId, status.epoch, observed, after);
        else expect(["running", "failed", "completed"]).toContain(status.state);
        if (
          wanted.desired === "run" &&
          !isOld &&
          wanted.spec.restart.condition === "any" &&
          wanted.spec.restart.maxAttempts === undefined
        ) {
          expect(status.state).toBe("running");
        }
      }
    }),
    { numRuns: 800 },
  );
});

test("a stranger and a newer epoch are never touched", () => {
  fc.assert(
    fc.property(scene, ({ policy, assignment, observed }) => {
      const ahead = new Set(observed.warm?.map(one => one.id));
      const explained = (id: string, epoch: number): boolean =>
        assignment.instances.some(one => one.instanceId === id && one.epoch >= epoch) ||
        assignment.removals.some(one => one.instanceId === id && one.epoch === epoch);
      for (const step of round(policy, assignment, observed, EMPTY_MEMORY, 0).steps) {
        if (step.kind === "take-sandbox" || step.kind === "remove-warm") expect(ahead).toContain(step.containerId);
        else if ("containerId" in step) expect(explained(step.instanceId, step.epoch)).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

test("without an assignment nothing is done", () => {
  fc.assert(
    fc.property(scene, ({ policy, observed }) => {
      expect(round(policy, undefined, observed, EMPTY_MEMORY, 0).steps).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("no more containers are started or made at once than the limit allows, whatever is in flight", () => {
  const few = fc.integer({ min: 0, max: 3 });
  fc.assert(
    fc.property(scene, few, few, ({ policy, assignment, observed }, busy, over) => {
      const keys = (count: number, name: string): string[] => Array.from({ length: count }, (_, at) => `${name}-${at}`);
      const ended = [...keys(over, "start:past"), ...keys(over, "create:past")];
      const inFlight = [...keys(busy, "start:other"), ...keys(busy, "create:other"), ...ended];
      const about = { assignment, observed, attachments: attachmentsOf(observed), memory: EMPTY_MEMORY };
      const { steps } = converge({ ...about, inFlight, ended, confirmed: true, policy, now: 0 });
      const starts = steps.filter(step => turnOf(step.key) === "start");
      expect(starts.length).toBeLessThanOrEqual(Math.max(0, POLICY.startLimit - busy));
      const creates = steps.filter(step => turnOf(step.key) === "create");
      expect(creates.length).toBeLessThanOrEqual(Math.max(0, 2 * POLICY.startLimit - busy));
    }),
    { numRuns: 500 },
  );
});

test("the order of instances and containers does not matter", () => {
  fc.assert(
    fc.property(scene, ({ policy, assignment, observed }) => {
      const reversed = { ...assignment, instances: [...assignment.instances].reverse() };
      const mirrored = { ...observed, containers: [...observed.containers].reverse() };
      const keys = (one: Converged): string[] => one.steps.map(step => step.key).sort();
      // Which of several containers gets the last free start may differ; everything else may not.
      const limitless = { ...policy, startLimit: 100 };
      const ask = (a: Assignment, o: Observed): Converged =>
        converge({
          assignment: a,
          observed: o,
          attachments: attachmentsOf(o),
          memory: EMPTY_MEMORY,
          inFlight: [],
          confirmed: true,
          policy: limitless,
          now: 0,
        });
      expect(keys(ask(reversed, mirrored))).toEqual(keys(ask(assignment, observed)));
      expect(ask(reversed, mirrored).statuses).toEqual(ask(assignment, observed).statuses);
    }),
    { numRuns: 500 },
  );
});

type Policy = ConvergeInput["policy"];

function round(
  policy: Policy,
  assignment: Assignment | undefined,
  observed: Observed,
  memory: ConvergeMemory,
  now: number,
): Converged {
  const attachments = attachmentsOf(observed);
  return converge({ assignment, observed, attachments, memory, inFlight: [], confirmed: true, policy, now });
}

/** Does all steps of each round, and lets time pass where only that helps. */
function settle(
  policy: Policy,
  assignment: Assignment,
  first: Observed,
): { after: Observed; last: Converged; rounds: number } {
  let [observed, memory, now, rounds] = [first, EMPTY_MEMORY, 1_000_000, 0];
  for (;;) {
    const last = round(policy, assignment, observed, memory, now);
    memory = last.memory;
    rounds += 1;
    if ((last.steps.length === 0 && last.wakeAt === undefined) || rounds > 100)
      return { after: observed, last, rounds };
    if (last.steps.length === 0) now = last.wakeAt!;
    else observed = last.steps.reduce((seen: Observed, step: Step) => applyStep(seen, step, now), observed);
  }
}

function assigned(shape: typeof instanceShape extends fc.Arbitrary<infer T> ? T : never): AssignedInstance {
  const containers = Array.from({ length: shape.containers }, (_, at) =>
    aContainer({
      name: `c${at}`,
      health: shape.health
        ? { probe: { kind: "tcp", port: 80 }, intervalMs: 1000, timeoutMs: 1000, retries: 3, startPeriodMs: 0 }
        : undefined,
    }),
  );
  return anAssignedInstance({
    instanceId: `acme.web.${shape.serial}`,
    epoch: shape.epoch,
    desired: shape.desired,
    spec: aSpec({ containers, restart: { condition: shape.condition, maxAttempts: shape.maxAttempts } }),
  });
}

function unique(instances: readonly AssignedInstance[]): AssignedInstance[] {
  return instances.filter(
    (one, at) => instances.findIndex(other => other.instanceId === one.instanceId && other.epoch === one.epoch) === at,
  );
}

function container(
  shape: typeof containerShape extends fc.Arbitrary<infer T> ? T : never,
  at: number,
  instances: readonly AssignedInstance[],
): ObservedContainer {
  const instanceId = `acme.web.${shape.serial}`;
  const instance = instances.find(one => one.instanceId === instanceId && one.epoch === shape.epoch);
  const spec = instance?.spec.containers.find(one => one.name === shape.name);
  const right =
    instance === undefined
      ? ""
      : shape.role === "sandbox" && shape.isByNetd
        ? PLAIN_SANDBOX
        : shape.role === "sandbox"
          ? sandboxHash(instance)
          : spec === undefined
            ? ""
            : containerHash(instance, spec, undefined);
  return anObservedContainer({
    id: `given-${at}`,
    instanceId,
    epoch: shape.epoch,
    role: shape.role,
    name: shape.role === "sandbox" ? "" : shape.name,
    state: shape.state,
    netns: shape.state === "running" ? `netns-given-${at}` : undefined,
    exitCode: shape.state === "exited" ? shape.exitCode : undefined,
    engineHealth: shape.engineHealth,
    specHash: shape.matching ? right : "something else",
    startedAt: 999_000,
    finishedAt: shape.state === "exited" ? 999_500 : undefined,
  });
}

/** Nothing runs of what is kept, nothing was made, and all that there was is there. */
function expectKept(instanceId: string, epoch: number, before: Observed, after: Observed): void {
  const of = ({ containers }: Observed): readonly string[] =>
    containers.filter(one => one.instanceId === instanceId && one.epoch === epoch).map(one => one.id);
  expect(of(after)).toEqual(of(before));
  const states = after.containers.filter(one => of(before).includes(one.id)).map(one => one.state);
  expect(states.filter(state => state === "running")).toEqual([]);
}
