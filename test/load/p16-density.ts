import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { MongoClient } from "mongodb";
import { setTimeout as sleep } from "node:timers/promises";
import { startDeviceFleet } from "../support/device-fleet.ts";
import type { SentDevice } from "../support/device-fleet-process.ts";
import { eventually } from "../support/eventually.ts";
import { startWorkspaceFleet, type WorkspaceFleet } from "../support/workspace-fleet.ts";
import type { Measurement } from "./measurement.ts";
import { significant, type Result } from "./result.ts";

const GOAL = { megabytes: 1, connections: 0.2 };
const WORKSPACES = 100;
/** So many are created at once. */
const AT_ONCE = 10;
const DEVICES_EACH = 5;
const EVERY_MS = 1_000;
const ROUNDS_OF_MESSAGES = 10;
/** So long each figure is watched; the least counts, since garbage comes and goes. */
const WATCH_MS = 20_000;
const GONE_MS = 120_000;

interface Figures {
  readonly megabytes: number;
  /** Of the host to MongoDB. */
  readonly connections: number;
  /** Sockets that the host has open. */
  readonly sockets: number;
}

/** What 100 shared workspaces with devices that publish take in one host. */
export const p16: Measurement = {
  name: "P16",
  title: "memory and database connections of 100 shared workspaces in one host",
  run: async bench => {
    const fleet = await startWorkspaceFleet({ hosts: 0, autosaveSeconds: 30 });
    bench.defer("the fleet of workspaces", () => fleet.close());
    const client = await new MongoClient(fleet.mongod.url).connect();
    bench.defer("mongo client", () => client.close());
    const { pid } = await fleet.startHost();
    const look = (ms = WATCH_MS): Promise<Figures> => watch(client, pid, ms);
    const bare = await look();
    // As many messages a second as all of them have later: those need memory too.
    const first = await create(fleet, "w0", WORKSPACES * DEVICES_EACH);
    await publish(fleet, first);
    const one = await look();
    const ids = Array.from({ length: WORKSPACES }, (_, index) => `w${index}`);
    await publish(fleet, [...first.slice(0, DEVICES_EACH), ...(await createAll(fleet, ids.slice(1)))]);
    const full = await look();
    await removeAll(fleet, ids);
    const after = await eventually(async () => {
      const now = await look(1_000);
      const isBack = now.sockets <= bare.sockets && now.connections <= bare.connections;
      if (!isBack) throw new Error(`${now.sockets} sockets of ${bare.sockets} are open, ${now.connections} to MongoDB`);
      return now;
    }, GONE_MS).catch(() => look(1_000));
    const told = { bare, one, full, after };
    for (const [name, { megabytes, connections, sockets }] of Object.entries(told))
      bench.say(`${name}: ${significant(megabytes)} MB, ${connections} connections to MongoDB, ${sockets} sockets`);
    bench.say(`each time ${first.length} devices published each second`);
    return judge(told);
  },
};

async function create(fleet: WorkspaceFleet, id: string, devices: number): Promise<readonly SentDevice[]> {
  await fleet.createWorkspace(id);
  return fleet.createDevices(id, devices);
}

async function createAll(fleet: WorkspaceFleet, ids: readonly string[]): Promise<readonly SentDevice[]> {
  const devices: SentDevice[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const made = ids.slice(at, at + AT_ONCE).map(id => create(fleet, id, DEVICES_EACH));
    devices.push(...(await Promise.all(made)).flat());
  }
  return devices;
}

async function publish(fleet: WorkspaceFleet, devices: readonly SentDevice[]): Promise<void> {
  const sending = await startDeviceFleet(fleet.gatePort, devices, EVERY_MS);
  try {
    await sending.goesOn(ROUNDS_OF_MESSAGES * devices.length);
  } finally {
    sending.kill();
  }
}

async function removeAll(fleet: WorkspaceFleet, ids: readonly string[]): Promise<void> {
  for (const workspaceId of ids)
    await fleet.client.workspaces.deleteWorkspace({ workspaceId, idempotencyKey: `delete-${workspaceId}` });
}

async function watch(client: MongoClient, pid: number, ms: number): Promise<Figures> {
  let least: Figures = { megabytes: Infinity, connections: Infinity, sockets: Infinity };
  for (const until = performance.now() + ms; performance.now() < until; await sleep(500)) {
    least = {
      megabytes: Math.min(least.megabytes, megabytesOf(pid)),
      connections: Math.min(least.connections, await connectionsOf(client)),
      sockets: Math.min(least.sockets, socketsOf(pid)),
    };
  }
  return least;
}

/** Those of hosts, by the name that they give. */
async function connectionsOf(client: MongoClient): Promise<number> {
  const everybody = { $currentOp: { allUsers: true, idleConnections: true } };
  const found = client.db("admin").aggregate([everybody, { $match: { appName: "skep-workspace" } }]);
  return (await found.toArray()).length;
}

function megabytesOf(pid: number): number {
  const [, kilobytes = "0"] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1_024;
}

function socketsOf(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).filter(name => targetOf(`${directory}/${name}`).startsWith("socket:")).length;
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed meanwhile.
    return "";
  }
}

function judge({ bare, one, full, after }: Readonly<Record<"bare" | "one" | "full" | "after", Figures>>): Result {
  const megabytes = (full.megabytes - one.megabytes) / (WORKSPACES - 1);
  const connections = (full.connections - bare.connections) / WORKSPACES;
  const left = after.connections - bare.connections + Math.max(0, after.sockets - bare.sockets);
  const holds = megabytes <= GOAL.megabytes && connections <= GOAL.connections && left <= 0;
  return {
    value: `${significant(megabytes)}MB,${significant(connections)}connections,left:${left}`,
    baseline: `alone:${significant(one.megabytes)}MB`,
    ratio: megabytes / one.megabytes,
    goal: `<=${GOAL.megabytes}MB,<=${GOAL.connections}connections,left=0`,
    holds,
    because: holds
      ? undefined
      : "Memory of a process of Node is what garbage collection left of it: the second thing to look at is a heap snapshot.",
  };
}
