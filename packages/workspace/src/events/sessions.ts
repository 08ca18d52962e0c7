import type { Clock } from "@skep/kit/clock.ts";

/** What is kept of a socket whose connection broke, so that it goes on where it was. */
export interface Session {
  readonly sid: string;
  readonly filters: readonly string[];
}

/** Where broken sockets wait for their clients (R48). */
export interface Sessions {
  keep(pid: string, session: Session): void;
  /** Hands a session out, once. */
  take(pid: string): Promise<Session | undefined>;
  close(): void;
}

/** How long a client may be away. */
export const SESSION_MS = 120_000;

/** Sessions of one workspace at once; the oldest go first. */
const MOST_SESSIONS = 1_000;

/** Keeps them in memory. */
export function createSessions(clock: Clock, most = MOST_SESSIONS): Sessions {
  const sessions = new Map<string, Session & { readonly until: number }>();

  return {
    keep: (pid, session) => {
      for (const [key, { until }] of sessions) {
        if (until > clock.monotonic() && sessions.size < most) break;
        sessions.delete(key);
      }
      sessions.set(pid, { ...session, until: clock.monotonic() + SESSION_MS });
    },
    take: async pid => {
      const session = sessions.get(pid);
      sessions.delete(pid);
      return session !== undefined && session.until > clock.monotonic() ? session : undefined;
    },
    close: () => sessions.clear(),
  };
}
