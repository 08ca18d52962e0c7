import type { Health } from "../model/instance.ts";
import type { ReportedStatus } from "../model/report.ts";

/** What the agent sees of one instance at one epoch, and whether an assignment explains it. */
export interface InstanceStatus extends ReportedStatus {
  /** Whether no assignment and no removal explains it: it is left alone and only reported. */
  readonly stranger: boolean;
}

const HEALTH_ORDER: readonly Health[] = ["none", "healthy", "starting", "unhealthy"];

/** The worse of two healths: unhealthy before starting before healthy before none. */
export function worseHealth(a: Health, b: Health): Health {
  return HEALTH_ORDER.indexOf(a) >= HEALTH_ORDER.indexOf(b) ? a : b;
}
