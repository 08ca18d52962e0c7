import { isSameStore } from "@skep/core/workspace/file-store.ts";
import { limitsOf, validateConnector, type Connector } from "@skep/core/workspace/connector.ts";
import { SkepError } from "@skep/core/error.ts";
import { systemClock, type Clock } from "@skep/kit/clock.ts";
import { createLog, type Log } from "@skep/kit/log.ts";
import { hideUrlSecrets } from "@skep/kit/url-secrets.ts";
import { systemRandom, type Random } from "@skep/kit/random.ts";
import type { DatabaseChange } from "../database/database.ts";
import { createErrorHandler, type ErrorHandler, type Failure } from "../errors/error-handler.ts";
import type { WorkspaceFiles } from "../files/files.ts";
import type { Part, PartHealth, PartName } from "../parts.ts";
import type { Pipeline } from "../ingest/pipeline.ts";
import { assemble, type Assembly, type AssemblyPorts } from "./assemble.ts";
import type { PartContext, PartFactories } from "./factories.ts";
import { createOpening, type OpenedParts, type Opening } from "./opening.ts";

/** Where a container is in its life (R107). */
export type ContainerStatus = "IDLE" | "DEPLOYING" | "ACTIVE" | "ERROR" | "DROPPED";

/** What a container works with. */
export interface ContainerPorts {
  readonly factories: PartFactories;
  /** The machine's own where it is absent, and so with what follows. */
  readonly clock?: Clock;
  readonly random?: Random;
  /** Lines of JSON on the standard output. */
  readonly log?: Log;
  /** Whether this process owns the workspace; always, where there is no fleet. */
  readonly mayRead?: () => boolean;
}

/** What a container is doing, at one moment (R61..R65, R110). */
export interface ContainerStats {
  readonly status: ContainerStatus;
  /** ms since `deploy` ended; 0 before. */
  readonly uptime: number;
  readonly parts: Readonly<Partial<Record<PartName, PartHealth>>>;
  /** Numbers of the parts and the pipeline, such as `ingest.stored` or `events.sockets`. */
  readonly resourceUsage: Readonly<Record<string, number>>;
  /** In the minute that has just passed, by kind. */
  readonly errorsPerMinute: Readonly<Record<string, number>>;
  /** The latest first. */
  readonly lastErrors: readonly Failure[];
}

/**
 * A workspace in this process (R49): `new Container(connector, ports)`, then `deploy()`, then
 * `manage()`; `drop()` at the end.
 */
export class Container {
  readonly #ports: ContainerPorts & AssemblyPorts;
  readonly #errors: ErrorHandler;
  #connector: Connector;
  #status: ContainerStatus = "IDLE";
  #activeAt = 0;
  #opening: Opening | undefined;
  #assembly: Assembly | undefined;
  readonly #onDrop = new Set<() => void>();

  /** @throws SkepError `invalid_argument` with each thing that is wrong with the connector. */
  constructor(connector: Connector, ports: ContainerPorts) {
    refuseInvalid(connector);
    this.#connector = connector;
    const { clock = systemClock, random = systemRandom, log = plainLog() } = ports;
    this.#ports = { ...ports, clock, random, log };
    this.#errors = createErrorHandler(clock);
  }

  /** The id of its connector. */
  get id(): string {
    return this.#connector.id;
  }

  /** What describes it now. */
  get connector(): Connector {
    return this.#connector;
  }

  /** Where it is in its life. */
  get status(): ContainerStatus {
    return this.#status;
  }

