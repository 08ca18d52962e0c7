import type { Offset } from "@skep/core/workspace/offset.ts";
import type { LogEntry } from "./event-log.ts";
import type { Sessions } from "./sessions.ts";

/** What a replica hears from the others about one workspace. */
export interface SharedEvents {
  /** What is kept there begins after this offset; told before anything of it is heard. */
  begin(offset: Offset): void;
  /** Events that others emitted, in order; one that is known already changes nothing. */
  heard(entries: readonly LogEntry[]): void;
  /** The place has events up to this offset, which were not heard: some may be missing. */
  missed(upTo: Offset): void;
  /** The last offset that is known here; what is heard begins after it. */
  last(): Offset;
  /** Others are further than what is emitted here: go on after it. */
  advance(offset: Offset): void;
}

/** One workspace's events and sessions in a place that all replicas see. */
export interface SharedWorkspace {
  /** Hands events to the others; never waits, and counts what could not be handed on. */
  publish(entries: readonly LogEntry[]): void;
  readonly sessions: Sessions;
  /** Events that the others were not handed. */
  unshared(): number;
  close(): Promise<void>;
}

/** The place that replicas share; without one a host is the only replica. */
export interface Sharing {
  /** Hears what is there of the workspace, and then what comes. */
  open(workspaceId: string, events: SharedEvents): Promise<SharedWorkspace>;
  /** Why nothing can be shared at present; empty where all is well. */
  problem(): string;
  close(): Promise<void>;
}
