import { createPool } from "@skep/kit/postgres.ts";
import {
  createPostgresStore,
  SESSION_SETTINGS,
  type PostgresStore,
} from "@skep/scheduler/store/postgres/postgres-store.ts";
import type pg from "pg";
import { startPostgresServer, type PostgresServer } from "./postgres-server.ts";

/** A real Postgres that hands out databases with the scheduler's tables in them. */
export interface StoreServer {
  readonly server: PostgresServer;
  /** A new database with the tables and nothing in them. */
  createDatabase(): Promise<string>;
  /** A pool on a database, as the scheduler opens it. The caller ends it. */
  pool(database: string): pg.Pool;
  /** A store on a new database. The caller closes it. */
  openStore(): Promise<PostgresStore>;
}

/** Starts the server and migrates one database, of which every other is a copy. */
export async function startStoreServer(): Promise<StoreServer> {
  const server = await startPostgresServer();
  const pool = (database: string): pg.Pool =>
    createPool({
      host: server.host,
      port: server.port,
      user: server.user,
      password: undefined,
      database,
      maxConnections: 10,
      name: "skep test",
      statementTimeoutMs: 5_000,
      connectTimeoutMs: 1_000,
      settings: SESSION_SETTINGS,
      onIdleError: () => undefined,
    });
  const template = await server.createDatabase();
  const first = createPostgresStore(pool(template));
  try {
    await first.migrate();
  } finally {
    await first.close();
  }
  const createDatabase = (): Promise<string> => server.createDatabase(template);
  return { server, pool, createDatabase, openStore: async () => createPostgresStore(pool(await createDatabase())) };
}
