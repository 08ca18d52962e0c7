import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startChild, type Child } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";

/** A Redis of a test file's own. */
export interface RedisServer {
  readonly url: string;
  /** Ends the process at once; `start` brings an empty one back on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a real redis-server on a free port of the loopback, which keeps nothing on disk. */
export async function startRedis(program = "redis-server"): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), "skep-redis-"));
  const port = await freePort();
  const settings = [
    "--bind",
    "127.0.0.1",
    "--port",
    String(port),
    "--dir",
    directory,
    "--save",
    "",
    "--appendonly",
    "no",
  ];
  let child: Child;

  async function start(): Promise<void> {
    child = startChild(program, settings);
    await eventually(() => pings(port, child));
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => child.end("SIGKILL"),
    start,
    close: async () => {
      await child.end("SIGKILL");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function pings(port: number, child: Child): Promise<void> {
  if (child.process.exitCode !== null) throw new Error(`redis-server ended: ${child.output()}`);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.setTimeout(1_000, () => socket.destroy(new Error("redis-server does not answer")));
    socket.once("data", data => {
      socket.destroy();
      if (data.toString().startsWith("+PONG")) resolve();
      else reject(new Error(`redis-server answered ${data.toString()}`));
    });
    socket.once("error", reject);
  });
}
