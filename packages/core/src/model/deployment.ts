import type { ContainerOptions, TmpfsMount } from "./container-options.ts";
import type { Labels } from "./labels.ts";
import type { Resources } from "./resources.ts";
import type { TenantId } from "./tenant.ts";

/** Id of a deployment, `<tenant>.<name>`: readable, unique, and usable in a container's name. */
export type DeploymentId = string;

/** How a node is chosen among those that fit. */
export type Strategy = "least-loaded" | "round-robin" | "resource-based" | "spread";

/** How the agent asks a container whether it is well. */
export type Probe =
  | { readonly kind: "docker"; readonly test: readonly string[] }
  /** The image's own check; 0 in the times, and in the retries, is what the image says. */
  | { readonly kind: "image" }
  | { readonly kind: "http"; readonly port: number; readonly path: string }
  | { readonly kind: "tcp"; readonly port: number };

/** A probe that the engine carries out, and tells in its list of containers. */
export type EngineProbe = Extract<Probe, { readonly kind: "docker" | "image" }>;

/** Whether the engine asks, and not the agent. */
export function isEngineProbe(probe: Probe): probe is EngineProbe {
  return probe.kind === "docker" || probe.kind === "image";
}

/** When a probe runs and how many failures make a container unhealthy. */
export interface HealthCheck {
  readonly probe: Probe;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  /** Failures within this time after the start do not count. */
  readonly startPeriodMs: number;
}

/** A port that a container listens on and that gets one host port on the node. */
export interface PortSpec {
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp";
  /** A fixed host port, where the user insists on one; otherwise the scheduler picks. */
  readonly hostPort: number | undefined;
}

/** A named volume, local to its node, mounted into a container. */
export interface VolumeMount {
  readonly name: string;
  readonly target: string;
  readonly readOnly: boolean;
  /**
   * Whose it is where it is not the spec's own: that of another project, or `""` for one that all
   * of the tenant's projects find by its name.
   */
  readonly project?: string;
  /** It has to be there already: none is made. */
  readonly isExternal?: boolean;
  /**
   * `empty`: while its node is away it may begin empty on another one. Otherwise what mounts it
   * waits for the node.
   */
  readonly move?: "empty";
}

/** One container of a pod. */
export interface ContainerSpec extends ContainerOptions {
  readonly name: string;
  readonly image: string;
  /** Replaces the image's entrypoint; an empty one clears it, and the command is the program. */
  readonly entrypoint: readonly string[] | undefined;
  /** Replaces the image's command when given. */
  readonly command: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** The user's labels, Traefik's among them; every container bears them. */
  readonly labels: Labels;
  readonly workingDir: string | undefined;
  readonly user: string | undefined;
  readonly readOnly: boolean;
  readonly stopSignal: string | undefined;
  readonly ports: readonly PortSpec[];
  readonly volumes: readonly VolumeMount[];
  readonly tmpfs: readonly TmpfsMount[];
  readonly resources: Resources;
  /** Where it is absent, the image's own check counts if the image has one. */
  readonly health: HealthCheck | undefined;
}

/** A run that was shorter than this is never a sound one, however short the policy's window is. */
export const LEAST_SOUND_MS = 10_000;

/**
 * When a container that ended is started again. Delays double from `delayMs` up to `maxDelayMs`.
 */
export interface RestartPolicy {
  readonly condition: "any" | "on-failure" | "none";
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** Starts within `windowMs` before the instance is called failed; `undefined` tries for ever. */
  readonly maxAttempts: number | undefined;
  /** A container that ran this long has its failures forgotten. */
  readonly windowMs: number;
}

/** How instances of an old release give way to a new one. */
export interface UpdatePolicy {
  /**
   * `start-first` keeps the old instance until the new one serves; `stop-first` frees it before.
   */
  readonly order: "start-first" | "stop-first";
  /** How many instances are replaced at once. */
  readonly parallelism: number;
}

/** Where instances may run and how they are spread. */
export interface PlacementSpec {
  readonly strategy: Strategy;
  /**
   * Swarm's syntax: `node.labels.compute == true`, `node.role != manager`, `node.hostname == n1`,
   * `engine.labels.x == y`, `node.platform.os == linux`.
   */
  readonly constraints: readonly string[];
  /** Most instances of this deployment on one node; `undefined` for no bound. */
  readonly maxPerNode: number | undefined;
  /** Names of deployments of the same tenant whose instances must not share a node with these. */
  readonly antiAffinity: readonly string[];
}

