import type { ContainerStatus, Health, InstanceId, InstanceState, PortBinding } from "../model/instance.ts";

/** One instance at one epoch as the agent sees it. */
export interface InstanceStatus {
  readonly instanceId: InstanceId;
  readonly epoch: number;
  readonly state: InstanceState;
  readonly health: Health;
  /** Its containers, by name; a pod's sandbox has the name `""`. */
  readonly containers: readonly ContainerStatus[];
  /** What it waits for or what went wrong, with the engine's own words. */
  readonly message: string;
  readonly ports: readonly PortBinding[];
  /** Whether no assignment and no removal explains it: it is left alone and only reported. */
  readonly stranger: boolean;
}

const HEALTH_ORDER: readonly Health[] = ["none", "healthy", "starting", "unhealthy"];

/** The worse of two healths: unhealthy before starting before healthy before none. */
export function worseHealth(a: Health, b: Health): Health {
  return HEALTH_ORDER.indexOf(a) >= HEALTH_ORDER.indexOf(b) ? a : b;
}
