import { createHash } from "node:crypto";
import { databaseUrlIssues } from "@skep/core/workspace/database-url.ts";
import { MongoClient, type MongoClientOptions, type TopologyDescription, type WriteConcernSettings } from "mongodb";
import { guardedLookup } from "../guarded-lookup.ts";
import { createShared, type Lease, type Shared } from "../resources/shared.ts";
import { connectionFailure, refuseConnection } from "./failure.ts";
import { strangerIn } from "./outside-only.ts";
import { createGate, type Gate } from "./query/gate.ts";

/** Connections of one client where nothing else is asked for (R93). */
export const DEFAULT_POOL = 10;

/**
 * Longest to wait until a majority has a write: an answer that comes late makes the caller try
 * again, which stores nothing twice.
 */
const MAJORITY_WAIT_MS = 10_000;

/**
 * What counts as stored: a majority has it in its journal. Options of an address do not loosen it.
 */
export const STORED: WriteConcernSettings = { w: "majority", journal: true, wtimeoutMS: MAJORITY_WAIT_MS };

/** Where a database is and how it is reached. */
export interface Target {
  readonly url: string;
  /** Most connections (R93). */
  readonly poolSize: number;
  /**
   * Set for an address that a tenant gave: it may lead to the Internet only, and to these hosts of
   * the platform's own network. Absent for an address of the operator.
   */
  readonly allowedHosts?: readonly string[];
}

/** A client that is connected, and how it is. */
export interface Connection {
  readonly client: MongoClient;
  /** Whether there is a server that takes writes. */
  isWritable(): boolean;
  /** Why not; empty where there is one. */
  lastError(): string;
  /**
   * For questions of all its workspaces: they take half of the connections at most, so that storing
   * never waits for them.
   */
  readonly questions: Gate;
}

/** The clients of a process: one for each address and pool size, however many use it (R12, R15). */
export interface Connections {
  /** Rejects with the text of R143 and the true cause. */
  acquire(target: Target): Promise<Lease<Connection>>;
  /** How many use each client; the keys tell no secret. */
  counts(): ReadonlyMap<string, number>;
}

/** The clients of a process. */
export function createConnections(): Connections {
  const shared: Shared<Connection> = createShared(({ client }) => client.close());
  return {
    acquire: target => shared.acquire(keyOf(target), () => connect(target)),
    counts: () => shared.counts(),
  };
}

function keyOf({ url, poolSize, allowedHosts }: Target): string {
  const hash = createHash("sha256").update(JSON.stringify([url, allowedHosts ?? "operator"]));
  return `${hash.digest("hex").slice(0, 16)}/${poolSize}`;
}

/** How a client reaches its servers (R93..R95); they win over what the address says. */
export function optionsOf({ poolSize, allowedHosts }: Target): MongoClientOptions {
  return {
    appName: "skep-workspace",
    maxPoolSize: poolSize,
    minPoolSize: 0,
    // A workspace that is still has no connections after this.
    maxIdleTimeMS: 60_000,
    connectTimeoutMS: 5_000,
    serverSelectionTimeoutMS: 5_000,
    socketTimeoutMS: 45_000,
    waitQueueTimeoutMS: 10_000,
    retryWrites: true,
    retryReads: true,
    readPreference: "primary",
    readConcern: { level: "local" },
    writeConcern: STORED,
    ignoreUndefined: true,
    ...(allowedHosts === undefined ? {} : { lookup: guardedLookup(allowedHosts) }),
  };
}

async function connect(target: Target): Promise<Connection> {
  let description: TopologyDescription | undefined;
  let stranger: string | undefined;
  let client: MongoClient | undefined;
  try {
    refuseInside(target);
    client = new MongoClient(target.url, optionsOf(target));
    const opened = client;
    opened.on("topologyDescriptionChanged", ({ newDescription }) => {
      description = newDescription;
      if (target.allowedHosts === undefined || stranger !== undefined) return;
      stranger = strangerIn([...newDescription.servers.keys()], target.allowedHosts);
      if (stranger !== undefined) void opened.close().catch(() => undefined);
    });
    await opened.connect();
    return {
      client: opened,
      isWritable: () => stranger === undefined && description !== undefined && hasWritable(description),
      questions: createGate(Math.max(1, Math.floor(target.poolSize / 2))),
      lastError: () => stranger ?? (description === undefined ? "" : whyNone(description)),
    };
  } catch (error) {
    await client?.close().catch(() => undefined);
    throw stranger === undefined
      ? connectionFailure(error)
      : refuseConnection("DATABASE_MEMBER_REFUSED", `${stranger}.`);
  }
}

/** The address was judged when it was recorded; what is allowed may have changed since. */
function refuseInside({ url, allowedHosts }: Target): void {
  const issue = allowedHosts === undefined ? undefined : databaseUrlIssues(url, allowedHosts)[0];
  if (issue !== undefined)
    throw refuseConnection("DATABASE_URL_INVALID", `invalid URI: ${issue.problem}; ${issue.advice}.`);
}

const WRITABLE: ReadonlySet<string> = new Set(["RSPrimary", "Standalone", "Mongos", "LoadBalancer"]);

function hasWritable({ servers }: TopologyDescription): boolean {
  return [...servers.values()].some(({ type }) => WRITABLE.has(type));
}

function whyNone(description: TopologyDescription): string {
  if (hasWritable(description)) return "";
  const failed = [...description.servers.values()].find(({ error }) => error !== null && error !== undefined);
  return failed?.error?.message ?? "no server of the replica set takes writes; a primary is being elected";
}
