import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { redact, type Log, type LogFields, type LogLevel, type LogLine } from "@skep/kit/log.ts";

/** A line about a workspace. */
export interface JournalLine extends LogLine {
  /** ms since 1970. */
  readonly at: number;
}

/** What a host has logged about each of its workspaces lately. */
export interface Journal {
  /** Says all to the log that it was made of, and keeps what names a workspace. */
  readonly log: Log;
  /** The latest lines of a workspace, the oldest first. */
  linesOf(id: WorkspaceId): readonly JournalLine[];
  /** Hears its lines from now on; answers what ends that. */
  listen(id: WorkspaceId, hear: (line: JournalLine) => void): () => void;
}

const MOST_LINES = 500;
const MOST_WORKSPACES = 1_000;

/** Makes one over a log. */
export function createJournal(to: Log, now: () => number): Journal {
  const kept = new Map<WorkspaceId, JournalLine[]>();
  const listeners = new Map<WorkspaceId, Set<(line: JournalLine) => void>>();

  function keep(id: WorkspaceId, line: JournalLine): void {
    const lines = kept.get(id) ?? [];
    kept.delete(id);
    kept.set(id, lines);
    lines.push(line);
    if (lines.length > MOST_LINES) lines.shift();
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_WORKSPACES) break;
      kept.delete(oldest);
    }
    for (const hear of listeners.get(id) ?? []) hear(line);
  }

  function over(log: Log, bound: LogFields): Log {
    const say =
      (level: LogLevel) =>
      (event: string, sentence: string, fields: LogFields = {}): void => {
        log[level](event, sentence, fields);
        const { workspaceId, ...rest } = { ...bound, ...fields };
        if (typeof workspaceId !== "string" || level === "debug") return;
        keep(workspaceId, { at: now(), level, event, sentence, fields: redact(rest) as LogFields });
      };
    return {
      ...{ debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") },
      child: fields => over(log.child(fields), { ...bound, ...fields }),
    };
  }

  return {
    log: over(to, {}),
    linesOf: id => kept.get(id) ?? [],
    listen: (id, hear) => {
      const all = listeners.get(id) ?? new Set();
      listeners.set(id, all.add(hear));
      return () => {
        all.delete(hear);
        if (all.size === 0 && listeners.get(id) === all) listeners.delete(id);
      };
    },
  };
}
