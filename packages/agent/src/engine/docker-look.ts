import type { Observed, ObservedContainer, ObservedNetwork, ObservedVolume } from "@skep/core/model/observed.ts";
import type Docker from "dockerode";
import type { ContainerInfo } from "dockerode";
import type { Calls } from "./docker-calls.ts";
import { engineErrorCode } from "./errors.ts";
import { LABEL, toObservedVolume } from "./labels.ts";
import { toLifetime, toObservedContainer, toObservedNetwork, toWarmSandbox, type Lifetime } from "./observed.ts";

/**
 * Looks at the engine: one list of containers per look, all else only where it changed or has been
 * known for long.
 */
export interface Look {
  observe(): Promise<Observed>;
  /** What was known of this container is stale: an event came, or a verb was carried out. */
  forget(containerId: string): void;
  /** The list of images is stale. */
  forgetImages(): void;
  /** The list of networks is stale. */
  forgetNetworks(): void;
  /** The list of volumes is stale. */
  forgetVolumes(): void;
}

interface Known {
  readonly state: string;
  readonly lifetime: Lifetime;
  readonly readAt: number;
}

const LIST_DEADLINE_MS = 15_000;
const INSPECT_DEADLINE_MS = 3_000;
/**
 * Events may be lost; after this time a container is inspected again though nothing seemed to
 * happen.
 */
const KNOWN_FOR_MS = 30_000;
const UNKNOWN: Lifetime = { exitCode: undefined, oomKilled: false, startedAt: undefined, finishedAt: undefined };

/** Makes a look over the engine's lists; `monotonic` gives milliseconds that never go back. */
export function createLook(docker: Docker, calls: Calls, monotonic: () => number): Look {
  const known = new Map<string, Known>();
  const images = keep(readImages, monotonic);
  const networks = keep(readNetworks, monotonic);
  const volumes = keep(() => readVolumes(docker, calls), monotonic);

  async function inspect(row: ContainerInfo): Promise<ObservedContainer | undefined> {
    // Nothing has happened yet to one that was never started: the row says it all.
    if (row.State === "created") return toObservedContainer(row, UNKNOWN);
    const before = known.get(row.Id);
    if (before?.state === row.State && monotonic() - before.readAt < KNOWN_FOR_MS) {
      return toObservedContainer(row, before.lifetime);
    }
    const readAt = monotonic();
    try {
      const limits = { deadlineMs: INSPECT_DEADLINE_MS, containerId: row.Id };
      const info = await calls.call(limits, abortSignal => docker.getContainer(row.Id).inspect({ abortSignal }));
      if (info === undefined) return toObservedContainer(row, UNKNOWN);
      // An engine tells of a container's end before its list shows it; the inspect, which waits for
      // the container, is right.
      const state = info.State.Status;
      const lifetime = toLifetime(info);
      known.set(row.Id, { state, lifetime, readAt });
      return toObservedContainer({ ...row, State: state }, lifetime);
    } catch (error) {
      // A container that does not answer must not hide the others: it is shown as the list has it.
      return engineErrorCode(error) === "not_found" ? undefined : toObservedContainer(row, before?.lifetime ?? UNKNOWN);
    }
  }

  async function containers(): Promise<Pick<Observed, "containers" | "warm">> {
    const filters = { label: [LABEL.instance] };
    const rows = await calls.call({ deadlineMs: LIST_DEADLINE_MS }, abortSignal =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    const warm = (rows ?? []).flatMap(row => toWarmSandbox(row) ?? []);
    const nobodys = new Set(warm.map(one => one.id));
    const seen = await Promise.all((rows ?? []).filter(row => !nobodys.has(row.Id)).map(inspect));
    const present = new Set(rows?.map(row => row.Id));
    for (const id of known.keys()) if (!present.has(id)) known.delete(id);
    return { containers: seen.filter(container => container !== undefined), warm };
  }

  async function readImages(): Promise<readonly string[]> {
    const rows = await calls.call({ deadlineMs: LIST_DEADLINE_MS }, abortSignal => docker.listImages({ abortSignal }));
    return (rows ?? []).flatMap(row => [row.Id, ...(row.RepoTags ?? []), ...(row.RepoDigests ?? [])]);
  }

  async function readNetworks(): Promise<readonly ObservedNetwork[]> {
    const options = { filters: { label: [LABEL.tenant] } };
    const rows = await calls.call({ deadlineMs: LIST_DEADLINE_MS }, abortSignal =>
      docker.listNetworks({ ...options, abortSignal }),
    );
    return (rows ?? []).flatMap(row => toObservedNetwork(row) ?? []);
  }

  return {
    observe: async () => {
      const lists = [containers(), networks.read(), volumes.read(), images.read()] as const;
      const [seen, theirNetworks, theirVolumes, names] = await Promise.all(lists);
      return { ...seen, networks: theirNetworks, volumes: theirVolumes, images: names };
    },
    forget: containerId => void known.delete(containerId),
    forgetImages: images.forget,
    forgetNetworks: networks.forget,
    forgetVolumes: volumes.forget,
  };
}

async function readVolumes(docker: Docker, calls: Calls): Promise<readonly ObservedVolume[]> {
  const options = { filters: { label: [LABEL.volume] } };
  const found = await calls.call({ deadlineMs: LIST_DEADLINE_MS }, abortSignal =>
    docker.listVolumes({ ...options, abortSignal }),
  );
  return (found?.Volumes ?? []).flatMap(row => toObservedVolume(row.Name, row.Labels) ?? []);
}

/**
 * A list that changes rarely and says so: it is read again when it is stale, or has been kept for
 * long.
 */
function keep<T>(read: () => Promise<T>, monotonic: () => number): { read(): Promise<T>; forget(): void } {
  let kept: { readonly value: T; readonly readAt: number } | undefined;
  let forgotten = 0;
  return {
    read: async () => {
      if (kept !== undefined && monotonic() - kept.readAt < KNOWN_FOR_MS) return kept.value;
      const [readAt, before] = [monotonic(), forgotten];
      const value = await read();
      // What became stale while it was read is not kept.
      if (before === forgotten) kept = { value, readAt };
      return value;
    },
    forget: () => {
      kept = undefined;
      forgotten++;
    },
  };
}
