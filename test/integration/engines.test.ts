import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { run } from "@skep/deploy/programs/run.ts";
import { startPostgresServer, type PostgresServer } from "../support/postgres-server.ts";

describe("the engine resolver", () => {
  it("finds a NATS server and says how", async () => {
    const { path, how } = await resolveProgram("nats-server");
    expect(await run([path, "--version"])).toMatch(/nats-server: v2\.\d+/);
    expect(how).not.toBe("");
  });

  it("finds PostgreSQL's server programs in one directory", async () => {
    const { path } = await resolveProgram("postgres");
    expect(await run([`${path}/postgres`, "--version"])).toMatch(/PostgreSQL\) 1\d/);
  });
});

describe("PostgreSQL as a host program", () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgresServer();
  });
  afterAll(() => postgres?.close());

  it("answers queries at its address", async () => {
    const client = new pg.Client({
      host: postgres.host,
      port: postgres.port,
      user: postgres.user,
      database: await postgres.createDatabase(),
    });
    await client.connect();
    const { rows } = await client.query(
      "select 40 + 2 as answer, current_setting('server_version_num')::int as version",
    );
    await client.end();
    expect(rows[0]).toMatchObject({ answer: 42 });
    expect(rows[0].version).toBeGreaterThanOrEqual(150_000);
  });
});
