import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { freePort, startChild, type Child } from "./child.ts";
import { eventually } from "./eventually.ts";

/** A NATS server of a test file's own. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** Ends the process at once, as a crash would; `start` brings it back on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops the process with SIGSTOP and lets it go on: the network is there and nobody answers. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/**
 * Starts a real nats-server on a free port of the loopback; `config` is the text of its
 * configuration file.
 */
export async function startNatsServer(config = ""): Promise<NatsServer> {
  const { path } = await resolveProgram("nats-server");
  const directory = await mkdtemp(join(tmpdir(), "skep-nats-"));
  const file = join(directory, "nats.conf");
  await writeFile(file, config);
  const port = await freePort();
  let child: Child;

  async function start(): Promise<void> {
    child = startChild(path, ["--addr", "127.0.0.1", "--port", String(port), "--config", file]);
    await eventually(() => greets(port, child));
  }

  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    kill: () => child.end("SIGKILL"),
    start,
    pause: () => void child.process.kill("SIGSTOP"),
    resume: () => void child.process.kill("SIGCONT"),
    close: async () => {
      child.process.kill("SIGCONT");
      await child.end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The server's first line is INFO; a listening port alone may not answer yet. */
async function greets(port: number, child: Child): Promise<void> {
  if (child.process.exitCode !== null) throw new Error(`nats-server ended: ${child.output()}`);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.setTimeout(1_000, () => socket.destroy(new Error("nats-server does not greet")));
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
