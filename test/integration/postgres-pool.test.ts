import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { classifyPostgresError, createPool } from "@skep/kit/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { startPostgresServer, type PostgresServer } from "../support/postgres-server.ts";

describe("The pool over a real server", () => {
  let server: PostgresServer;
  beforeAll(async () => (server = await startPostgresServer()));
  afterAll(() => server.close());

  async function aPool(statementTimeoutMs = 2_000) {
    const idleErrors: Error[] = [];
    const pool = createPool({
      ...server,
      database: await server.createDatabase(),
      password: undefined,
      maxConnections: 4,
      name: "test",
      statementTimeoutMs,
      onIdleError: error => idleErrors.push(error),
    });
    return { pool, idleErrors };
  }

  const failure = async (work: Promise<unknown>) => classifyPostgresError(await work.catch((error: unknown) => error));

  test("sorts what a real server answers", async () => {
    const { pool } = await aPool(300);
    await pool.query("create table t (id int primary key, n int check (n > 0))");
    await pool.query("insert into t values (1, 1)");
    expect(await failure(pool.query("insert into t values (1, 1)"))).toMatchObject({
      code: "already_exists",
      constraint: "t_pkey",
      connectionLost: false,
    });
    expect(await failure(pool.query("insert into t values (2, 0)"))).toMatchObject({ code: "invalid_argument" });
    expect(await failure(pool.query("select pg_sleep(5)"))).toMatchObject({ code: "deadline_exceeded" });
    expect(await failure(pool.query("select * from nowhere"))).toMatchObject({ code: "internal" });
    await pool.end();
  });

  test("a server that goes away is unavailable at once, and serves again after its return", async () => {
    const { pool, idleErrors } = await aPool();
    await pool.query("select 1");
    const underWay = failure(pool.query("select pg_sleep(1)"));
    await server.kill();
    expect(await underWay).toMatchObject({ code: "unavailable", connectionLost: true, transient: true });
    expect(await failure(pool.query("select 1"))).toMatchObject({ code: "unavailable", connectionLost: true });
    await server.start();
    await eventually(() => pool.query("select 1"));
    expect(idleErrors.every(error => classifyPostgresError(error).connectionLost)).toBe(true);
    await pool.end();
  });

  test("a connection that breaks between two statements fails the next one, and nothing else", async () => {
    const { pool, idleErrors } = await aPool();
    const lent = await pool.connect();
    const { rows } = await lent.query<{ pid: number }>("select pg_backend_pid() as pid");
    await pool.query("select pg_terminate_backend($1)", [rows[0]!.pid]);
    // Unheard, the event would be an uncaught exception, which fails the run.
    await eventually(async () => expect(lent).toMatchObject({ _queryable: false }));
    expect(await failure(lent.query("select 1"))).toMatchObject({ code: "unavailable", connectionLost: true });
    lent.release();
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(idleErrors).toEqual([]);
    await pool.end();
  });
});
