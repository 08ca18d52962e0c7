import { canonicalImage } from "../model/image.ts";
import { isByNetd } from "./ready.ts";
import { attempt } from "./round.ts";
import type { Round } from "./round.ts";
import { PLAIN_SANDBOX } from "./spec-hash.ts";
import { stepKey } from "./step.ts";

/** What a sandbox that only sleeps takes of a node, its shim included: 2.4 MiB of PSS, 5 in all. */
const SANDBOX_BYTES = 5 * 1024 * 1024;
/** Waiting sandboxes have at most one part in so many of a node's memory. */
const MEMORY_PARTS = 64;
/** As many as a core starts containers in a third of a second. */
const PER_CORE = 4;
const MOST_PER_CORE = 16;
const MOST = 48;

/**
 * How many sandboxes a node keeps ready: some for each core, as many as were taken lately where
 * that is more, and never more than a small part of its memory holds.
 */
export function warmCount(node: { readonly cores: number; readonly memoryBytes: number }, takenLately: number): number {
  const { cores, memoryBytes } = node;
  const wanted = Math.max(PER_CORE * cores, Math.min(takenLately, MOST_PER_CORE * cores));
  return Math.min(MOST, wanted, Math.floor(memoryBytes / MEMORY_PARTS / SANDBOX_BYTES));
}

/**
 * Keeps as many sandboxes ready as the policy says, and makes up for those that were taken once no
 * instance is being started. A node that is drained needs none; one without an assignment is left
 * as it is.
 */
export function keepWarm(round: Round): void {
  const { input, inFlight } = round;
  const { assignment, policy } = input;
  if (assignment === undefined) return;
  const making = [...inFlight].filter(key => key.startsWith("warm:")).length;
  const wanted = isByNetd(input) && assignment.availability === "active" ? (policy.warm ?? 0) : 0;
  const good = round.warm.filter(one => one.isRunning && one.specHash === PLAIN_SANDBOX);
  for (const one of round.warm.filter(other => !good.includes(other))) {
    // One that is being made does not run yet.
    if (making === 0 || one.isRunning) remove(round, one.id, "it is no use to any instance");
  }
  for (const one of good.slice(wanted)) remove(round, one.id, "so many are not needed");
  if (isBusy(round) || !round.images.has(canonicalImage(policy.sandboxImage))) return;
  let place = 0;
  for (let missing = wanted - good.length - making; missing > 0 && round.turnsLeft.start > 0; missing--) {
    while (inFlight.has(stepKey.makeWarm(place))) place++;
    const key = stepKey.makeWarm(place++);
    const before = round.steps.length;
    attempt(round, { kind: "make-warm", key, image: policy.sandboxImage, specHash: PLAIN_SANDBOX });
    round.turnsLeft.start -= round.steps.length - before;
  }
}

/** Whether an instance is on its way: what is made ahead would take the node's cores from it. */
function isBusy({ input, inFlight, steps, isTurnAwaited }: Round): boolean {
  const ended = new Set(input.ended);
  const keys = [...[...inFlight].filter(key => !ended.has(key)), ...steps.map(step => step.key)];
  return isTurnAwaited || keys.some(key => /^(?:take|create|start):/.test(key));
}

function remove(round: Round, containerId: string, because: string): void {
  attempt(round, { kind: "remove-warm", key: stepKey.remove(containerId), containerId, because });
}
