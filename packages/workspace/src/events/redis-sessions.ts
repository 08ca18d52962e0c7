import type { Redis } from "ioredis";
import { SESSION_MS, type Session, type Sessions } from "./sessions.ts";

/**
 * Keeps sessions where every replica finds them. While Redis is away none is found, and a client
 * asks again for what it had.
 */
export function redisSessions(redis: Redis, prefix: string): Sessions {
  return {
    keep: (pid, session) => {
      void redis.set(prefix + pid, JSON.stringify(session), "PX", SESSION_MS).catch(() => undefined);
    },
    take: async pid => {
      try {
        return read(await redis.getdel(prefix + pid));
      } catch {
        return undefined;
      }
    },
    close: () => undefined,
  };
}

function read(text: string | null): Session | undefined {
  if (text === null) return undefined;
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("sid" in value) || !("filters" in value)) return undefined;
  const { sid, filters } = value;
  if (typeof sid !== "string" || !Array.isArray(filters)) return undefined;
  return { sid, filters: filters.filter(filter => typeof filter === "string") };
}
