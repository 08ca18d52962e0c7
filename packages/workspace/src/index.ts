export type { DeadLetter, Message, MessageDocument, WorkspaceEvent } from "./message.ts";
export type { Channel, Database, Events, Part, PartHealth, PartName, Processed, Rules } from "./parts.ts";
