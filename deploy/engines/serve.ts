import { spawn, type ChildProcess } from "node:child_process";
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findInPath } from "./cache.ts";
import { readEnvironment } from "./environment.ts";
import { resolveProgram } from "./programs.ts";
import { run } from "./run.ts";

/** A service that answers at `url`, for integration tests. */
export interface ServedEngine {
  /** `nats://127.0.0.1:PORT`, or `postgres://postgres@127.0.0.1:PORT/postgres`. */
  readonly url: string;
  /** A sentence that says where it came from. */
  readonly how: string;
  /** Ends it and removes its data. Does nothing to a service that was given in the environment. */
  stop(): Promise<void>;
}

/**
 * A NATS server of this test alone on a free port of loopback; `config` is added to its configuration. With
 * `SKEP_TEST_NATS_URL` that server is used instead, and `config` must be absent.
 * @throws Error with the server's words when it does not answer within 20 s.
 */
export async function startNats(options: { readonly config?: string } = {}): Promise<ServedEngine> {
  const given = readEnvironment().givenAddresses.nats;
  if (given !== undefined && options.config === undefined) return { url: given, how: "given by SKEP_TEST_NATS_URL", stop: async () => undefined };
  const { path, how } = await resolveProgram("nats-server");
  const directory = await mkdtemp(join(tmpdir(), "skep-nats-"));
  const port = await freePort();
  const configFile = join(directory, "nats.conf");
  await writeFile(configFile, `listen: "127.0.0.1:${port}"\nserver_name: test\n${options.config ?? ""}`, { mode: 0o600 });
  const server = await serve([path, "--config", configFile], port, { directory, stopSignal: "SIGTERM" });
  return { url: `nats://127.0.0.1:${port}`, how, stop: server.stop };
}

/**
 * A PostgreSQL server of this test alone on a free port of loopback, without passwords and without fsync: fast, and lost
 * with the machine. With `SKEP_TEST_POSTGRES_URL` that server is used instead.
 * @throws Error with the server's words when it does not answer within 20 s.
 */
export async function startPostgres(): Promise<ServedEngine> {
  const given = readEnvironment().givenAddresses.postgres;
  if (given !== undefined) return { url: given, how: "given by SKEP_TEST_POSTGRES_URL", stop: async () => undefined };
  const { path, how } = await resolveProgram("postgres");
  const directory = await mkdtemp(join(tmpdir(), "skep-postgres-"));
  const user = await serverUser();
  if (user !== undefined) await chown(directory, user.uid, user.gid);
  await chmod(directory, 0o700);
  const dataDir = join(directory, "data");
  const asUser = user === undefined ? [] : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const initdb = ["sh", "-c", 'cd / && exec "$@"', "sh", ...asUser, join(path, "initdb"), "--pgdata", dataDir, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"];
  await run(initdb as [string, ...string[]]);
  const port = await freePort();
  const settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "listen_addresses=127.0.0.1", `unix_socket_directories=${directory}`];
  const argv = [...asUser, join(path, "postgres"), "-D", dataDir, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
  const server = await serve(argv, port, { directory, stopSignal: "SIGINT" });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return { url, how, stop: server.stop };
}

/** Starts a server that dies with this process, and waits until its port takes connections. */
async function serve(argv: readonly string[], port: number, options: { readonly directory: string; readonly stopSignal: "SIGTERM" | "SIGINT" }): Promise<{ stop(): Promise<void> }> {
  // A test run that is killed cannot stop what it started: the kernel does.
  const bound = (await findInPath("setpriv", readEnvironment().searchPath)) === undefined ? [] : ["setpriv", `--pdeathsig=${options.stopSignal.slice(3)}`];
  const [program = "", ...args] = argv[0] === "setpriv" ? ["setpriv", ...bound.slice(1), ...argv.slice(1)] : [...bound, ...argv];
  const child = spawn(program, args, { cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
  let words = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-4096)));
  child.on("error", (error) => (words += error.message));
  const stop = async (): Promise<void> => {
    await end(child, options.stopSignal);
    await rm(options.directory, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await answers(port)) return { stop };
    if (child.exitCode !== null || child.pid === undefined) break;
    await sleep(50);
  }
  await stop();
  throw new Error(`${program} ${args.join(" ")} does not answer on port ${port}; it said:\n${words}`);
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const last = setTimeout(() => child.kill("SIGKILL"), 10_000);
    child.once("exit", () => {
      clearTimeout(last);
      resolve();
    });
    child.kill(signal);
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where there is no such user. */
async function serverUser(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const wanted of ["postgres", "nobody"]) {
    const found = users.find(([name]) => name === wanted);
    if (found !== undefined) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new Error("PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody; add one with useradd, or run as another user");
}
