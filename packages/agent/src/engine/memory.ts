import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import type { ContainerSpec } from "@skep/core/model/deployment.ts";
import type { Health } from "@skep/core/model/instance.ts";
import type { Labels } from "@skep/core/model/labels.ts";
import type { Observed, ObservedVolume } from "@skep/core/model/observed.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { ContainerCreateOptions } from "dockerode";
import { toCreateOptions, toSandboxOptions, toWarmOptions } from "./create-options.ts";
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
import { EngineError } from "./errors.ts";
import { identityOf, LABEL, toObservedVolume } from "./labels.ts";
import { parsePorts } from "./ports.ts";
import { playCommand, type MemoryCommand } from "./memory-exec.ts";
import { createMemoryLog, type MemoryLog } from "./memory-log.ts";
import { networkName, sandboxName, warmName } from "./names.ts";
import { hostPortsOf, toObserved, toWarm, type MemoryContainer, type MemoryProgram } from "./memory-container.ts";

/** How long the twin's verbs take, in milliseconds. */
export interface MemoryDelays {
  readonly pullMs: number;
  readonly createMs: number;
  readonly renameMs: number;
  readonly startMs: number;
  readonly stopMs: number;
}

/** What a twin is made of. */
export interface MemoryEngineOptions {
  readonly clock: Clock;
  readonly facts: EngineFacts;
  /** Images that its registry has; all others are unknown. */
  readonly registry: ReadonlySet<string>;
  /** Whether its registry lets somebody pull an image; everybody without this. */
  readonly mayPull?: (image: string, auth: RegistryAuth | undefined) => boolean;
  /** Images that are there without a pull. */
  readonly images?: readonly string[];
  readonly delays?: Partial<MemoryDelays>;
  readonly programs?: (container: ContainerSpec) => MemoryProgram;
  /**
   * What commands in its containers do; `undefined` for a program that no container has, which is
   * all without this.
   */
  readonly commands?: (request: ExecRequest) => MemoryCommand | undefined;
  /** The Swarm as this engine's managers see it; absent on workers. */
  readonly swarm?: Map<string, SwarmNodeView>;
}

const DEFAULT_DELAYS: MemoryDelays = { pullMs: 500, createMs: 10, renameMs: 5, startMs: 200, stopMs: 100 };
/** The deadline that a call about a hung container runs into. */
const HANG_MS = 10_000;
const FOREVER: MemoryProgram = { lines: [], runsMs: undefined, exitCode: 0 };

/**
 * The twin: an engine that is a Map on the given clock, with the strings by which a test or the
 * simulator plays the world.
 */
export class MemoryEngine implements Engine {
  readonly #options: MemoryEngineOptions;
  readonly #clock: Clock;
  readonly #containers = new Map<string, MemoryContainer>();
  readonly #networks = new Map<string, string>();
  /** Labels of each volume by its name. */
  readonly #volumes = new Map<string, Labels>();
  readonly #images: Set<string>;
  readonly #logs = new Map<string, MemoryLog>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #hung = new Set<string>();
  #delays: MemoryDelays;
  #available = true;
  #starts = 1;
  #made = 0;

  constructor(options: MemoryEngineOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#images = new Set(options.images ?? []);
    this.#delays = { ...DEFAULT_DELAYS, ...options.delays };
  }

  async facts(): Promise<EngineFacts> {
    await this.#pass(0);
    const { facts } = this.#options;
    return { ...facts, startIdentity: `${facts.startIdentity}-${this.#starts}` };
  }

