import { chmod, chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { freePort, startChild, type Child } from "./child.ts";
import { eventually } from "./eventually.ts";

/** A PostgreSQL server of a test file's own, on the loopback, without a password. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Makes a database, empty or as a copy of `template`, and answers its name. */
  createDatabase(template?: string): Promise<string>;
  /**
   * Ends the server at once, as a crash would; `start` brings it back on the same port and data.
   */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a real server with a fresh data directory. Fsync stays on: a test may ask what a commit
 * costs.
 */
export async function startPostgresServer(): Promise<PostgresServer> {
  const { path: programs } = await resolveProgram("postgres");
  const owner = await serverUser();
  const directory = await mkdtemp(join(tmpdir(), "skep-postgres-"));
  await chmod(directory, 0o711);
  const data = await mkdtemp(join(directory, "data-"));
  if (owner !== undefined) await chown(data, owner.uid, owner.gid);
  const asOwner = owner === undefined ? {} : { uid: owner.uid, gid: owner.gid };
  const initdb = startChild(
    join(programs, "initdb"),
    ["-D", data, "-U", "skep", "-A", "trust", "-E", "UTF8", "--locale=C"],
    {
      ...asOwner,
      cwd: data,
    },
  );
  await new Promise(resolve => initdb.process.once("close", resolve));
  if (initdb.process.exitCode !== 0) throw new Error(`initdb failed: ${initdb.output()}`);

  const port = await freePort();
  let child: Child;
  async function start(): Promise<void> {
    const settings = ["listen_addresses=127.0.0.1", `port=${port}`, "unix_socket_directories=", "max_connections=60"];
    const args = ["-D", data, ...settings.flatMap(setting => ["-c", setting])];
    child = startChild(join(programs, "postgres"), args, { ...asOwner, cwd: data });
    await eventually(() => answers(port, child), 30_000);
  }

  await start();
  let databases = 0;
  return {
    host: "127.0.0.1",
    port,
    user: "skep",
    createDatabase: async template => {
      const name = `test_${++databases}`;
      await query(port, `create database ${name}${template === undefined ? "" : ` template ${template}`}`);
      return name;
    },
    kill: () => child.end("SIGQUIT"),
    start,
    close: async () => {
      await child.end("SIGQUIT");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answers(port: number, child: Child): Promise<void> {
  if (child.process.exitCode !== null) throw new Error(`postgres ended: ${child.output()}`);
  await query(port, "select 1");
}

async function query(port: number, statement: string): Promise<void> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "skep", database: "postgres" });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where that user is
 * missing.
 */
async function serverUser(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map(line => line.split(":"));
  const user = users.find(fields => fields[0] === "postgres") ?? users.find(fields => fields[0] === "nobody");
  if (user === undefined)
    throw new Error("PostgreSQL cannot run as root, and /etc/passwd has neither postgres nor nobody: add one.");
  return { uid: Number(user[2]), gid: Number(user[3]) };
}
