import { DEFAULT_PLACEMENT, DEFAULT_RESTART, DEFAULT_STOP_GRACE_MS } from "@skep/api/codec/spec-defaults.ts";
import type {
  ContainerSpec,
  JobPolicy,
  Mode,
  PlacementSpec,
  RestartPolicy,
  UpdatePolicy,
} from "@skep/core/model/deployment.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import type { Place, Problems } from "./problems.ts";
import type { DeclaredVolume } from "./project-volumes.ts";
import type { Spot } from "./spots.ts";

/** A type whose parts can be written while a file is read. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** The text of a file, or why it cannot be read: completes "it cannot be read: ...". */
export type FileText =
  { readonly text: string; readonly why?: undefined } | { readonly text: undefined; readonly why: string };

/** What every reader of the project gets. */
export interface Reading {
  readonly problems: Problems;
  readonly readFile: (path: string) => FileText;
  /** The platform's limits, for what says none. */
  readonly limits: Limits;
  /** Volumes that the project declares, by their names in the file. */
  readonly volumes: ReadonlyMap<string, DeclaredVolume>;
  /** The deployment of each service that is read, by the service's name. */
  readonly names: ReadonlyMap<string, string>;
}

/** A service's membership as it is read: the network's name in the files. */
export interface Joined {
  readonly network: string;
  readonly place: Place;
  readonly aliases: readonly string[];
}

/** One entry of `links`. */
export interface Link {
  readonly service: string;
  readonly alias: string;
  readonly place: Place;
}

/** One service as read, before it is known whether it stands alone or joins a pod. */
export interface ServiceDraft {
  /** The service's name in the file; the container's may be written otherwise. */
  readonly service: string;
  readonly place: Place;
  /** The service as the file has it, to find the places of its values again. */
  readonly value: Spot;
  /** The service whose network this one joins, from `network_mode: "service:x"`. */
  joins: { readonly service: string; readonly place: Place } | undefined;
  readonly container: Draft<ContainerSpec>;
  replicas: number | undefined;
  readonly placement: Draft<PlacementSpec>;
  readonly restart: Draft<RestartPolicy>;
  /** Whether the service says when it is started again. */
  saysRestart: boolean;
  readonly update: { order: UpdatePolicy["order"] | undefined; parallelism: number };
  stopGraceMs: number;
  exclusive: boolean | undefined;
  source: { repository: string; branch: string } | undefined;
  mode: Mode;
  job: JobPolicy | undefined;
  /** The networks that it names, by their names in the file. */
  readonly joined: Joined[];
  /** Services that `links` names, and how it calls them. */
  readonly links: Link[];
  /** Keys about the whole pod: only the service that is joined may have them. */
  readonly podKeys: Place[];
  /** Limits that the service says itself; the others are the platform's. */
  readonly limits: Set<"cpuMillis" | "memoryBytes" | "pids">;
  /** Constraints that its platform stands for. */
  platform: readonly string[];
  /** TCP ports of `expose`: nothing publishes them, and a route may lead to one. */
  readonly exposed: number[];
  /** Ports of the node that Swarm would answer on every node. */
  readonly meshed: Place[];
}

/** A service that says nothing but its name gets this. */
export function emptyDraft(service: string, name: string, place: Place, value: Spot, limits: Limits): ServiceDraft {
  return {
    service,
    place,
    value,
    joins: undefined,
    container: {
      name,
      image: "",
      entrypoint: undefined,
      command: undefined,
      env: {},
      labels: {},
      workingDir: undefined,
      user: undefined,
      readOnly: false,
      stopSignal: undefined,
      ports: [],
      volumes: [],
      tmpfs: [],
      resources: { ...DEFAULT_RESOURCES, ...limits },
      health: undefined,
    },
    replicas: undefined,
    placement: { ...DEFAULT_PLACEMENT },
    // What ends with 0 has done what it was for; what fails is tried again.
    restart: { ...DEFAULT_RESTART, condition: "on-failure" },
    saysRestart: false,
    update: { order: undefined, parallelism: 1 },
    stopGraceMs: DEFAULT_STOP_GRACE_MS,
    exclusive: undefined,
    source: undefined,
    mode: "replicated",
    job: undefined,
    joined: [],
    links: [],
    podKeys: [],
    limits: new Set(),
    platform: [],
    exposed: [],
    meshed: [],
  };
}
