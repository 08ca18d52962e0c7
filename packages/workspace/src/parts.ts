import type { ResourceLimits } from "@skep/core/workspace/connector.ts";
import type { Effect } from "@skep/core/rules/evaluate.ts";
import type { DeadLetter, Message, MessageDocument, WorkspaceEvent } from "./message.ts";

/** The parts of a container (R8), in the order in which `deploy` and `manage` begin them. */
export type PartName = "database" | "files" | "channel" | "rules" | "events";

/** How a part is at present (R62, R108). */
export interface PartHealth {
  readonly isConnected: boolean;
  /** Why not, or what failed last; empty where nothing did. Never holds a secret. */
  readonly lastError: string;
}

/** What every part can do. */
export interface Part {
  health(): PartHealth;
  /** Numbers for statistics and metrics, such as `stored` or `sockets`, by name. */
  counts(): Readonly<Record<string, number>>;
  /** Lets go of everything; resolves when nothing is left of it. May be called twice. */
  close(): Promise<void>;
}

/** Reads what devices publish, and publishes commands (R28..R31). */
export interface Channel extends Part {
  /** Publishes at QoS 1; rejects with a SkepError while the broker is away. */
  publish(topic: string, payload: Uint8Array): Promise<void>;
}

/** The database of one workspace, which no query can leave (R32..R35). */
export interface Database extends Part {
  /**
   * Stores all of them; resolves once a majority has them. One whose `_id` is stored already counts
   * as stored. Rejects where any of the others may not be stored: the caller tries all again; with
   * an `UnstorableError` (unstorable.ts) where it names those that can never be stored and all
   * others are: the caller buries those.
   */
  store(documents: readonly MessageDocument[]): Promise<void>;
  /**
   * Of these beginnings of keys, behind their time, the whole keys that stand among so many of the
   * latest messages and dead letters: how a message that is delivered again is known.
   */
  recall(prefixes: readonly string[], within: number): Promise<ReadonlyMap<string, string>>;
  /** The same for what cannot be stored as what it claims to be. */
  bury(letters: readonly DeadLetter[]): Promise<void>;
}

/** What the rules made of a batch. */
export interface Processed {
  readonly documents: readonly MessageDocument[];
  readonly dead: readonly DeadLetter[];
  /** What is to be done about each message once it is stored. */
  readonly effects: readonly { readonly message: Message; readonly effect: Effect }[];
  /** What the sockets are told once it is stored: each message, typed. */
  readonly events: readonly WorkspaceEvent[];
}

/** Types and judges messages (R41..R44); remembers devices, and answers at once. */
export interface Rules extends Part {
  process(messages: readonly Message[], now: number): Processed;
  /** Carries out what is to be done; failures are counted and kept, and never thrown. */
  act(effects: Processed["effects"]): Promise<void>;
}

/** Tells sockets (R45..R48). */
export interface Events extends Part {
  /** Never waits: a slow socket loses its own events and is told how many. */
  emit(events: readonly WorkspaceEvent[]): void;
  setLimits(limits: ResourceLimits): void;
}
