import { COUNTS } from "@skep/core/workspace/container.ts";
import { readRuleSet, type RuleSet } from "@skep/core/rules/rule-set.ts";
import { limitsOf, type Connector, type WorkspaceId } from "@skep/core/workspace/connector.ts";
import { isSameStore, type FileStore } from "@skep/core/workspace/file-store.ts";
import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import type { MoveFacts } from "@skep/core/workspace/move.ts";
import { scaled } from "@skep/core/workspace/scaled.ts";
import type { Log } from "@skep/kit/log.ts";
import type { ContainerFactory, ReadLease, RunningContainer } from "../host/container.ts";
import type { LoadedRules } from "../host/host-api.ts";
import type { ServedWorkspaces } from "../data/served.ts";
import type { WorkspaceDatabase } from "../database/database.ts";
import type { Database } from "../parts.ts";
import { createLock } from "../events/token.ts";
import { createBoth, type Both } from "../move/both.ts";
import { createMoveHalf, type MoveHalf } from "../move/move-half.ts";
import type { FindPeer } from "../move/peer.ts";
import { createQuiet, type Reading } from "../move/quiet.ts";
import { startStandby, type StandbyPorts } from "./standby.ts";
import type { WebhookTarget } from "../rules/webhook-posting.ts";
import { Container, type ContainerPorts } from "./container.ts";
import type { PartFactories, ScalableDatabase } from "./factories.ts";
import type { WorkspaceContent } from "./real-parts.ts";
import { REMOVED } from "./remove-data.ts";
import type { Orchestrator } from "./orchestrator.ts";
import { manageContainer, SHARED } from "./registry.ts";

/** Asks the schedulers for the rules of a workspace of this host. */
export type LoadRules = (workspaceId: WorkspaceId, signal: AbortSignal) => Promise<LoadedRules>;

/** What the containers of a host are made with. */
export interface HostedOptions extends Required<Pick<ContainerPorts, "clock" | "random" | "log">> {
  readonly loadRules: LoadRules;
  readonly orchestrator: Orchestrator;
  /** Of a shared one whose record says nothing (R17); `undefined` for no bound. */
  readonly messagesPerSecond: number | undefined;
  /** Where the workspaces are entered that have begun. */
  readonly workspaces: ServedWorkspaces;
  /** Finds the other half of one that moves; absent where nothing can move. */
  readonly findPeer?: FindPeer;
  /** Removes the database and the files of a workspace. */
  readonly removeData: (connector: Connector, lease: ReadLease) => Promise<void>;
  /** Makes the parts of one workspace. */
  readonly factories: (content: WorkspaceContent) => PartFactories;
  /** Enters a container where others look for it; among the shared ones where it is absent. */
  readonly register?: (container: Container) => void;
}

const LOAD_MS = 10_000;
const registerShared = (container: Container): void => manageContainer(SHARED, container);

/** Runs the workspaces that a host is given as containers. */
export function createHostedContainers(options: HostedOptions): ContainerFactory {
  return {
    start: async (workspace, lease) => {
      if (workspace.removesData === true) {
        await options.removeData(workspace.connector, lease);
        return REMOVED;
      }
      if (workspace.role === "standby") return startStandby(standbyPorts(options, workspace, lease), workspace);
      const hosted = new Hosted(options, workspace, lease);
      await hosted.begin();
      return hosted;
    },
  };
}

/** A standby has no rules: it reads nothing. */
function standbyPorts(options: HostedOptions, { databasePool }: AssignedWorkspace, lease: ReadLease): StandbyPorts {
  const { clock, workspaces, findPeer } = options;
  const changed = (): void => lease.changed?.();
  return { clock, workspaces, findPeer, changed, factories: options.factories({ databasePool }) };
}

class Hosted implements RunningContainer {
  readonly #options: HostedOptions;
  readonly #lease: ReadLease;
  #workspace: AssignedWorkspace;
  #rules: RuleSet = { rules: [], schemas: new Map() };
  #webhooks: ReadonlyMap<string, WebhookTarget> = new Map();
  #rulesVersion = 0;
  #isClosed = false;
  #container: Container;
  #half: MoveHalf | undefined;

  constructor(options: HostedOptions, workspace: AssignedWorkspace, lease: ReadLease) {
    this.#options = options;
    this.#lease = lease;
    this.#workspace = workspace;
    this.#container = this.#make(workspace);
  }

