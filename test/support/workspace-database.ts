import { Buffer } from "node:buffer";
import type { Db, MongoClient } from "mongodb";
import {
  createConnections,
  openDatabase,
  type Connections,
  type DatabaseOptions,
  type DeadLetter,
  type MessageDocument,
  type WorkspaceDatabase,
} from "@skep/workspace";
import { onTestFinished } from "vitest";
import type { MongodServer } from "./mongod-server.ts";

/** When the messages of tests begin. */
export const START = Date.UTC(2026, 0, 1);

/** A message of its number: its `_id`, its second after `START`, its temperature. */
export function aMessage(number: number, change: Partial<MessageDocument> = {}): MessageDocument {
  const at = new Date(START + number * 1_000);
  return {
    ...{ _id: `m${number}`, deviceId: "d1", category: "telemetry", type: "sensors", at, receivedAt: at },
    value: { temperature: number, name: "a" },
    ...change,
  };
}

/** So many of them, from a number on. */
export function messages(count: number, from = 0): MessageDocument[] {
  return Array.from({ length: count }, (_, at) => aMessage(from + at));
}

/** A dead letter with bytes that are no text. */
export function aLetter(id: string, payload: Uint8Array = Buffer.from([0, 255, 1, 254])): DeadLetter {
  return { _id: id, topic: "w/devices/d1/telemetry/x", payload, receivedAt: new Date(START), because: "no JSON" };
}

/** A database of a test's own, closed when the test is over. */
export type OpenDatabase = (change?: Partial<DatabaseOptions>) => Promise<{
  readonly database: WorkspaceDatabase;
  readonly connections: Connections;
  readonly workspaceId: string;
  /** The same, past everything that guards it. */
  readonly db: Db;
}>;

/** What opens databases on a server. */
export function openerOf(server: MongodServer, raw: MongoClient): OpenDatabase {
  let serial = 0;
  return async (change = {}) => {
    const connections = change.connections ?? createConnections();
    const workspaceId = change.workspaceId ?? `w${serial++}`;
    const database = await openDatabase({ workspaceId, url: server.url, megabytes: 100, ...change, connections });
    onTestFinished(() => database.close());
    return { database, connections, workspaceId, db: raw.db(`ws_${workspaceId}`) };
  };
}
