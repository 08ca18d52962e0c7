import { randomUUID } from "node:crypto";
import { withTag } from "@skep/core/model/image.ts";
import Docker from "dockerode";
import type { ContainerCreateOptions } from "dockerode";
import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import type { Observed } from "@skep/core/model/observed.ts";
import { systemClock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { retry } from "@skep/kit/retry.ts";
import { toCreateOptions, toSandboxOptions, toWarmOptions } from "./create-options.ts";
import { createCalls, type Calls } from "./docker-calls.ts";
import { toEngineError } from "./docker-errors.ts";
import { followEvents } from "./docker-events.ts";
import { runExec } from "./docker-exec.ts";
import { createLook, type Look } from "./docker-look.ts";
import { demultiplex } from "./docker-logs.ts";
import { createTenantNetwork } from "./docker-network.ts";
import { followPull } from "./docker-pull.ts";
import { listSwarmNodes, updateNode } from "./docker-swarm.ts";
import type {
  CreateContainer,
  CreateSandbox,
  CreateWarm,
  Engine,
  EngineEvent,
  EngineFacts,
  ExecEvent,
  ExecRequest,
  LogLine,
  LogRequest,
  PullProgress,
  RegistryAuth,
  SwarmNodeUpdate,
  SwarmNodeView,
} from "./engine.ts";
import { EngineError, engineErrorCode } from "./errors.ts";
import { sandboxName, warmName } from "./names.ts";

/** Where the engine is and what it may use. */
export interface DockerOptions {
  /** Path of the engine's socket, for example `/var/run/docker.sock`. */
  readonly socketPath: string;
  /** IPv4 block out of which tenants' bridges get a /24 each, for example `10.201.0.0/16`. */
  readonly networkPool: string;
}

/**
 * The API version that this code was written for. A newer engine serves it for years.
 */
const NEWEST_API = "1.48";
/** Docker 20.10, the oldest engine that still has everything used here. */
const OLDEST_API = "1.41";

const DEADLINE_MS = 15_000;
/** A start includes the network set-up, which takes seconds on a busy node. */
const START_DEADLINE_MS = 60_000;
/** A pull may take long, but not without a sign of life. */
const PULL_SILENCE_MS = 60_000;

/**
 * Reaches the engine, agrees with it on an API version, and returns it as the port.
 * @throws EngineError `unavailable` where nothing answers at the socket, `failed` where the engine
 * is too old.
 */
export async function openDocker(options: DockerOptions): Promise<Engine> {
  const calls = createCalls(() => systemClock.monotonic());
  const plain = new Docker({ socketPath: options.socketPath });
  const version = await calls.call({ deadlineMs: DEADLINE_MS }, () => plain.version());
  const apiVersion = lower(version?.ApiVersion ?? OLDEST_API, NEWEST_API);
  if (lower(apiVersion, OLDEST_API) !== OLDEST_API) {
    throw new EngineError(
      "failed",
      `The engine at ${options.socketPath} is Docker ${version?.Version} with API ${apiVersion}, but ${OLDEST_API} or newer is needed: install Docker 20.10 or newer.`,
    );
  }
  return new DockerEngine(
    new Docker({ socketPath: options.socketPath, version: `v${apiVersion}` }),
    calls,
    apiVersion,
    options,
  );
}

/**
 * As `openDocker`, but waits while nothing answers at the socket: engines are restarted while
 * agents run.
 */
export function awaitDocker(options: DockerOptions, log: Log, signal: AbortSignal): Promise<Engine> {
  const policy = {
    baseMs: 500,
    maxMs: 2_000,
    isTransient: (error: unknown) => engineErrorCode(error) !== "failed",
    onRetry: (error: unknown, attempt: number) => {
      if (attempt === 1) log.warn("engine.awaited", `Waiting for an engine at ${options.socketPath}.`, { error });
    },
  };
  return retry(() => openDocker(options), policy, systemClock, signal);
}

class DockerEngine implements Engine {
  readonly #docker: Docker;
  readonly #calls: Calls;
  readonly #look: Look;
  readonly #apiVersion: string;
  readonly #networkPool: string;
  #hostname = "";
  /** Networks are made one after the other, so that two tenants never reach for the same block. */
  #network: Promise<void> = Promise.resolve();

  constructor(docker: Docker, calls: Calls, apiVersion: string, options: DockerOptions) {
    this.#docker = docker;
    this.#calls = calls;
    this.#look = createLook(docker, calls, () => systemClock.monotonic());
    this.#apiVersion = apiVersion;
    this.#networkPool = options.networkPool;
  }

  async facts(): Promise<EngineFacts> {
    const [info, bridge] = await Promise.all([
      this.#calls.call({ deadlineMs: DEADLINE_MS }, () => this.#docker.info() as Promise<RawInfo>),
      // The engine makes its default bridge anew whenever it starts, and says nothing else that
      // tells one start from the next.
      this.#calls
        .call({ deadlineMs: DEADLINE_MS }, () => this.#docker.getNetwork("bridge").inspect())
        .catch(() => undefined),
    ]);
    this.#hostname = info?.Name ?? "";
    return {
      nodeId: info?.Swarm?.NodeID === "" ? undefined : info?.Swarm?.NodeID,
      address: info?.Swarm?.NodeAddr ?? "",
      hostname: this.#hostname,
      manager: info?.Swarm?.ControlAvailable === true,
      cores: info?.NCPU ?? 1,
      memoryBytes: info?.MemTotal ?? 0,
      os: info?.OSType ?? "linux",
      architecture: info?.Architecture ?? "",
      version: info?.ServerVersion ?? "",
      apiVersion: this.#apiVersion,
      labels: Object.fromEntries((info?.Labels ?? []).map(splitLabel)),
      startIdentity: bridge === undefined ? "" : `${bridge.Id} ${bridge.Created}`,
    };
  }

  observe(): Promise<Observed> {
    return this.#look.observe();
  }

  async pull(
    image: string,
    auth: RegistryAuth | undefined,
    onProgress: (progress: PullProgress) => void,
  ): Promise<string> {
    const stop = new AbortController();
    let cancel = systemClock.timer(PULL_SILENCE_MS, () => stop.abort());
    const alive = (progress: PullProgress): void => {
      cancel();
      cancel = systemClock.timer(PULL_SILENCE_MS, () => stop.abort());
      onProgress(progress);
    };
    try {
      const authconfig =
        auth === undefined
          ? {}
          : { authconfig: { username: auth.username, password: auth.password, serveraddress: auth.serverAddress } };
      const stream = await this.#docker.pull(withTag(image), { ...authconfig, abortSignal: stop.signal });
      return await followPull(stream as AsyncIterable<Buffer>, alive);
    } catch (error) {
      if (stop.signal.aborted)
        throw new EngineError("timeout", `the registry of ${image} sent nothing for ${PULL_SILENCE_MS / 1000} s`);
      throw toEngineError(error);
    } finally {
      cancel();
      this.#look.forgetImages();
    }
  }

  createNetwork(tenantId: string): Promise<void> {
    const made = this.#network
      .then(() => createTenantNetwork(this.#docker, this.#calls, tenantId, this.#networkPool))
      .finally(() => this.#look.forgetNetworks());
    this.#network = made.catch(() => undefined);
    return made;
  }

  createSandbox(request: CreateSandbox): Promise<string> {
    return this.#create(toSandboxOptions(request));
  }

  async createContainer(request: CreateContainer): Promise<string> {
    if (this.#hostname === "") await this.facts();
    return this.#create(toCreateOptions(request, { hostname: this.#hostname }));
  }

  createWarm(request: CreateWarm): Promise<string> {
    return this.#create(toWarmOptions(request, warmName(randomUUID().slice(0, 13))));
  }

  async takeSandbox(containerId: string, { instanceId, epoch, release }: AssignedInstance): Promise<void> {
    const name = sandboxName(instanceId, epoch, release);
    await this.#about(containerId, DEADLINE_MS, abortSignal =>
      this.#docker.getContainer(containerId).rename({ name, abortSignal }),
    );
  }

  async start(containerId: string): Promise<void> {
    await this.#about(containerId, START_DEADLINE_MS, abortSignal =>
      this.#docker.getContainer(containerId).start({ abortSignal }),
    );
  }

  async stop(containerId: string, graceMs: number): Promise<void> {
    const t = Math.ceil(graceMs / 1000);
    await this.#about(containerId, graceMs + DEADLINE_MS, abortSignal =>
      this.#docker.getContainer(containerId).stop({ t, abortSignal }),
    ).catch(unlessGone);
  }

  async remove(containerId: string): Promise<void> {
    const options = { force: true, v: true };
    await this.#about(containerId, START_DEADLINE_MS, abortSignal =>
      this.#docker.getContainer(containerId).remove({ ...options, abortSignal }),
    ).catch(unlessGone);
  }

  async removeNetwork(name: string): Promise<void> {
    await this.#calls
      .call({ deadlineMs: DEADLINE_MS }, abortSignal => this.#docker.getNetwork(name).remove({ abortSignal }))
      .catch(unlessGone)
      .finally(() => this.#look.forgetNetworks());
  }

  async removeVolume(name: string): Promise<void> {
    await this.#calls
      .call({ deadlineMs: START_DEADLINE_MS }, abortSignal => this.#docker.getVolume(name).remove({ abortSignal }))
      .catch(unlessGone)
      .finally(() => this.#look.forgetVolumes());
  }

  async *logs(containerId: string, request: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine> {
    const container = this.#docker.getContainer(containerId);
    // A caller that follows ends the stream by the signal; a mere read must not hang.
    const ending = request.follow ? signal : AbortSignal.any([signal, AbortSignal.timeout(START_DEADLINE_MS)]);
    const options = {
      stdout: true,
      stderr: true,
      timestamps: true,
      abortSignal: ending,
      ...(request.tail === undefined ? {} : { tail: request.tail }),
      ...(request.sinceAt === undefined ? {} : { since: (request.sinceAt / 1000).toFixed(3) }),
    };
    try {
      const output = request.follow
        ? await container.logs({ ...options, follow: true })
        : [await container.logs({ ...options, follow: false })];
      yield* demultiplex(output as AsyncIterable<Buffer> | Buffer[]);
    } catch (error) {
      if (!signal.aborted) throw toEngineError(error);
    }
  }

  exec(containerId: string, request: ExecRequest, signal: AbortSignal): AsyncIterable<ExecEvent> {
    return runExec(this.#docker, this.#calls, containerId, request, signal);
  }

  events(handle: (event: EngineEvent) => void): { close(): void } {
    return followEvents(this.#docker, event => {
      if (event.containerId !== undefined) this.#look.forget(event.containerId);
      if (event.kind === "image" || event.kind === "reconnected") this.#look.forgetImages();
      if (isNewsOfNetworks(event)) this.#look.forgetNetworks();
      handle(event);
    });
  }

  swarmNodes(): Promise<readonly SwarmNodeView[] | undefined> {
    return listSwarmNodes(this.#docker, this.#calls);
  }

  updateSwarmNode(update: SwarmNodeUpdate): Promise<void> {
    return updateNode(this.#docker, this.#calls, update);
  }

  async #create(options: ContainerCreateOptions): Promise<string> {
    try {
      const made = await this.#calls.call({ deadlineMs: START_DEADLINE_MS }, abortSignal =>
        this.#docker.createContainer({ ...options, abortSignal }),
      );
      if ((options.HostConfig?.Mounts ?? []).length > 0) this.#look.forgetVolumes();
      return made?.id ?? "";
    } catch (error) {
      // It may be the network that is gone, without an event that said so.
      this.#look.forgetNetworks();
      if (engineErrorCode(error) !== "conflict") throw error;
      // The name is taken: an earlier create was carried out though its answer got lost.
      const existing = await this.#calls.call({ deadlineMs: DEADLINE_MS }, () =>
        this.#docker.getContainer(options.name ?? "").inspect(),
      );
      if (existing === undefined) throw error;
      return existing.Id;
    }
  }

  async #about<T>(containerId: string, deadlineMs: number, run: (signal: AbortSignal) => Promise<T>): Promise<void> {
    try {
      await this.#calls.call({ deadlineMs, containerId }, run);
    } finally {
      this.#look.forget(containerId);
    }
  }
}

/** What `docker info` says, as far as it is read here. */
interface RawInfo {
  readonly Name?: string;
  readonly NCPU?: number;
  readonly MemTotal?: number;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly ServerVersion?: string;
  readonly Labels?: readonly string[];
  readonly Swarm?: { readonly NodeID?: string; readonly NodeAddr?: string; readonly ControlAvailable?: boolean };
}

/**
 * Each start and each end of a container connects or disconnects it, which changes no list of
 * networks.
 */
function isNewsOfNetworks({ kind, action }: EngineEvent): boolean {
  return kind === "reconnected" || (kind === "network" && action !== "connect" && action !== "disconnect");
}

function unlessGone(error: unknown): void {
  if (engineErrorCode(error) !== "not_found") throw error;
}

function splitLabel(label: string): [string, string] {
  const at = label.indexOf("=");
  return at < 0 ? [label, ""] : [label.slice(0, at), label.slice(at + 1)];
}

/** The lower of two API versions such as `1.41` and `1.9`. */
function lower(one: string, other: string): string {
  const [a = 0, b = 0] = one.split(".").map(Number);
  const [c = 0, d = 0] = other.split(".").map(Number);
  return a < c || (a === c && b < d) ? one : other;
}
