import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { freePort, startChild, type Child } from "./child.ts";
import { eventually } from "./eventually.ts";

/** A Mosquitto broker of a test file's own, with persistence. */
export interface MosquittoServer {
  readonly url: string;
  readonly port: number;
  /** Where its files are; for password files and the like, which `config` may name. */
  readonly directory: string;
  /** Ends the process at once, as a crash would; `start` brings it back on the same data. */
  kill(): Promise<void>;
  /** Ends it as an operator would, so that it writes what it holds to its disk. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Has it read its password and access files anew. */
  reload(): void;
  output(): string;
  pid(): number;
  close(): Promise<void>;
}

/**
 * Starts a real broker on a free port of the loopback. `config` answers lines beyond the listener
 * and the persistence, for the directory that it may put files into first; without it anybody may
 * do anything, and no queue is bounded.
 */
export async function startMosquittoServer(
  config: (directory: string) => string | Promise<string> = () => "allow_anonymous true\nmax_queued_messages 0\n",
  autosaveSeconds = 1,
): Promise<MosquittoServer> {
  const { path } = await resolveProgram("mosquitto");
  const directory = await mkdtemp(join(tmpdir(), "skep-mosquitto-"));
  // Started by root it becomes another user, who has to write here.
  await chmod(directory, 0o777);
  const port = await freePort();
  const own = ["persistence true", `persistence_location ${directory}/`, "log_dest stderr"];
  const who = process.getuid?.() === 0 ? ["user root"] : [];
  const more = await config(directory);
  const file = join(directory, "mosquitto.conf");
  await writeFile(
    file,
    [`listener ${port} 127.0.0.1`, `autosave_interval ${autosaveSeconds}`, ...own, ...who, more, ""].join("\n"),
  );
  let child: Child;
  async function start(): Promise<void> {
    child = startChild(path, ["-c", file]);
    await eventually(() => listens(port, child));
  }
  await start();
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    directory,
    kill: () => child.end("SIGKILL"),
    stop: () => child.end(),
    start,
    reload: () => void child.process.kill("SIGHUP"),
    output: () => child.output(),
    pid: () => child.process.pid ?? 0,
    close: async () => {
      await child.end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function listens(port: number, child: Child): Promise<void> {
  if (child.process.exitCode !== null) throw new Error(`mosquitto ended: ${child.output()}`);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
