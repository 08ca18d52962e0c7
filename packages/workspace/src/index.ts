/** What goes through a workspace. */
export type { DeadLetter, Message, MessageDocument, WorkspaceEvent } from "./message.ts";
/** What a container is made of. */
export type { Channel, Database, Events, Part, PartHealth, PartName, Processed, Rules } from "./parts.ts";