  /**
   * Connects the database, the files and the broker, in this order (R50..R54). Where one fails the
   * others are let go of, in reverse, and the error says which and why (R143..R145).
   */
  async deploy(): Promise<void> {
    this.#expect("deploy", ["IDLE", "ERROR"]);
    this.#become("DEPLOYING");
    const opening = createOpening(this.#ports.factories, this.#context());
    try {
      await opening.connect();
    } catch (error) {
      await opening.undo();
      throw this.#fail("deploy", error);
    }
    this.#opening = opening;
    this.#activeAt = this.#ports.clock.now();
    this.#become("ACTIVE");
  }

  /** Begins query models, rules, error handling and events (R55..R58), and then reads messages. */
  async manage(): Promise<void> {
    this.#expect("manage", ["ACTIVE"]);
    if (this.#assembly !== undefined) throw refused("manage", "it is managed already");
    try {
      this.#assembly = await assemble(this.#opening!, this.#context(), this.#ports, this.#errors);
      this.#bound();
    } catch (error) {
      await this.#opening!.undo();
      this.#opening = undefined;
      throw this.#fail("manage", error);
    }
  }

  /** Whether it is active, all its parts are connected and its messages are stored (R60). */
  async isHealthy(): Promise<boolean> {
    return this.isHealthyNow();
  }

  /** The same at once. */
  isHealthyNow(): boolean {
    const parts = [...this.#parts().values()];
    const isStoring = this.pipeline?.lastError() === "" || this.pipeline === undefined;
    return this.#status === "ACTIVE" && isStoring && parts.every(part => part.health().isConnected);
  }

  /** What it is doing (R61). */
  getStats(): ContainerStats {
    const parts = this.#parts();
    const health = [...parts].map(([name, part]) => [name, part.health()] as const);
    const usage = [...parts].flatMap(([name, part]) =>
      Object.entries(part.counts()).map(([key, value]) => [`${name}.${key}`, value] as const),
    );
    const ingest = Object.entries(this.pipeline?.counts() ?? {}).map(
      ([key, value]) => [`ingest.${key}`, value] as const,
    );
    return {
      status: this.#status,
      uptime: this.#status === "ACTIVE" ? this.#ports.clock.now() - this.#activeAt : 0,
      parts: Object.fromEntries(health),
      resourceUsage: Object.fromEntries([...usage, ...ingest]),
      errorsPerMinute: this.#errors.perMinute(),
      lastErrors: this.#errors.last(),
    };
  }

  /** What failed last; empty where nothing did (R106). */
  lastError(): string {
    const now = [...this.#parts().values()].map(part => part.health()).find(one => !one.isConnected)?.lastError;
    return now ?? this.pipeline?.lastError() ?? this.#errors.last()[0]?.message ?? "";
  }

  /** Rescales the database while it works (R66). */
  async setDatabase(change: DatabaseChange): Promise<void> {
    this.#expect("setDatabase", ["ACTIVE"]);
    await this.#opening!.parts().database!.setDatabase(change);
  }

  /**
   * Takes what has changed of its connector; what cannot change while it runs is refused (R102).
   */
  async update(connector: Connector): Promise<void> {
    refuseInvalid(connector);
    const { specs } = this.#connector.config.resources;
    const next = connector.config.resources.specs;
    if (connector.id !== this.id) throw refused("update", "its id cannot change");
    const isElsewhere = next.database.url !== specs.database.url || !isSameStore(next.files, specs.files);
    if (isElsewhere || connector.access.secret !== this.#connector.access.secret)
      throw refused("update", "its database, its file storage and its secret take effect when it is deployed again");
    this.#connector = connector;
    this.#assembly?.events.setLimits(limitsOf(connector));
    this.#bound();
    if (this.#status === "ACTIVE") await this.#rescale(specs.database, next.database);
  }

  /** The parts that are open, for whoever embeds the container. */
  get assembly(): Assembly | undefined {
    return this.#assembly;
  }

  /** Its files; `undefined` while it is not deployed, and where there is no file storage. */
  get files(): WorkspaceFiles | undefined {
    return this.#opening?.parts().files;
  }

  /** What `deploy` has opened. */
  get opened(): OpenedParts {
    return this.#opening?.parts() ?? {};
  }

  /** What reads messages; `undefined` before `manage`. */
  get pipeline(): Pipeline | undefined {
    return this.#assembly?.pipeline;
  }

  /** Calls it once the container is dropped. */
  onDrop(call: () => void): void {
    this.#onDrop.add(call);
  }

  /**
   * Ends it: no message is read from the first moment on; then events, rules, channel, database and
   * files end in this order (R68..R72), and it leaves the registry (R73). May be called twice.
   */
  async drop(): Promise<void> {
    if (this.#status === "DROPPED") return;
    this.#become("DROPPED");
    const assembly = this.#assembly;
    const opening = this.#opening;
    this.#assembly = undefined;
    this.#opening = undefined;
    await assembly?.close();
    await opening?.close();
    this.#errors.clear();
    for (const call of this.#onDrop) call();
  }

  #bound(): void {
    this.pipeline?.limit(this.#connector.config.resources.specs.messagesPerSecond);
  }

  async #rescale(before: DatabaseSpecs, next: DatabaseSpecs): Promise<void> {
    const change: DatabaseChange = {
      ...(next.size === before.size ? {} : { maxSize: next.size }),
      ...(next.retentionDays === before.retentionDays ? {} : { retentionDays: next.retentionDays ?? "for ever" }),
    };
    if (Object.keys(change).length > 0) await this.setDatabase(change);
  }

  #parts(): ReadonlyMap<PartName, Part> {
    const { database, files, channel } = this.#opening?.parts() ?? {};
    const all: readonly (readonly [PartName, Part | undefined])[] = [
      ["database", database],
      ["files", files],
      ["channel", channel],
      ["rules", this.#assembly?.rules],
      ["events", this.#assembly?.events],
    ];
    return new Map(all.flatMap(([name, part]) => (part === undefined ? [] : [[name, part] as const])));
  }

  #context(): PartContext {
    const mayRead = this.#ports.mayRead ?? ((): boolean => true);
    return { connector: this.#connector, limits: limitsOf(this.#connector), mayRead };
  }

  #become(status: ContainerStatus): void {
    this.#status = status;
    this.#ports.log.info("container.status", `Workspace ${this.id} is ${status}.`, { workspaceId: this.id, status });
  }

  #fail(stage: string, error: unknown): Error {
    this.#errors.record(stage, error);
    this.#become("ERROR");
    const message = hideUrlSecrets(error instanceof Error ? error.message : String(error));
    this.#ports.log.error("container.failed", `Workspace ${this.id} cannot ${stage}.`, {
      workspaceId: this.id,
      message,
    });
    return error instanceof SkepError ? error : new SkepError("unavailable", "CONTAINER_FAILED", message);
  }

  #expect(call: string, allowed: readonly ContainerStatus[]): void {
    if (allowed.includes(this.#status)) return;
    throw refused(call, `it is ${this.#status}, and has to be ${allowed.join(" or ")}`);
  }
}

function plainLog(): Log {
  return createLog({ level: "info", fields: { service: "workspace" } });
}

type DatabaseSpecs = Connector["config"]["resources"]["specs"]["database"];

function refuseInvalid(connector: Connector): void {
  const issues = validateConnector(connector);
  if (issues.length > 0)
    throw new SkepError("invalid_argument", "CONNECTOR_INVALID", "The connector is not valid.", { issues });
}

function refused(call: string, because: string): SkepError {
  return new SkepError("failed_precondition", "CONTAINER_STATE", `${call}() is refused: ${because}.`);
}
