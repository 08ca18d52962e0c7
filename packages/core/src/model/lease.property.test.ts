import fc from "fast-check";
import { expect, test } from "vitest";
import { aSpec, anAssignedInstance, anAssignment, anObserved, anObservedContainer } from "../testing/builders.ts";
import { converge } from "../converge/converge.ts";
import { EMPTY_MEMORY } from "../converge/memory.ts";
import { groupKey, type LeaseView } from "../converge/round.ts";
import { stepKey } from "../converge/step.ts";
import type { AssignedInstance } from "./assignment.ts";
import { guardedUse, GUARD_GRACE_MS, KILL_MS, leaseUse, leaseWait, MOST_COMMIT_SHARE } from "./lease.ts";

const NOW = 100_000;
const WITHOUT: LeaseView = { held: false, since: NOW };

/** The grace of the shortest stop of the copy that is under way once the agent has decided. */
function graceOf(instance: AssignedInstance, lease: LeaseView | undefined, isBeingStopped: boolean): number {
  const [container, { instanceId, epoch, spec }] = [anObservedContainer(), instance];
  const { steps } = converge({
    assignment: anAssignment({ instances: [instance] }),
    observed: anObserved({ containers: [container] }),
    memory: EMPTY_MEMORY,
    inFlight: isBeingStopped ? [stepKey.stop(container.id)] : [],
    confirmed: true,
    policy: { startLimit: 2, sandboxImage: "pause" },
    leases: lease === undefined ? {} : { [groupKey(instanceId, epoch)]: lease },
    now: NOW,
  });
  const graces = steps.flatMap(step => (step.kind === "stop-container" ? [step.graceMs] : []));
  return Math.min(...graces, isBeingStopped ? spec.stopGraceMs : Infinity);
}

const copies = fc.record({
  desired: fc.constantFrom("run" as const, "stop" as const),
  stopGraceMs: fc.integer({ min: 0, max: 600_000 }),
  isBeingStopped: fc.boolean(),
});

test("a copy that was given up has ended when it may be placed again, however long its spec lets it stop", () => {
  const cases = fc.record({
    copy: copies,
    leaseMs: fc.integer({ min: 1_000, max: 600_000 }),
    // Of the time that each may take, and how slow the node's clock is.
    late: fc.double({ min: 0, max: 1, noNaN: true }),
    slow: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
    wasGiven: fc.boolean(),
  });
  fc.assert(
    fc.property(cases, ({ copy, leaseMs, late, slow, wasGiven }) => {
      const { desired, stopGraceMs, isBeingStopped } = copy;
      const spec = aSpec({ exclusive: true, stopGraceMs });
      const grace = graceOf(anAssignedInstance({ desired, spec }), wasGiven ? WITHOUT : undefined, isBeingStopped);
      const grantedAt = leaseMs * MOST_COMMIT_SHARE * late;
      const byAgent = grantedAt + (leaseUse(leaseMs) + grace + KILL_MS * late) / slow;
      const byGuard = grantedAt + (guardedUse(leaseMs) + GUARD_GRACE_MS + KILL_MS * late) / slow;
      expect(Math.max(byAgent, byGuard)).toBeLessThan(leaseWait(leaseMs));
    }),
  );
});

test("a copy that is to stop has its own grace as long as it holds its lease", () => {
  fc.assert(
    fc.property(copies, ({ stopGraceMs, isBeingStopped }) => {
      const stopping = anAssignedInstance({ desired: "stop", spec: aSpec({ exclusive: true, stopGraceMs }) });
      expect(graceOf(stopping, { held: true, since: undefined }, isBeingStopped)).toBe(stopGraceMs);
    }),
  );
});
