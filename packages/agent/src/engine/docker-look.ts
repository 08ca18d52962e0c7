import type { Observed, ObservedContainer } from "@skep/core/model/observed.ts";
import type Docker from "dockerode";
import type { ContainerInfo } from "dockerode";
import type { Calls } from "./docker-calls.ts";
import { engineErrorCode } from "./errors.ts";
import { LABEL } from "./labels.ts";
import { toLifetime, toObservedContainer, toObservedNetwork, type Lifetime } from "./observed.ts";

/** Looks at the engine: one list per look, and an inspect only for containers that changed. */
export interface Look {
  observe(): Promise<Observed>;
  /** What was known of this container is stale: an event came, or a verb was carried out. */
  forget(containerId: string): void;
  /** The list of images is stale. */
  forgetImages(): void;
}

interface Known {
  readonly state: string;
  readonly lifetime: Lifetime;
  readonly readAt: number;
}

const LIST_DEADLINE_MS = 15_000;
const INSPECT_DEADLINE_MS = 3_000;
/** Events may be lost; after this time a container is inspected again though nothing seemed to happen. */
const KNOWN_FOR_MS = 30_000;
const UNKNOWN: Lifetime = { exitCode: undefined, oomKilled: false, startedAt: undefined, finishedAt: undefined };

/** Makes a look over the engine's lists; `monotonic` gives milliseconds that never go back. */
export function createLook(docker: Docker, calls: Calls, monotonic: () => number): Look {
  const known = new Map<string, Known>();
  let images: { readonly names: readonly string[]; readonly readAt: number } | undefined;

  async function inspect(row: ContainerInfo): Promise<ObservedContainer | undefined> {
    const before = known.get(row.Id);
    if (before?.state === row.State && monotonic() - before.readAt < KNOWN_FOR_MS) {
      return toObservedContainer(row, before.lifetime);
    }
    const readAt = monotonic();
    try {
      const limits = { deadlineMs: INSPECT_DEADLINE_MS, containerId: row.Id };
      const info = await calls.call(limits, abortSignal => docker.getContainer(row.Id).inspect({ abortSignal }));
      if (info === undefined) return toObservedContainer(row, UNKNOWN);
      // An engine tells of a container's end before its list shows it; the inspect, which waits for the container, is right.
      const state = info.State.Status;
      const lifetime = toLifetime(info);
      known.set(row.Id, { state, lifetime, readAt });
      return toObservedContainer({ ...row, State: state }, lifetime);
    } catch (error) {
      // A container that does not answer must not hide the others: it is shown as the list has it.
      return engineErrorCode(error) === "not_found" ? undefined : toObservedContainer(row, before?.lifetime ?? UNKNOWN);
    }
  }

  async function containers(): Promise<ObservedContainer[]> {
    const filters = { label: [LABEL.instance] };
    const rows = await calls.call({ deadlineMs: LIST_DEADLINE_MS }, abortSignal =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    const seen = await Promise.all((rows ?? []).map(inspect));
    const present = new Set(rows?.map(row => row.Id));
    for (const id of known.keys()) if (!present.has(id)) known.delete(id);
    return seen.filter(container => container !== undefined);
  }

  async function imageNames(): Promise<readonly string[]> {
    if (images !== undefined && monotonic() - images.readAt < KNOWN_FOR_MS) return images.names;
    const readAt = monotonic();
    const rows = await calls.call({ deadlineMs: LIST_DEADLINE_MS }, abortSignal => docker.listImages({ abortSignal }));
    const names = (rows ?? []).flatMap(row => [row.Id, ...(row.RepoTags ?? []), ...(row.RepoDigests ?? [])]);
    images = { names, readAt };
    return names;
  }

  return {
    observe: async () => {
      const filters = { label: [LABEL.tenant] };
      const [seen, networks, names] = await Promise.all([
        containers(),
        calls.call({ deadlineMs: LIST_DEADLINE_MS }, abortSignal => docker.listNetworks({ filters, abortSignal })),
        imageNames(),
      ]);
      return {
        containers: seen,
        networks: (networks ?? []).flatMap(row => toObservedNetwork(row) ?? []),
        images: names,
      };
    },
    forget: containerId => void known.delete(containerId),
    forgetImages: () => {
      images = undefined;
    },
  };
}
