import type { WorkspaceChannel } from "../channel/channel.ts";
import type { WorkspaceFiles } from "../files/files.ts";
import type { PartContext, PartFactories, ScalableDatabase } from "./factories.ts";

/** The parts that `deploy` opens. */
export interface OpenedParts {
  readonly database?: ScalableDatabase;
  readonly files?: WorkspaceFiles | undefined;
  readonly channel?: WorkspaceChannel;
}

/** Opens the parts that a container connects, and ends them. */
export interface Opening {
  /** Database, files, channel, in this order (R51..R53). */
  connect(): Promise<void>;
  parts(): OpenedParts;
  /** Lets go of what is open, in reverse. */
  undo(): Promise<void>;
  /** Ends channel, database and files, in this order (R70..R72). */
  close(): Promise<void>;
}

/** Makes it. */
export function createOpening(factories: PartFactories, context: PartContext): Opening {
  let parts: OpenedParts = {};
  return {
    connect: async () => {
      parts = { database: await factories.database(context) };
      parts = { ...parts, files: await factories.files(context) };
      parts = { ...parts, channel: await factories.channel(context) };
    },
    parts: () => parts,
    undo: async () => {
      const { database, files, channel } = parts;
      parts = {};
      await channel?.close();
      await files?.close();
      await database?.close();
    },
    close: async () => {
      const { database, files, channel } = parts;
      await channel?.close();
      await database?.close();
      await files?.close();
      parts = {};
    },
  };
}
