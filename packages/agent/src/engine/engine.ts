import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import type { ContainerNetwork } from "@skep/core/converge/step.ts";
import type { ContainerSpec } from "@skep/core/model/deployment.ts";
import type { Labels } from "@skep/core/model/labels.ts";
import type { Availability, NodeId } from "@skep/core/model/node.ts";
import type { Observed } from "@skep/core/model/observed.ts";

/** What an engine says of itself and of the node it runs on. */
export interface EngineFacts {
  /** Swarm's id of this node; `undefined` where the engine is in no Swarm. */
  readonly nodeId: NodeId | undefined;
  /** The address that Swarm advertises for this node, `""` where there is none. */
  readonly address: string;
  readonly hostname: string;
  /** Whether Swarm's control API answers here, which it does on managers only. */
  readonly manager: boolean;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly architecture: string;
  readonly version: string;
  /** The API version in use, for example `1.41`. */
  readonly apiVersion: string;
  /** Labels of the engine itself (`dockerd --label`). */
  readonly labels: Labels;
  /** A text that changes whenever the engine is started anew. */
  readonly startIdentity: string;
}

/** A container to be made. */
export interface CreateContainer {
  readonly instance: AssignedInstance;
  readonly container: ContainerSpec;
  readonly specHash: string;
  /** The sandbox whose network it joins; `undefined` where it has a network of its own. */
  readonly sandboxId: string | undefined;
  /** Who connects the instance; absent: the engine. */
  readonly network?: ContainerNetwork | undefined;
}

/**
 * An instance's sandbox to be made: it holds the address, with the engine's bridges the host ports
 * as well, and does nothing else.
 */
export interface CreateSandbox {
  readonly instance: AssignedInstance;
  readonly image: string;
  readonly specHash: string;
  readonly network?: ContainerNetwork | undefined;
}

/** A sandbox to be made before anybody needs it. */
export type CreateWarm = Pick<CreateSandbox, "image" | "specHash">;

/** One line of a container's output. */
export interface LogLine {
  readonly stream: "stdout" | "stderr";
  readonly at: number;
  readonly text: string;
}

/** Which lines of a container's output are wanted. */
export interface LogRequest {
  readonly follow: boolean;
  /** The last so many lines; `undefined` for all. */
  readonly tail: number | undefined;
  /** Only lines from this time on, ms since the epoch. */
  readonly sinceAt: number | undefined;
}

/**
 * A command to be run in a running container, as the container's own user and without a terminal.
 */
export interface ExecRequest {
  /** The program and its arguments; at least the program. */
  readonly argv: readonly string[];
  /** All of its standard input. */
  readonly stdin: Uint8Array;
}

/** Something that a command printed, as it wrote it, or its end. */
export type ExecEvent =
  | { readonly kind: "output"; readonly stream: "stdout" | "stderr"; readonly data: Uint8Array }
  | { readonly kind: "exit"; readonly code: number };

/** Progress of a pull, between 0 and 1; `undefined` while sizes are not known. */
export type PullProgress = { readonly share: number | undefined };

/** Name and password for a registry. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly serverAddress: string;
}

/**
 * A hint that something changed: look again. `containerId` names the container, where the hint is
 * about one.
 */
export interface EngineEvent {
  readonly kind: "container" | "network" | "image" | "node" | "reconnected";
  /** The engine's own word: `die`, `start`, `destroy`, `update`. */
  readonly action: string;
  readonly containerId: string | undefined;
  readonly instanceId: string | undefined;
}

/** A Swarm node as a manager lists it. */
export interface SwarmNodeView {
  readonly nodeId: NodeId;
  readonly hostname: string;
  readonly role: "manager" | "worker";
  readonly availability: Availability;
  /** Swarm's own word: `ready`, `down`, `unknown`, `disconnected`. */
  readonly state: string;
  readonly address: string;
  readonly labels: Labels;
  readonly versionIndex: number;
}