  async begin(): Promise<void> {
    const container = this.#container;
    try {
      await this.#loadRules(this.#workspace.rulesVersion);
      (this.#options.register ?? registerShared)(container);
      await container.deploy();
      // Before the first message is read: it may have to be stored at the other half, too.
      await this.#half?.follow(this.#workspace.move);
      await container.manage();
    } catch (error) {
      this.#half?.stop();
      await container.drop();
      throw error;
    }
    this.#options.orchestrator.watch(container);
    container.onDrop(this.#serve(container));
  }

  async update(workspace: AssignedWorkspace): Promise<void> {
    const before = this.#workspace;
    this.#workspace = workspace;
    if (needsAnew(before, workspace)) {
      await this.#end();
      if (this.#isClosed) return;
      this.#container = this.#make(workspace);
      return this.begin();
    }
    await this.#half?.follow(workspace.move);
    const [was, is] = [before, workspace].map(one => this.#sized(one)) as [AssignedWorkspace, AssignedWorkspace];
    if (is.databasePool !== was.databasePool) await this.#container.setDatabase({ poolSize: is.databasePool });
    if (is.version !== was.version || is.instances !== was.instances)
      await this.#options.orchestrator.updateConnector(this.#container, is.connector);
    if (!(await this.#loadRules(workspace.rulesVersion))) return;
    this.#container.assembly?.rules.set(this.#rules);
    this.#container.assembly?.rules.setWebhooks(this.#webhooks);
  }

  isHealthy(): boolean {
    return this.#container.isHealthyNow();
  }

  lastError(): string {
    return this.#container.lastError();
  }

  counts(): Readonly<Record<string, number>> {
    const { resourceUsage, uptime } = this.#container.getStats();
    return { ...resourceUsage, [COUNTS.uptime]: Math.floor(uptime / 1000) };
  }

  async close(isDropped = false): Promise<void> {
    this.#isClosed = true;
    await this.#end();
    if (isDropped) await this.#forget();
  }

  /** Whoever gets its id later is not to read what was sent to this one. */
  async #forget(): Promise<void> {
    const { connector } = this.#workspace;
    const { log, factories } = this.#options;
    const { unsubscribe } = factories({ databasePool: this.#workspace.databasePool });
    try {
      await unsubscribe?.({ connector, limits: limitsOf(connector), mayRead: () => false });
    } catch (error) {
      const sentence = "The broker keeps for an hour what was sent to a workspace that is dropped.";
      log.warn("workspace.session-left", sentence, { workspaceId: connector.id, error });
    }
  }

  move(): MoveFacts | undefined {
    return this.#half?.facts();
  }

  /** What is still stored as it ends is stored as before. */
  async #end(): Promise<void> {
    this.#half?.stop();
    await this.#container.drop();
    await this.#half?.close();
  }

  /** Lets who calls from outside find it; answers what ends that. */
  #serve(container: Container): () => void {
    const { id, epoch, connector } = this.#workspace;
    const { database, files } = container.opened;
    if (!canBeAsked(database)) return () => undefined;
    const lock = createLock(id, connector.access.secret, () => this.#options.clock.now());
    const { stored, again } = container.assembly!;
    const mayRead = (): boolean => this.#lease.mayRead();
    const isMoving = (): boolean => this.#workspace.move !== undefined;
    return this.#options.workspaces.add({ id, epoch, database, files, stored, again, lock, mayRead, isMoving });
  }

  #make(workspace: AssignedWorkspace): Container {
    const { clock, random, log } = this.#options;
    const { connector, databasePool } = this.#sized(workspace);
    const parts = this.#options.factories({
      ...{ rules: () => this.#rules, webhooks: () => this.#webhooks, databasePool },
    });
    const factories: PartFactories = {
      ...parts,
      database: async context => {
        const both = createBoth(await parts.database(context));
        this.#half = this.#makeHalf(connector, both);
        return both;
      },
    };
    const mayRead = (): boolean => !this.#isClosed && this.#lease.mayRead();
    return new Container(connector, { factories, clock, random, log, mayRead });
  }

  /** With the bounds that hold here. One that has its host to itself is in nobody's way. */
  #sized(workspace: AssignedWorkspace): AssignedWorkspace {
    const { messagesPerSecond } = this.#options;
    const { config } = workspace.connector;
    const { specs, type } = config.resources;
    if (messagesPerSecond === undefined || type !== "shared" || specs.messagesPerSecond !== undefined)
      return scaled(workspace);
    const resources = { ...config.resources, specs: { ...specs, messagesPerSecond } };
    return scaled({ ...workspace, connector: { ...workspace.connector, config: { ...config, resources } } });
  }

  #makeHalf(connector: Connector, both: ScalableDatabase & Both): MoveHalf {
    const { clock, findPeer } = this.#options;
    const { portable } = both;
    const look = (): Reading | undefined => {
      const counts = this.#container.pipeline?.counts();
      const isConnected = this.#container.getStats().parts.channel?.isConnected === true && this.#lease.mayRead();
      return counts === undefined ? undefined : { read: counts.read, waiting: counts.waiting, isConnected };
    };
    return createMoveHalf({
      ...{ clock, connector, findPeer, portable, both, quiet: createQuiet(clock, look) },
      isSubscribed: () => true,
      isReady: () => both.health().isConnected,
      changed: () => this.#lease.changed?.(),
    });
  }

  /** Answers whether there are others now. What cannot be read is said, and the others stand. */
  async #loadRules(wanted: number): Promise<boolean> {
    if (wanted === this.#rulesVersion) return false;
    const { id } = this.#workspace;
    const { rulesVersion, records, webhooks } = await this.#options.loadRules(id, AbortSignal.timeout(LOAD_MS));
    const { rules, schemas, unread } = readRuleSet(records);
    sayUnread(this.#options.log, id, unread);
    this.#rules = { rules, schemas };
    this.#webhooks = webhooks;
    this.#rulesVersion = rulesVersion;
    return true;
  }
}

/** A twin only stores. */
function canBeAsked(database: Database | undefined): database is WorkspaceDatabase {
  return database !== undefined && "messages" in database;
}

/** Whether a container cannot take it while it runs, or a restart was asked for. */
function needsAnew(before: AssignedWorkspace, { connector, restarts }: AssignedWorkspace): boolean {
  const urlOf = (one: AssignedWorkspace["connector"]): string | undefined => one.config.resources.specs.database.url;
  const filesOf = (one: AssignedWorkspace["connector"]): FileStore | undefined => one.config.resources.specs.files;
  const isElsewhere =
    urlOf(connector) !== urlOf(before.connector) || !isSameStore(filesOf(connector), filesOf(before.connector));
  return restarts !== before.restarts || isElsewhere || connector.access.secret !== before.connector.access.secret;
}

function sayUnread(log: Log, workspaceId: WorkspaceId, unread: ReturnType<typeof readRuleSet>["unread"]): void {
  for (const { record, issues } of unread) {
    const sentence = "A rule or schema cannot be read by this version, and does nothing.";
    log.warn("rule.unread", sentence, { workspaceId, ...record, issues });
  }
}
