import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { freePort, startChild, type Child } from "./child.ts";
import { eventually } from "./eventually.ts";

/** A Redis server of a test file's own, which writes each change to its disk. */
export interface RedisServer {
  readonly url: string;
  /** Ends the process at once, as a crash would; `start` brings it back on the same data. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a real server on a free port of the loopback. */
export async function startRedisServer(): Promise<RedisServer> {
  const { path } = await resolveProgram("redis-server");
  const directory = await mkdtemp(join(tmpdir(), "skep-redis-"));
  const port = await freePort();
  const where = ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory];
  const kept = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  let child: Child;
  async function start(): Promise<void> {
    child = startChild(path, [...where, ...kept]);
    await eventually(() => answers(port, child));
  }
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => child.end("SIGKILL"),
    start,
    close: async () => {
      await child.end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answers(port: number, child: Child): Promise<void> {
  if (child.process.exitCode !== null) throw new Error(`redis-server ended: ${child.output()}`);
  const redis = new Redis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => null });
  // What goes wrong is what `ping` rejects with.
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