/** A change of a Swarm node; fields that are `undefined` stay as they are. */
export interface SwarmNodeUpdate {
  readonly nodeId: NodeId;
  readonly availability: Availability | undefined;
  readonly addLabels: Labels;
  readonly removeLabels: readonly string[];
}

/**
 * A container engine as a port. Every verb has a deadline of its own and fails with an EngineError;
 * none hangs. Only containers, networks and volumes with our labels are ever listed. Verbs that
 * bring about a state succeed where that state already holds: starting what runs, stopping what is
 * stopped, removing what is gone.
 */
export interface Engine {
  /** @throws EngineError `unavailable` or `timeout`. */
  facts(): Promise<EngineFacts>;
  /**
   * Everything with our labels, right now. A list that fails throws: it never answers with less
   * than there is.
   */
  observe(): Promise<Observed>;
  /**
   * Asks the registry for the image with these rights, though it is here already, and makes it
   * usable. Answers the digest of its content, `""` where the engine does not say it; several
   * registries' words come back in the error.
   * @throws EngineError `not_found` for an unknown image, `denied` without right to it, `timeout`
   * without progress.
   */
  pull(image: string, auth: RegistryAuth | undefined, onProgress: (progress: PullProgress) => void): Promise<string>;
  /**
   * Makes the tenant's bridge on this node, with an address block that no other network has; an
   * existing one is kept.
   */
  createNetwork(tenantId: string): Promise<void>;
  /**
   * Makes a pod's sandbox or a container and returns its id; it is not started. Where a container
   * of that name exists already (an answer got lost), that one's id is returned.
   * @throws EngineError `not_found` where the image is missing, SkepError `permission_denied` for
   * what the agent refuses.
   */
  createSandbox(request: CreateSandbox): Promise<string>;
  createContainer(request: CreateContainer): Promise<string>;
  /** Makes a sandbox that is nobody's yet and without a network, and returns its id. */
  createWarm(request: CreateWarm): Promise<string>;
  /**
   * Gives such a sandbox to an instance, for good.
   * @throws EngineError `conflict` where the instance has one, `not_found` where it is gone.
   */
  takeSandbox(containerId: string, instance: AssignedInstance): Promise<void>;
  /**
   * @throws EngineError `port_taken` where the host port is in use, `failed` where the program
   * cannot be run.
   */
  start(containerId: string): Promise<void>;
  /** Sends the stop signal and kills after `graceMs`; resolves once the container has ended. */
  stop(containerId: string, graceMs: number): Promise<void>;
  /** Removes the container whatever it does; its named volumes stay. */
  remove(containerId: string): Promise<void>;
  /** @throws EngineError `conflict` while a container uses it. */
  removeNetwork(name: string): Promise<void>;
  /**
   * Removes a volume with all that is in it.
   * @throws EngineError `conflict` while a container has it.
   */
  removeVolume(name: string): Promise<void>;
  /**
   * The container's output, oldest first. Ends with the container, when `signal` is aborted, or at
   * the last line without `follow`.
   */
  logs(containerId: string, request: LogRequest, signal: AbortSignal): AsyncIterable<LogLine>;
  /**
   * Runs a command in a running container: its output as it comes, then its exit as the last event.
   * Nothing is read ahead of the caller. When `signal` is aborted it ends without an exit;
   * engines cannot end the command itself.
   * @throws EngineError `conflict` where the container does not run, `not_runnable` where the
   * program cannot be started.
   */
  exec(containerId: string, request: ExecRequest, signal: AbortSignal): AsyncIterable<ExecEvent>;
  /**
   * Calls `handle` with hints until closed; reconnects by itself and says `reconnected`, since
   * hints were then missed.
   */
  events(handle: (event: EngineEvent) => void): { close(): void };
  /** The Swarm's nodes; `undefined` where this engine is no manager. */
  swarmNodes(): Promise<readonly SwarmNodeView[] | undefined>;
  /**
   * @throws EngineError `conflict` where the node changed meanwhile, `not_found` for an unknown
   * one.
   */
  updateSwarmNode(update: SwarmNodeUpdate): Promise<void>;
}
