import type { DeploymentSpec, HealthCheck, Strategy, VolumeMount } from "@skep/core/model/deployment.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import type { Chance } from "./chance.ts";

/** What a user asks for next. */
export type Wish =
  | { readonly kind: "create"; readonly tenantId: string; readonly spec: DeploymentSpec }
  | { readonly kind: "scale"; readonly id: string; readonly replicas: number }
  | { readonly kind: "update"; readonly id: string; readonly spec: DeploymentSpec }
  | { readonly kind: "restart"; readonly id: string }
  | { readonly kind: "stop" | "start" | "delete"; readonly id: string };

/** What a user knows of a deployment. */
export interface Known {
  readonly id: string;
  readonly spec: DeploymentSpec;
  readonly desired: "run" | "stopped" | "deleted";
}

/** Names of the tenants that the simulation has. */
export const TENANTS = ["acme", "globex"] as const;

const MOST_DEPLOYMENTS = 6;
/**
 * `one` is exclusive, `db` is a single copy with a volume, `share` several copies on one volume,
 * the two of the project `duo` mount one volume, `cache` may begin empty where its node is away,
 * and the others have none. Names come again after a deployment is deleted, and nothing of the
 * former one may touch the next.
 */
const NAMES = ["web", "api", "db", "share", "one", "duo-a", "duo-b", "cache"] as const;
/** The first wait of every restart policy here. */
export const RESTART_DELAY_MS = 200;
const STRATEGIES: readonly Strategy[] = ["least-loaded", "round-robin", "resource-based", "spread"];

/** Draws the next wish; what it asks for always fits on three of the simulation's nodes. */
export function drawWish(chance: Chance, known: readonly Known[]): Wish {
  if (known.length === 0 || (known.length < MOST_DEPLOYMENTS && chance.happens(0.35))) {
    return { kind: "create", tenantId: chance.pick(TENANTS), spec: drawSpec(chance, chance.pick(NAMES)) };
  }
  const { id, spec, desired } = chance.pick(known);
  const dice = chance.whole(1, 100);
  if (desired === "stopped") return { kind: dice <= 60 ? "start" : "delete", id };
  if (dice <= 35) return { kind: "scale", id, replicas: chance.whole(0, 4) };
  if (dice <= 65) return { kind: "update", id, spec: { ...drawSpec(chance, spec.name), replicas: spec.replicas } };
  if (dice <= 75) return { kind: "restart", id };
  return { kind: dice <= 85 ? "stop" : "delete", id };
}

function drawSpec(chance: Chance, name: string): DeploymentSpec {
  const isPod = chance.happens(0.25);
  const volumes = volumesOf(name);
  const mounts = volumes.length > 0;
  const service = /^duo-(.+)$/.exec(name)?.[1];
  const container = (containerName: string, port: number) => {
    const hasPort = chance.happens(0.8);
    return aContainer({
      name: containerName,
      image: chance.pick(IMAGES),
      // Beyond what an assignment carries, and some beyond what one message takes.
      env: chance.happens(0.1) ? { LARGE: "x".repeat(chance.whole(10, 50) * 1024) } : {},
      volumes: containerName === "app" ? volumes : [],
      ports: hasPort ? [{ containerPort: port, protocol: "tcp", hostPort: undefined }] : [],
      health: hasPort && chance.happens(0.3) ? drawHealth(chance, port) : undefined,
      resources: {
        ...DEFAULT_RESOURCES,
        reserveCpuMillis: chance.pick([0, 50, 100]),
        reserveMemoryBytes: chance.pick([0, 64, 128]) * 1024 * 1024,
      },
    });
  };
  return aSpec({
    name,
    exclusive: name === "one" ? true : mounts && name !== "db" ? false : undefined,
    project: service === undefined ? undefined : "duo",
    service,
    replicas: name === "db" || name === "one" ? 1 : chance.whole(1, mounts ? 3 : 4),
    containers: isPod ? [container("app", 8080), container("side", 9090)] : [container("app", 8080)],
    placement: {
      strategy: chance.pick(STRATEGIES),
      constraints: chance.happens(0.15) ? ["node.labels.zone != nowhere"] : [],
      maxPerNode: chance.happens(0.1) && !mounts ? 2 : undefined,
    },
    restart: {
      condition: "any",
      delayMs: RESTART_DELAY_MS,
      maxDelayMs: 2_000,
      maxAttempts: chance.happens(0.2) ? chance.whole(0, 2) : undefined,
    },
    update: { order: chance.pick(["start-first", "stop-first"]), parallelism: chance.whole(1, 2) },
    stopGraceMs: 2_000,
  });
}

function volumesOf(name: string): readonly VolumeMount[] {
  const data = { name: "data", target: "/data", readOnly: false };
  if (name === "cache") return [{ ...data, move: "empty" }];
  if (name === "duo-b") return [data, { ...data, name: "logs", target: "/logs" }];
  return ["db", "share", "duo-a"].includes(name) ? [data] : [];
}

function drawHealth(chance: Chance, port: number): HealthCheck {
  return {
    probe: chance.happens(0.5) ? { kind: "tcp", port } : { kind: "http", port, path: "/" },
    intervalMs: 1_000,
    timeoutMs: 500,
    retries: 2,
    startPeriodMs: 500,
  };
}

/** Images of programs that run for ever; every node's registry has them. */
export const IMAGES = ["web:1", "web:2", "worker:1"] as const;

/** A program that ends with 0 by itself. */
export const JOB_IMAGE = "job:1";
