import type { AssignedInstance, VolumeRemoval } from "../model/assignment.ts";
import type { ContainerSpec } from "../model/deployment.ts";
import type { InstanceId } from "../model/instance.ts";

/**
 * Who connects containers: the engine by its bridges, or netd. Then each instance has a sandbox
 * without a network of the engine's.
 */
export type ContainerNetwork = "bridge" | "netd";

/**
 * One thing for an executor to do on the engine. `key` names what it works on: a step is not issued
 * again while a step of the same key is in flight, and backs off under its key after it failed.
 */
export type Step =
  | { readonly kind: "pull-image"; readonly key: string; readonly image: string; readonly tenantId: string }
  | { readonly kind: "create-network"; readonly key: string; readonly tenantId: string }
  | {
      readonly kind: "create-sandbox";
      readonly key: string;
      readonly instance: AssignedInstance;
      readonly image: string;
      readonly specHash: string;
      /** Who connects it; absent: the engine. */
      readonly network?: ContainerNetwork | undefined;
    }
  | {
      readonly kind: "create-container";
      readonly key: string;
      readonly instance: AssignedInstance;
      readonly container: ContainerSpec;
      readonly specHash: string;
      /** The sandbox whose network it joins; `undefined` where it has a network of its own. */
      readonly sandboxId: string | undefined;
      readonly network?: ContainerNetwork | undefined;
    }
  /** A sandbox that was made ahead becomes this instance's: a new name, and nothing else. */
  | {
      readonly kind: "take-sandbox";
      readonly key: string;
      readonly instance: AssignedInstance;
      readonly containerId: string;
    }
  /** Makes a sandbox ahead and starts it. */
  | { readonly kind: "make-warm"; readonly key: string; readonly image: string; readonly specHash: string }
  | { readonly kind: "remove-warm"; readonly key: string; readonly containerId: string; readonly because: string }
  | ({ readonly kind: "start-container"; readonly key: string } & OnContainer)
  /** `graceMs` is how long the container may take to end after its stop signal. */
  | ({ readonly kind: "stop-container"; readonly key: string; readonly graceMs: number } & OnContainer)
  | ({ readonly kind: "remove-container"; readonly key: string } & OnContainer)
  /** `name` is the network's name on the engine. */
  | { readonly kind: "remove-network"; readonly key: string; readonly name: string; readonly tenantId: string }
  /** `name` is the volume's name on the engine. */
  | { readonly kind: "remove-volume"; readonly key: string; readonly name: string; readonly volume: VolumeRemoval };

/** The container that a step works on, and why. */
export interface OnContainer {
  readonly containerId: string;
  readonly instanceId: InstanceId;
  readonly epoch: number;
  /** Name in the spec; `""` for a sandbox. */
  readonly container: string;
  readonly because: string;
}

/**
 * Keys of steps; those of a container are made of its id, so that a second container is never
 * mistaken for the first.
 */
export const stepKey = {
  pull: (tenantId: string, image: string): string => `pull:${tenantId}/${image}`,
  createNetwork: (tenantId: string): string => `network:${tenantId}`,
  create: (instanceId: InstanceId, epoch: number, container: string): string =>
    `create:${instanceId}@${epoch}/${container}`,
  /** Of both, so that neither takes a second one nor is taken twice. */
  take: (containerId: string, instanceId: InstanceId, epoch: number): string =>
    `take:${containerId}/${instanceId}@${epoch}`,
  makeWarm: (place: number): string => `warm:${place}`,
  start: (containerId: string): string => `start:${containerId}`,
  stop: (containerId: string): string => `stop:${containerId}`,
  /** A key of its own: a stop that would give the container longer may be under way. */
  stopNow: (containerId: string): string => `stop-now:${containerId}`,
  remove: (containerId: string): string => `remove:${containerId}`,
  removeNetwork: (name: string): string => `remove-network:${name}`,
  removeVolume: (name: string): string => `remove-volume:${name}`,
} as const;

/** What only so many of go at once, each kind by itself. */
export type Turn = "create" | "start";

/** The turn that a step of this key takes up; `undefined` for steps that wait for none. */
export function turnOf(key: string): Turn | undefined {
  if (key.startsWith("start:") || key.startsWith("warm:")) return "start";
  return key.startsWith("create:") ? "create" : undefined;
}
