import { converge } from "../converge/converge.ts";
import type { Converged } from "../converge/converge.ts";
import { applyStep } from "../converge/effect.ts";
import { EMPTY_MEMORY, noteStepDone, noteStepFailed, type StepFailure } from "../converge/memory.ts";
import { groupKey, type AttachmentView, type ConvergeInput } from "../converge/round.ts";
import type { ContainerNetwork, Step } from "../converge/step.ts";
import type { Assignment } from "../model/assignment.ts";
import type { DeploymentSpec } from "../model/deployment.ts";
import type { Observed, ObservedContainer } from "../model/observed.ts";
import { anAssignedInstance, anAssignment, anObserved } from "./builders.ts";

const ENDED = { state: "exited", exitCode: 1 } as const;

/** A node whose engine does each step at once, unless told otherwise. */
export class ToyNode {
  observed: Observed = anObserved();
  memory = EMPTY_MEMORY;
  now = 1_000_000;
  confirmed = true;
  inFlight: string[] = [];
  ended: string[] = [];
  assignment: Assignment | undefined;
  failing: (step: Step) => string | StepFailure | undefined = () => undefined;
  leases: NonNullable<ConvergeInput["leases"]> = {};
  healthNotes: NonNullable<ConvergeInput["healthNotes"]> = {};

  /** Who connects containers, and how many sandboxes are kept ready. */
  network: { readonly network?: ContainerNetwork; readonly warm?: number } = {};
  /** What netd says of each sandbox that runs; without this, that it is connected. */
  netd: (sandbox: ObservedContainer) => AttachmentView = ({ netns }) => ({ netns, fault: undefined });

  constructor(spec: DeploymentSpec | undefined, more: Partial<ReturnType<typeof anAssignedInstance>> = {}) {
    if (spec !== undefined) this.assignment = anAssignment({ instances: [anAssignedInstance({ spec, ...more })] });
  }

  look(): Converged {
    const { assignment, observed, memory, inFlight, ended, confirmed, leases, healthNotes, now } = this;
    const policy = { startLimit: 2, sandboxImage: "sandbox:1", ...this.network };
    const attachments = attachmentsOf(observed, this.netd);
    const about = { assignment, observed, attachments, memory, leases, healthNotes };
    const result = converge({ ...about, inFlight, ended, confirmed, policy, now });
    this.memory = result.memory;
    return result;
  }

  /** Does what is to be done until nothing is, without letting time pass. */
  settle(): Converged {
    for (let round = 0; round < 30; round++) {
      const result = this.look();
      if (result.steps.length === 0) return result;
      for (const step of result.steps) {
        const failing = this.failing(step);
        const failure = typeof failing === "string" ? { words: failing, isPortTaken: false } : failing;
        this.memory =
          failure === undefined
            ? noteStepDone(this.memory, step)
            : noteStepFailed(this.memory, step, failure, this.now);
        if (failure === undefined) this.observed = applyStep(this.observed, step, this.now);
      }
    }
    throw new Error("it does not settle");
  }

  pass(ms: number): this {
    this.now += ms;
    return this;
  }

  edit(name: string, change: Partial<ObservedContainer>): this {
    const containers = this.observed.containers.map(one => (one.name === name ? { ...one, ...change } : one));
    this.observed = { ...this.observed, containers };
    return this;
  }

  crash(name = "app"): this {
    return this.edit(name, { ...ENDED, finishedAt: this.now });
  }

  drop(name = "app"): this {
    this.observed = { ...this.observed, containers: this.observed.containers.filter(one => one.name !== name) };
    return this;
  }
}

/** What a netd that answers at once says of the sandboxes that run. */
export function attachmentsOf(
  { containers }: Observed,
  say: (sandbox: ObservedContainer) => AttachmentView = ({ netns }) => ({ netns, fault: undefined }),
): NonNullable<ConvergeInput["attachments"]> {
  const running = containers.filter(one => one.role === "sandbox" && one.state === "running");
  return Object.fromEntries(running.map(one => [groupKey(one.instanceId, one.epoch), say(one)]));
}
