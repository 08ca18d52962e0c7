import { EngineError } from "../engine/errors.ts";
import type { Step } from "@skep/core/converge/step.ts";
import type { Engine } from "../engine/engine.ts";
import type { Images } from "./images.ts";

/** What stands before each start. */
export interface StartGate {
  /** What has to be done before the start. @throws EngineError where it must not be made. */
  beforeStart(containerId: string, instanceId: string, epoch: number): Promise<void>;
  /** Why a container of the instance may not be started this very moment. */
  whyNot(instanceId: string, epoch: number): string | undefined;
}

/** One way to carry out each kind of step: a kind without one does not compile. */
export type Executors = { readonly [K in Step["kind"]]: (step: Extract<Step, { kind: K }>) => Promise<unknown> };

/**
 * The executors over an engine. Each fails with an EngineError, or with a SkepError for what this
 * agent refuses.
 */
export function createExecutors(engine: Engine, images: Images, gate: StartGate): Executors {
  return {
    "pull-image": step => images.pull(step.image, step.tenantId),
    "create-network": step => engine.createNetwork(step.tenantId),
    "create-sandbox": step => engine.createSandbox(step),
    "create-container": step => engine.createContainer(step),
    "take-sandbox": step => engine.takeSandbox(step.containerId, step.instance),
    "make-warm": async step => engine.start(await engine.createWarm(step)),
    "remove-warm": step => engine.remove(step.containerId),
    "start-container": async step => {
      await gate.beforeStart(step.containerId, step.instanceId, step.epoch);
      const because = gate.whyNot(step.instanceId, step.epoch);
      if (because !== undefined) throw new EngineError("conflict", because);
      await engine.start(step.containerId);
    },
    "stop-container": step => engine.stop(step.containerId, step.graceMs),
    "remove-container": step => engine.remove(step.containerId),
    "remove-network": step => engine.removeNetwork(step.name),
    "remove-volume": step => engine.removeVolume(step.name),
  };
}

/** Carries out one step. */
export async function execute(executors: Executors, step: Step): Promise<void> {
  // The table has one entry per kind, which the compiler cannot follow through the lookup.
  const run = executors[step.kind] as (step: Step) => Promise<unknown>;
  await run(step);
}

/** The instance that a step works on; `undefined` for what instances share. */
export function instanceOf(step: Step): string | undefined {
  switch (step.kind) {
    case "create-sandbox":
    case "create-container":
    case "take-sandbox":
      return step.instance.instanceId;
    case "start-container":
    case "stop-container":
    case "remove-container":
      return step.instanceId;
    case "make-warm":
    case "remove-warm":
    case "pull-image":
    case "create-network":
    case "remove-network":
    case "remove-volume":
      return undefined;
  }
}
