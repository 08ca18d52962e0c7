import { connect, type NatsConnection } from "nats";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { natsAuth } from "@skep/deploy/bootstrap/nats-auth.ts";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { run } from "@skep/deploy/programs/run.ts";
import { startNatsServer, type NatsServer } from "../support/nats-server.ts";
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

describe("NATS with the stack's users", () => {
  const passwords = { scheduler: 'one "quoted"', agent: "two", operator: "three" };
  let nats: NatsServer;
  const open: NatsConnection[] = [];
  const as = async (user: keyof typeof passwords): Promise<NatsConnection> => {
    const connection = await connect({
      servers: nats.url,
      user,
      pass: passwords[user],
      inboxPrefix: `_INBOX_${user}`,
      reconnect: false,
    });
    open.push(connection);
    return connection;
  };

  beforeAll(async () => {
    nats = await startNatsServer(natsAuth(passwords));
  });
  afterAll(async () => {
    for (const connection of open) await connection.close();
    await nats?.close();
  });

  /** What the server says about an action of a connection: its refusal, or `allowed` after a round trip without one. */
  const verdict = async (connection: NatsConnection, act: () => void): Promise<string> => {
    const refusal = (async () => {
      for await (const status of connection.status()) if (status.type === "error") return String(status.error.message);
      return "closed";
    })();
    act();
    const roundTrip = connection
      .flush()
      .then(() => new Promise<string>(resolve => setTimeout(() => resolve("allowed"), 50)));
    return Promise.race([refusal, roundTrip]);
  };

  it("lets an agent beat, and the scheduler and the operator hear it", async () => {
    const [agent, scheduler, operator] = [await as("agent"), await as("scheduler"), await as("operator")];
    const heard = [scheduler, operator].map(async listener => {
      for await (const message of listener.subscribe("skep.v1.>", { max: 1 })) return message.subject;
      return undefined;
    });
    await Promise.all([scheduler.flush(), operator.flush()]);
    agent.publish("skep.v1.beat.n1");
    expect(await Promise.all(heard)).toEqual(["skep.v1.beat.n1", "skep.v1.beat.n1"]);
  });

  it("carries an agent's answer to the scheduler's question", async () => {
    const [agent, scheduler] = [await as("agent"), await as("scheduler")];
    agent.subscribe("skep.v1.ask.n1", { callback: (_, message) => void message.respond("here") });
    await agent.flush();
    expect((await scheduler.request("skep.v1.ask.n1", "who", { timeout: 2_000 })).string()).toBe("here");
  });

  it("carries the scheduler's answer to what an agent fetches", async () => {
    const [agent, scheduler] = [await as("agent"), await as("scheduler")];
    scheduler.subscribe("skep.v1.fetch.n1", { callback: (_, message) => void message.respond("assignment") });
    await scheduler.flush();
    expect((await agent.request("skep.v1.fetch.n1", "", { timeout: 2_000 })).string()).toBe("assignment");
  });

  it("refuses an agent that assigns work or listens to other agents", async () => {
    expect(await verdict(await as("agent"), () => open.at(-1)?.publish("skep.v1.assign.n2"))).toContain(
      "Permissions Violation",
    );
    expect(await verdict(await as("agent"), () => void open.at(-1)?.subscribe("skep.v1.report.*"))).toContain(
      "Permissions Violation",
    );
    expect(await verdict(await as("agent"), () => void open.at(-1)?.subscribe("_INBOX_scheduler.>"))).toContain(
      "Permissions Violation",
    );
  });

  it("refuses an operator that publishes", async () => {
    expect(await verdict(await as("operator"), () => open.at(-1)?.publish("skep.v1.assign.n2"))).toContain(
      "Permissions Violation",
    );
  });

  it("refuses a wrong password", async () => {
    await expect(connect({ servers: nats.url, user: "agent", pass: "wrong", reconnect: false })).rejects.toThrow(
      /authorization/i,
    );
  });
});
