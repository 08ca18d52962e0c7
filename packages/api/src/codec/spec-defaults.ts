import type { DeploymentSpec, HealthCheck, PlacementSpec, RestartPolicy } from "@skep/core/model/deployment.ts";

/** What a spec gets where it says nothing; spec.proto documents the same numbers. */
export const DEFAULT_PLACEMENT: PlacementSpec = {
  strategy: "least-loaded",
  constraints: [],
  maxPerNode: undefined,
  antiAffinity: [],
};

/** Started again for ever, at most each half minute. */
export const DEFAULT_RESTART: RestartPolicy = {
  condition: "any",
  delayMs: 500,
  maxDelayMs: 30_000,
  maxAttempts: undefined,
  windowMs: 60_000,
};

/** The grace that Docker gives too. */
export const DEFAULT_STOP_GRACE_MS = 10_000;

/**
 * Timing of a probe: Docker's own numbers for its own check, shorter ones for the agent's probes,
 * which cost less. 0 leaves what the image says.
 */
export function defaultTiming(kind: HealthCheck["probe"]["kind"]): Omit<HealthCheck, "probe"> {
  if (kind === "image") return { intervalMs: 0, timeoutMs: 0, retries: 0, startPeriodMs: 0 };
  return kind === "docker"
    ? { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 }
    : { intervalMs: 5_000, timeoutMs: 2_000, retries: 3, startPeriodMs: 0 };
}

/** Start-first, unless two copies could not stand side by side: a volume or a fixed host port. */
export function defaultOrder(containers: DeploymentSpec["containers"]): "start-first" | "stop-first" {
  const single = containers.some(
    container => container.volumes.length > 0 || container.ports.some(port => port.hostPort !== undefined),
  );
  return single ? "stop-first" : "start-first";
}