/** What has to be so of another deployment of the tenant before this one begins. */
export interface Dependency {
  /** Name of the deployment. */
  readonly name: string;
  /**
   * `started`: a copy of it runs. `healthy`: a copy of it serves. `completed`: all that it has to
   * do has ended with 0.
   */
  readonly condition: "started" | "healthy" | "completed";
  /** `false`: what does not exist, is stopped or has failed is not waited for. */
  readonly required: boolean;
}

/**
 * `replicated`: as many instances as `replicas` says. `global`: one on each node that fits. The
 * instances of a job end: those of a `replicated-job` until `replicas` of them are completed, those
 * of a `global-job` once on each node.
 */
export type Mode = "replicated" | "global" | "replicated-job" | "global-job";

/** How a job goes through its instances. */
export interface JobPolicy {
  /** Most instances that run at once; `undefined` for all. */
  readonly maxConcurrent: number | undefined;
}

/** A network of the tenant that a deployment's instances are in. */
export interface NetworkMembership {
  /** Unique within the tenant: `shop_default` is the network `default` of the project `shop`. */
  readonly name: string;
  /** How the other members call it beside its own names. */
  readonly aliases: readonly string[];
  /** Who is in such networks alone reaches nothing outside of them. */
  readonly isInternal: boolean;
}

/** Everything a user says about a deployment; a release is an immutable copy of it. */
export interface DeploymentSpec {
  readonly name: string;
  readonly replicas: number;
  /**
   * The containers of one instance; more than one makes a pod, which shares one network address.
   */
  readonly containers: readonly ContainerSpec[];
  readonly placement: PlacementSpec;
  readonly restart: RestartPolicy;
  readonly update: UpdatePolicy;
  /** How long a container may take to end after its stop signal. */
  readonly stopGraceMs: number;
  /**
   * `true`: at most one copy runs at any time, held by a lease. `false`: several may, even on one
   * volume. Where it says nothing, one replica with a named volume is a single copy on the node of
   * that volume.
   */
  readonly exclusive: boolean | undefined;
  /** Where the code came from, shown to people: never acted on. */
  readonly source: { readonly repository: string; readonly branch: string } | undefined;
  /** The project it belongs to; with one, it is called `<project>-<service>`. */
  readonly project: string | undefined;
  /** The name by which the other services of its project know it; absent without a project. */
  readonly service: string | undefined;
  /** What has to be so of other deployments before it begins. */
  readonly dependsOn: readonly Dependency[];
  readonly mode: Mode;
  /** Only of jobs. */
  readonly job: JobPolicy | undefined;
  /** Absent: `networksOf` says in which one it is. */
  readonly networks?: readonly NetworkMembership[];
}

/** What one replica of a spec may use at most: what a quota counts. */
export function footprint(spec: DeploymentSpec): { readonly cpuMillis: number; readonly memoryBytes: number } {
  let cpuMillis = 0;
  let memoryBytes = 0;
  for (const { resources } of spec.containers) {
    cpuMillis += resources.cpuMillis;
    memoryBytes += resources.memoryBytes;
  }
  return { cpuMillis, memoryBytes };
}

/** An immutable, numbered copy of a deployment's spec; numbers start at 1 and grow by one. */
export interface Release {
  readonly deploymentId: DeploymentId;
  readonly number: number;
  readonly spec: DeploymentSpec;
}

/** What a tenant wants run. */
export interface Deployment {
  readonly id: DeploymentId;
  readonly tenantId: TenantId;
  readonly name: string;
  /** `run` it, keep it `stopped` with its record, or let it go (`deleted`). */
  readonly desired: "run" | "stopped" | "deleted";
  readonly replicas: number;
  /** Number of the release that is wanted. */
  readonly release: number;
  /** Grows with every change of spec or desired; an update names the one it is based on. */
  readonly resourceVersion: number;
  /**
   * Serial of the next instance to be made; instance ids are `<deployment>.<serial>`, never reused.
   */
  readonly nextSerial: number;
  readonly createdAt: number;
}

/** A deployment with the spec of the release it wants. */
export interface DeploymentRecord {
  readonly deployment: Deployment;
  readonly release: Release;
}
