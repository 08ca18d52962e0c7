import { limitsOf } from "@skep/core/workspace/connector.ts";
import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import type { MoveFacts } from "@skep/core/workspace/move.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { PartFactories, PartContext, ScalableDatabase } from "./factories.ts";
import type { ServedWorkspaces } from "../data/served.ts";
import { hideUrlSecrets } from "@skep/kit/url-secrets.ts";
import { createLock } from "../events/token.ts";
import type { RunningContainer } from "../host/container.ts";
import { createMoveHalf, type MoveHalf } from "../move/move-half.ts";
import type { FindPeer } from "../move/peer.ts";

/** What a standby works with. */
export interface StandbyPorts {
  readonly clock: Clock;
  readonly factories: PartFactories;
  readonly findPeer: FindPeer | undefined;
  readonly workspaces: ServedWorkspaces;
  /** Called when something is worth telling at once. */
  readonly changed: () => void;
}

/** The session is looked after this often: a broker that lost it gets it again. */
const SUBSCRIBE_MS = 10_000;
const AGAIN_MS = 1_000;

/**
 * The half of a workspace that moves which reads nothing: its database is open to the other half,
 * and its broker keeps what devices send. When it rejects, nothing is left open.
 */
export async function startStandby(ports: StandbyPorts, workspace: AssignedWorkspace): Promise<RunningContainer> {
  const { connector } = workspace;
  const context: PartContext = { connector, limits: limitsOf(connector), mayRead: () => false };
  const database = await ports.factories.database(context);
  const standby = new Standby(ports, workspace, database, context);
  await standby.follow(workspace);
  return standby;
}

class Standby implements RunningContainer {
  readonly #ports: StandbyPorts;
  readonly #database: ScalableDatabase;
  readonly #half: MoveHalf;
  readonly #ending = new AbortController();
  readonly #subscribing: Promise<void>;
  readonly #unserve: () => void;
  #workspace: AssignedWorkspace;
  #isSubscribed = false;
  #lastError = "";

  constructor(ports: StandbyPorts, workspace: AssignedWorkspace, database: ScalableDatabase, context: PartContext) {
    const { clock, findPeer, workspaces, changed } = ports;
    const { id, connector } = workspace;
    const { portable } = database;
    this.#ports = ports;
    this.#workspace = workspace;
    this.#database = database;
    this.#half = createMoveHalf({
      ...{ clock, connector, findPeer, portable, changed },
      isSubscribed: () => this.#isSubscribed,
      isReady: () => database.health().isConnected,
    });
    const lock = createLock(id, connector.access.secret, () => clock.now());
    this.#unserve = portable === undefined ? () => undefined : workspaces.addHalf({ id, portable, lock });
    this.#subscribing = this.#subscribe(context);
  }

  async #subscribe(context: PartContext): Promise<void> {
    const { factories, clock, changed } = this.#ports;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        if (factories.subscribe === undefined) throw new Error("this host cannot leave a session at its broker");
        await factories.subscribe(context);
        const isNews = !this.#isSubscribed;
        [this.#isSubscribed, this.#lastError] = [true, ""];
        if (isNews) changed();
      } catch (error) {
        const words = hideUrlSecrets(error instanceof Error ? error.message : String(error));
        [this.#isSubscribed, this.#lastError] = [false, words];
      }
      await clock.sleep(this.#isSubscribed ? SUBSCRIBE_MS : AGAIN_MS, signal);
    }
  }

  follow({ move }: AssignedWorkspace): Promise<void> {
    return this.#half.follow(move);
  }

  async update(workspace: AssignedWorkspace): Promise<void> {
    const { databasePool } = this.#workspace;
    this.#workspace = workspace;
    if (workspace.databasePool !== databasePool) await this.#database.setDatabase({ poolSize: workspace.databasePool });
    await this.follow(workspace);
  }

  isHealthy(): boolean {
    return this.#isSubscribed && this.#database.health().isConnected;
  }

  lastError(): string {
    return this.#lastError || this.#database.health().lastError;
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      Object.entries(this.#database.counts()).map(([key, value]) => [`database.${key}`, value]),
    );
  }

  move(): MoveFacts | undefined {
    return this.#half.facts();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#unserve();
    await this.#half.close();
    await this.#subscribing;
    await this.#database.close();
  }
}
