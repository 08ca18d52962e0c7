import type { Clock } from "@skep/kit/clock.ts";
import { MongoClient, MongoServerError, type MongoClientOptions } from "mongodb";
import { HOSTS_USER } from "./hosts-user.ts";

/** A MongoDB server that is to become a replica set of one. */
export interface ReplicaSetOptions {
  /** Host and port, as everybody reaches it. */
  readonly host: string;
  /** Of a server that others reach; one that listens on a loopback only needs none. */
  readonly access?: ServerAccess;
  readonly clock: Clock;
}

/** How a server lets in. */
export interface ServerAccess {
  /** What the file of its `--keyFile` holds. */
  readonly key: string;
  /** The password that the hosts of workspaces are to have. */
  readonly password: string;
}

/** What hosts of workspaces do: all in the databases of workspaces, and measure them. */
const ROLES = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"].map(role => ({ role, db: "admin" }));
const NOT_INITIATED = 94;
const NO_USER = 11;
const ELECTED_MS = 30_000;

/**
 * Sees to it that the server is a replica set of one and takes writes, and where it lets nobody in
 * without a password, that it has the hosts' user with that password. There it comes as the server
 * itself, by the key: a server with a key and without users lets nobody in from elsewhere. Changes
 * nothing that is there already.
 * @returns what it did, in words; empty where nothing was to be done.
 */
export async function makeReplicaSetReady(options: ReplicaSetOptions): Promise<readonly string[]> {
  const { host, access, clock } = options;
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, {
    ...(access === undefined ? {} : asServer(access)),
    ...{ serverSelectionTimeoutMS: 5_000, connectTimeoutMS: 5_000 },
  });
  const done: string[] = [];
  try {
    const admin = client.db("admin");
    if (!(await isInitiated(client))) {
      await admin.command({ replSetInitiate: { _id: "rs", members: [{ _id: 0, host }] } });
      done.push("the replica set was made");
    }
    await untilWritable(client, clock);
    if (access === undefined || (await updateUser(client, access.password))) return done;
    await admin.command({ createUser: HOSTS_USER, pwd: access.password, roles: ROLES });
    done.push(`the user ${HOSTS_USER} was made`);
    return done;
  } finally {
    await client.close();
  }
}

function asServer({ key }: ServerAccess): MongoClientOptions {
  const auth = { username: "__system", password: key.replaceAll(/\s/g, "") };
  return { auth, authSource: "local", authMechanism: "SCRAM-SHA-256" };
}

async function isInitiated(client: MongoClient): Promise<boolean> {
  try {
    await client.db("admin").command({ replSetGetStatus: 1 });
    return true;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NOT_INITIATED) return false;
    throw error;
  }
}

async function untilWritable(client: MongoClient, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + ELECTED_MS;
  for (;;) {
    const hello = await client.db("admin").command({ hello: 1 });
    if (hello["isWritablePrimary"] === true) return;
    if (clock.monotonic() > deadline) throw new Error(`The server elected no primary in ${ELECTED_MS / 1000} s.`);
    await clock.sleep(200);
  }
}

/** The password follows the secret, which may be rotated; `false` where there is no such user. */
async function updateUser(client: MongoClient, password: string): Promise<boolean> {
  try {
    await client.db("admin").command({ updateUser: HOSTS_USER, pwd: password, roles: ROLES });
    return true;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NO_USER) return false;
    throw error;
  }
}
