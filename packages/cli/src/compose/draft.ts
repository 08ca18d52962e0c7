import { DEFAULT_PLACEMENT, DEFAULT_RESTART, DEFAULT_STOP_GRACE_MS } from "@skep/api/codec/spec-defaults.ts";
import type { ContainerSpec, PlacementSpec, RestartPolicy, UpdatePolicy } from "@skep/core/model/deployment.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Problems } from "./problems.ts";
import type { Variables } from "./interpolate.ts";
import type { Place, Spot } from "./tree.ts";

/** A type whose parts can be written while a file is read. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** What every reader of the file gets. */
export interface Reading {
  readonly problems: Problems;
  readonly variables: Variables;
  /** Text of a file named relative to the Compose file; `undefined` where there is none. */
  readonly readFile: (path: string) => string | undefined;
  /** Volumes that the file declares. */
  readonly volumes: ReadonlySet<string>;
  /** Profiles that are chosen. */
  readonly profiles: ReadonlySet<string>;
}

/** One service as read, before it is known whether it stands alone or joins a pod. */
export interface ServiceDraft {
  readonly place: Place;
  /** The service as the file has it, to find the places of its values again. */
  readonly value: Spot;
  /** The service whose network this one joins, from `network_mode: "service:x"`. */
  joins: { readonly service: string; readonly place: Place } | undefined;
  readonly container: Draft<ContainerSpec>;
  replicas: number | undefined;
  readonly placement: Draft<PlacementSpec>;
  readonly restart: Draft<RestartPolicy>;
  readonly update: { order: UpdatePolicy["order"] | undefined; parallelism: number };
  stopGraceMs: number;
  exclusive: boolean | undefined;
  source: { repository: string; branch: string } | undefined;
  /** Keys about the whole pod: only the service that is joined may have them. */
  readonly podKeys: Place[];
}

/** A service that says nothing but its name gets this. */
export function emptyDraft(name: string, place: Place, value: Spot): ServiceDraft {
  return {
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
      resources: DEFAULT_RESOURCES,
      health: undefined,
    },
    replicas: undefined,
    placement: { ...DEFAULT_PLACEMENT },
    restart: { ...DEFAULT_RESTART },
    update: { order: undefined, parallelism: 1 },
    stopGraceMs: DEFAULT_STOP_GRACE_MS,
    exclusive: undefined,
    source: undefined,
    podKeys: [],
  };
}
