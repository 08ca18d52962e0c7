import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { freePort, startChild, type Child } from "./child.ts";
import { eventually } from "./eventually.ts";

/** One member of a replica set. */
export interface MongodMember {
  readonly host: string;
  /** Ends the process at once, as a crash would; `start` brings it back on the same data. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Has it stand still, as one whose disk hangs, or go on. */
  pause(isPaused: boolean): void;
}

/** A replica set of a test file's own, without passwords. */
export interface MongodServer {
  /** Names all members and the set. */
  readonly url: string;
  readonly members: readonly MongodMember[];
  /** The member that takes writes now; another is elected where it ends. */
  primary(): Promise<MongodMember>;
  /** Has the primary give way to another member, which needs three. */
  stepDown(): Promise<void>;
  close(): Promise<void>;
}

const SET = "rs";

/** Starts a real MongoDB of one member, or of so many, and waits until it takes writes. */
export async function startMongodServer(size: 1 | 3 = 1): Promise<MongodServer> {
  const { path } = await resolveProgram("mongod");
  const directory = await mkdtemp(join(tmpdir(), "skep-mongod-"));
  const members = await Promise.all(Array.from({ length: size }, (_, at) => startMember(path, directory, at)));
  const hosts = members.map(one => one.host);
  await onMember(hosts[0]!, client =>
    client.db("admin").command({
      replSetInitiate: {
        _id: SET,
        members: hosts.map((host, _id) => ({ _id, host })),
        settings: { electionTimeoutMillis: 2_000 },
      },
    }),
  );
  const url = `mongodb://${hosts.join(",")}/?replicaSet=${SET}`;
  async function primary(): Promise<MongodMember> {
    for (const member of members) {
      const hello = await onMember(member.host, one => one.db("admin").command({ hello: 1 })).catch(() => undefined);
      if (hello?.isWritablePrimary === true) return member;
    }
    throw new Error("no member of the replica set takes writes");
  }
  await eventually(primary, 30_000);
  return {
    ...{ url, members, primary },
    stepDown: async () => {
      const { host } = await primary();
      const command = { replSetStepDown: 60, secondaryCatchUpPeriodSecs: 10 };
      await onMember(host, client => client.db("admin").command(command));
    },
    close: async () => {
      await Promise.all(members.map(member => member.end()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startMember(
  path: string,
  directory: string,
  at: number,
): Promise<MongodMember & { end(): Promise<void> }> {
  const data = join(directory, String(at));
  await mkdir(data);
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const small = ["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64", "--nounixsocket", "--quiet"];
  const options = ["--replSet", SET, "--dbpath", data, "--bind_ip", "127.0.0.1", "--port", String(port), ...small];
  let child: Child;
  async function start(): Promise<void> {
    child = startChild(path, options);
    await eventually(async () => {
      if (child.process.exitCode !== null) throw new Error(`mongod ended: ${child.output()}`);
      await onMember(host, client => client.db("admin").command({ ping: 1 }));
    }, 120_000);
  }
  await start();
  const pause = (isPaused: boolean): void => void child.process.kill(isPaused ? "SIGSTOP" : "SIGCONT");
  return { host, kill: () => child.end("SIGKILL"), start, pause, end: () => child.end("SIGKILL") };
}

async function onMember<T>(host: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, { serverSelectionTimeoutMS: 2_000 });
  try {
    return await work(await client.connect());
  } finally {
    await client.close();
  }
}