  async observe(): Promise<Observed> {
    await this.#pass(0);
    return {
      containers: [...this.#containers.values()].flatMap(container => toObserved(container) ?? []),
      warm: [...this.#containers.values()].flatMap(container => toWarm(container) ?? []),
      networks: [...this.#networks].map(([name, tenantId]) => ({ id: name, name, tenantId })),
      volumes: this.volumes(),
      images: [...this.#images],
    };
  }

  async pull(
    image: string,
    auth: RegistryAuth | undefined,
    onProgress: (progress: PullProgress) => void,
  ): Promise<string> {
    await this.#pass(this.#delays.pullMs / 2);
    if (!this.#options.registry.has(image)) {
      throw new EngineError("not_found", `manifest for ${image} not found: manifest unknown`);
    }
    if (this.#options.mayPull?.(image, auth) === false)
      throw new EngineError("denied", `pull access denied for ${image}`);
    onProgress({ share: 0.5 });
    await this.#pass(this.#delays.pullMs / 2);
    this.#images.add(image);
    return `sha256:${image}`;
  }

  async createNetwork(tenantId: string): Promise<void> {
    await this.#pass(this.#delays.createMs);
    this.#networks.set(networkName(tenantId), tenantId);
  }

  async createSandbox(request: CreateSandbox): Promise<string> {
    return this.#create(toSandboxOptions(request), FOREVER);
  }

  async createContainer(request: CreateContainer): Promise<string> {
    const program = this.#options.programs?.(request.container) ?? FOREVER;
    return this.#create(toCreateOptions(request, this.#options.facts), program);
  }

  async createWarm(request: CreateWarm): Promise<string> {
    return this.#create(toWarmOptions(request, warmName(String(this.#made))), FOREVER);
  }

  async takeSandbox(containerId: string, { instanceId, epoch, release }: AssignedInstance): Promise<void> {
    await this.#pass(this.#delays.renameMs, containerId);
    const container = this.#find(containerId);
    const name = sandboxName(instanceId, epoch, release);
    for (const other of this.#containers.values())
      if (other.name === name) throw new EngineError("conflict", `The container name "/${name}" is already in use`);
    container.name = name;
    container.identity = identityOf(name, container.labels);
    this.#tellOf(container, "rename");
  }

  async start(containerId: string): Promise<void> {
    await this.#pass(this.#delays.startMs, containerId);
    const container = this.#find(containerId);
    if (container.state === "running") return;
    this.#checkStart(container);
    this.#run(container);
  }

  async stop(containerId: string, graceMs: number): Promise<void> {
    await this.#pass(Math.min(this.#delays.stopMs, graceMs), containerId);
    const container = this.#containers.get(containerId);
    if (container !== undefined) this.#end(container, 143);
  }

  async remove(containerId: string): Promise<void> {
    await this.#pass(this.#delays.createMs, containerId);
    if (this.#containers.has(containerId)) this.removeOutside(containerId);
  }

  async removeNetwork(name: string): Promise<void> {
    await this.#pass(this.#delays.createMs);
    for (const { labels, joins } of this.#containers.values()) {
      if (joins === undefined && networkName(labels[LABEL.tenant] ?? "") === name) {
        throw new EngineError("conflict", `network ${name} has active endpoints`);
      }
    }
    this.#networks.delete(name);
  }

  async removeVolume(name: string): Promise<void> {
    await this.#pass(this.#delays.createMs);
    if ([...this.#containers.values()].some(container => container.mounts.includes(name)))
      throw new EngineError("conflict", `remove ${name}: volume is in use`);
    this.#volumes.delete(name);
  }

  async *logs(containerId: string, request: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine> {
    await this.#pass(0, containerId);
    this.#find(containerId);
    const log = this.#logs.get(containerId);
    if (log !== undefined)
      yield* log.read({ ...request, follow: request.follow && this.#find(containerId).state === "running" }, signal);
  }

  async *exec(containerId: string, request: ExecRequest, signal: AbortSignal): AsyncGenerator<ExecEvent> {
    await this.#pass(0, containerId);
    const { state, id } = this.#find(containerId);
    if (state !== "running") throw new EngineError("conflict", `Container ${id} is not running`);
    yield* playCommand(this.#options.commands?.(request), request, this.#clock, signal);
  }

  events(handle: (event: EngineEvent) => void): { close(): void } {
    this.#listeners.add(handle);
    return { close: () => void this.#listeners.delete(handle) };
  }

  async swarmNodes(): Promise<readonly SwarmNodeView[] | undefined> {
    await this.#pass(0);
    return this.#options.facts.manager ? [...(this.#options.swarm?.values() ?? [])] : undefined;
  }

  async updateSwarmNode(update: SwarmNodeUpdate): Promise<void> {
    await this.#pass(0);
    const { swarm } = this.#options;
    const node = swarm?.get(update.nodeId);
    if (swarm === undefined || node === undefined)
      throw new EngineError("not_found", `node ${update.nodeId} not found`);
    swarm.set(update.nodeId, changedNode(node, update));
    this.#tell({ kind: "node", action: "update", containerId: undefined, instanceId: undefined });
  }

  /** Ends a running container as its program would. */
  crash(containerId: string, exitCode: number): void {
    this.#end(this.#find(containerId), exitCode);
  }

  /** Removes a container behind the agent's back. */
  removeOutside(containerId: string): void {
    const container = this.#find(containerId);
    this.#end(container, 137);
    this.#containers.delete(containerId);
    this.#tellOf(container, "destroy");
  }

  /** Makes a running container with these labels that nobody asked for; returns its id. */
  plant(labels: Labels): string {
    const name = `planted-${this.#made}`;
    const container = this.#add({ name, labels, program: FOREVER, joins: undefined, mounts: [] });
    this.#run(container);
    return container.id;
  }

  /** From now on, or no longer, every call about this container runs into its deadline. */
  hang(containerId: string, hung: boolean): void {
    if (hung) this.#hung.add(containerId);
    else this.#hung.delete(containerId);
  }

  /** Sets what the engine's own health check says. */
  setHealth(containerId: string, health: Health): void {
    const container = this.#find(containerId);
    container.health = health;
    this.#tellOf(container, "health_status");
  }

  /** Lets every call fail with `unavailable` until set back. */
  setAvailable(available: boolean): void {
    this.#available = available;
    if (available)
      this.#tell({ kind: "reconnected", action: "reconnected", containerId: undefined, instanceId: undefined });
  }

  /** The engine restarts: containers end, its start identity changes. */
  restart(): void {
    this.#starts++;
    for (const container of this.#containers.values()) this.#end(container, 137);
    this.#tell({ kind: "reconnected", action: "reconnected", containerId: undefined, instanceId: undefined });
  }

  /** Changes how long verbs take from now on. */
  setDelays(delays: Partial<MemoryDelays>): void {
    this.#delays = { ...this.#delays, ...delays };
  }

  /** The volumes as they are, which outlive containers, restarts and power cuts. */
  volumes(): readonly ObservedVolume[] {
    return [...this.#volumes].flatMap(([name, labels]) => toObservedVolume(name, labels) ?? []);
  }

  /** The containers as they are, for checks that must not go through the port. */
  containers(): readonly MemoryContainer[] {
    return [...this.#containers.values()];
  }

  async #pass(delayMs: number, containerId?: string): Promise<void> {
    if (!this.#available) throw new EngineError("unavailable", "the engine does not answer");
    if (containerId !== undefined && this.#hung.has(containerId)) {
      await this.#clock.sleep(HANG_MS);
      throw new EngineError("timeout", `the engine did not answer within ${HANG_MS} ms`);
    }
    if (delayMs > 0) await this.#clock.sleep(delayMs);
    if (!this.#available) throw new EngineError("unavailable", "the engine went away");
  }

  #tell(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #tellOf(container: MemoryContainer, action: string): void {
    this.#tell({ kind: "container", action, containerId: container.id, instanceId: container.labels[LABEL.instance] });
  }

  #find(containerId: string): MemoryContainer {
    const container = this.#containers.get(containerId);
    if (container === undefined) throw new EngineError("not_found", `No such container: ${containerId}`);
    return container;
  }

  async #create(body: ContainerCreateOptions, program: MemoryProgram): Promise<string> {
    await this.#pass(this.#delays.createMs);
    const name = body.name ?? "";
    for (const container of this.#containers.values()) if (container.name === name) return container.id;
    if (!this.#images.has(body.Image ?? "")) throw new EngineError("not_found", `No such image: ${body.Image}`);
    const network = body.HostConfig?.NetworkMode ?? "";
    const joins = network.startsWith("container:") ? network.slice("container:".length) : undefined;
    if (joins === undefined && network !== "none" && !this.#networks.has(network)) {
      throw new EngineError("not_found", `network ${network} not found`);
    }
    const mounts = body.HostConfig?.Mounts ?? [];
    for (const { Source, VolumeOptions } of mounts)
      if (!this.#volumes.has(Source)) this.#volumes.set(Source, VolumeOptions?.Labels ?? {});
    return this.#add({ name, labels: body.Labels ?? {}, program, joins, mounts: mounts.map(one => one.Source) }).id;
  }

  #add(made: Pick<MemoryContainer, "name" | "labels" | "program" | "joins" | "mounts">): MemoryContainer {
    // Sixty-four hexadecimal digits, as real ids are, so that both pass the same checks.
    const id = (++this.#made).toString(16).padStart(8, "0").repeat(8);
    const container: MemoryContainer = {
      ...made,
      id,
      identity: identityOf(made.name, made.labels),
      ports: parsePorts(made.labels[LABEL.ports]),
      state: "created",
      exitCode: undefined,
      health: "none",
      createdAt: this.#clock.now(),
      startedAt: undefined,
      finishedAt: undefined,
      runs: 0,
      cancelExit: undefined,
    };
    this.#containers.set(id, container);
    this.#logs.set(id, createMemoryLog());
    this.#tellOf(container, "create");
    return container;
  }

  #checkStart(container: MemoryContainer): void {
    if (container.joins !== undefined && this.#containers.get(container.joins)?.state !== "running") {
      throw new EngineError("conflict", `cannot join network of a non running container: ${container.joins}`);
    }
    const wanted = container.joins === undefined ? hostPortsOf(container) : [];
    for (const other of this.#containers.values()) {
      if (other === container || other.state !== "running" || other.joins !== undefined) continue;
      const taken = wanted.find(port => hostPortsOf(other).includes(port));
      if (taken !== undefined) {
        throw new EngineError("port_taken", `Bind for 0.0.0.0:${taken} failed: port is already allocated`);
      }
    }
  }

  #run(container: MemoryContainer): void {
    const { runsMs, exitCode, lines } = container.program;
    Object.assign(container, { state: "running", exitCode: undefined, startedAt: this.#clock.now() });
    container.runs++;
    for (const text of lines) this.#logs.get(container.id)?.write({ stream: "stdout", at: this.#clock.now(), text });
    if (runsMs !== undefined) container.cancelExit = this.#clock.timer(runsMs, () => this.#end(container, exitCode));
    this.#tellOf(container, "start");
  }

  #end(container: MemoryContainer, exitCode: number): void {
    if (container.state !== "running") return;
    container.cancelExit?.();
    Object.assign(container, { state: "exited", exitCode, finishedAt: this.#clock.now(), cancelExit: undefined });
    this.#logs.get(container.id)?.end();
    this.#tellOf(container, "die");
  }
}

function changedNode(node: SwarmNodeView, update: SwarmNodeUpdate): SwarmNodeView {
  const kept = Object.entries(node.labels).filter(([key]) => !update.removeLabels.includes(key));
  return {
    ...node,
    availability: update.availability ?? node.availability,
    labels: { ...Object.fromEntries(kept), ...update.addLabels },
    versionIndex: node.versionIndex + 1,
  };
}
