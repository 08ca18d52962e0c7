import type { Connector, ResourceLimits } from "@skep/core/workspace/connector.ts";
import type { DatabaseChange } from "../database/database.ts";
import type { PortableDatabase } from "../database/portable.ts";
import type { WorkspaceChannel } from "../channel/channel.ts";
import type { WorkspaceFiles } from "../files/files.ts";
import type { Database, Events } from "../parts.ts";
import type { RulesRuntime } from "../rules/rules.ts";
import type { Actions } from "../rules/acting.ts";

/** The database of a container, which can be rescaled (R66). */
export interface ScalableDatabase extends Database {
  setDatabase(change: DatabaseChange): Promise<void>;
  /** How its content gets to another database; absent where its workspace cannot move. */
  readonly portable?: PortableDatabase;
}

/** What the parts of a container are made for. */
export interface PartContext {
  readonly connector: Connector;
  readonly limits: ResourceLimits;
  /** Whether this process owns the workspace still. */
  readonly mayRead: () => boolean;
}

/**
 * Makes the parts of a container; each rejects with an error that says why, and tells no secret.
 */
export interface PartFactories {
  database(context: PartContext): Promise<ScalableDatabase>;
  /** `undefined` where there is no file storage. */
  files(context: PartContext): Promise<WorkspaceFiles | undefined>;
  channel(context: PartContext): Promise<WorkspaceChannel>;
  /**
   * Has the broker keep what devices send for whoever reads the workspace later; absent where its
   * workspace cannot move.
   */
  subscribe?(context: PartContext): Promise<void>;
  /** Has the broker forget all that it keeps for the workspace; absent where it keeps nothing. */
  unsubscribe?(context: PartContext): Promise<void>;
  rules(context: PartContext, actions: Actions): Promise<RulesRuntime>;
  events(context: PartContext): Promise<Events>;
}
