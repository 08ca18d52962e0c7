import { NO_BASIS } from "@skep/core/world/basis.ts";
import { aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { createPostgresStore } from "@skep/scheduler/store/postgres/postgres-store.ts";
import { describeStore } from "@skep/scheduler/store/store.contract.ts";
import { aReport, aRoute, aStatus, creation, placement, someFacts } from "@skep/scheduler/store/testing/records.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startStoreServer, type StoreServer } from "../support/postgres.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
let postgres: StoreServer;

beforeAll(async () => {
  postgres = await startStoreServer();
});
afterAll(() => postgres.server.close());

describeStore({ name: "on Postgres", open: () => postgres.openStore(), wait: durationMs => sleep(durationMs) });

describe("the tables", () => {
  it("are made once when several replicas start at the same time", async () => {
    const database = await postgres.server.createDatabase();
    const stores = [1, 2, 3].map(() => createPostgresStore(postgres.pool(database)));
    await Promise.all(stores.map(store => store.migrate()));
    expect(await stores[0]!.loadWorld()).toMatchObject({ nodes: [], deployments: [] });
    await Promise.all(stores.map(store => store.close()));
  });

  it("get the functions and triggers of this version at each start", async () => {
    const database = await postgres.createDatabase();
    const pool = postgres.pool(database);
    await pool.query("DROP TRIGGER locations_removed ON deployment_locations");
    await pool.query(`CREATE OR REPLACE FUNCTION is_live(status text) RETURNS boolean LANGUAGE sql AS 'SELECT false'`);
    const store = createPostgresStore(postgres.pool(database));
    await store.migrate();
    expect((await pool.query("SELECT is_live('running')")).rows).toEqual([{ is_live: true }]);
    const triggers = await pool.query("SELECT FROM pg_trigger WHERE tgname = 'locations_removed'");
    expect(triggers.rowCount).toBe(1);
    await pool.end();
    await store.close();
  });

  it("lose the commit of earlier versions, which compared less, when they are brought forward", async () => {
    const database = await postgres.createDatabase();
    const pool = postgres.pool(database);
    await pool.query("CREATE FUNCTION commit_plan_1(plan jsonb) RETURNS void LANGUAGE sql AS ''");
    await pool.query("ALTER TABLE serials DROP COLUMN skipped");
    const later =
      "workspace_locations, workspace_hosts, devices, workspace_brokers, gates, workspace_moves, workspace_remains";
    await pool.query(`DROP TABLE workspaces, workspace_rules, workspace_webhooks, ${later} CASCADE`);
    await pool.query("ALTER TABLE platform DROP COLUMN host_key");
    await pool.query("ALTER TABLE releases DROP COLUMN project");
    await pool.query("ALTER TABLE volumes RENAME COLUMN owner TO deployment_id");
    await pool.query("ALTER INDEX volumes_by_owner RENAME TO volumes_by_deployment");
    await pool.query("ALTER TABLE node_metadata DROP COLUMN block, DROP COLUMN reported_block");
    await pool.query("ALTER TABLE deployment_locations DROP COLUMN address");
    await pool.query("DELETE FROM kysely_migration WHERE name >= '0025'");
    const store = createPostgresStore(postgres.pool(database));
    await store.migrate();
    expect((await pool.query("SELECT FROM pg_proc WHERE proname = 'commit_plan_1'")).rowCount).toBe(0);
    await pool.end();
    await store.close();
  });

  it("answer the statements of the requirements literally, and follow edits by hand", async () => {
    const database = await postgres.createDatabase();
    const store = createPostgresStore(postgres.pool(database));
    const pool = postgres.pool(database);
    await store.createTenant(aTenant(), someone);
    await store.createDeployment("acme", aSpec(), [aRoute()], someone, 1);
    for (const nodeId of ["node-1", "node-2"]) await store.saveFacts(someFacts({ nodeId }), 1);
    const mandate = await store.takeLease("me", 60_000);
    const ports = [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20001 }] as const;
    await store.commit(
      { changes: [creation(1), placement(1, { ports })], wakeAt: undefined, basis: NO_BASIS },
      mandate,
      1,
    );
    await store.saveReport(aReport({ statuses: [aStatus()] }), 1);
    await store.saveUsage([{ instanceId: "acme.web.1", epoch: 1, cpuMillis: 5, memoryBytes: 6 }], 1);

    const locations = await pool.query("SELECT * FROM deployment_locations WHERE deployment_id = 'acme.web'");
    expect(locations.rows).toMatchObject([
      {
        deployment_id: "acme.web",
        node_id: "node-1",
        container_id: "c1",
        status: "running",
        port: 20001,
        domain: "web.example",
        health_status: "healthy",
        resource_usage: { cpuMillis: 5, memoryBytes: 6 },
      },
    ]);
    const byLoad = "SELECT * FROM node_metadata WHERE availability='active' ORDER BY deployment_count ASC";
    expect((await pool.query(byLoad)).rows.map(row => [row.node_id, row.deployment_count])).toEqual([
      ["node-2", 0],
      ["node-1", 1],
    ]);
    const routing = await pool.query("SELECT * FROM deployment_routing WHERE domain = 'web.example'");
    expect(routing.rows).toMatchObject([{ deployment_id: "acme.web", target_port: 80, load_balancer_algo: "wrr" }]);

    const stamps = async (raisedTo: string): Promise<number | undefined> => {
      await pool.query(`UPDATE node_metadata SET assignment_revision = ${raisedTo}`);
      return (await store.loadWorld()).nodes[0]?.assignmentStamps.length;
    };
    // A number that does not follow on the one before vouches for none of those before.
    expect([await stamps("assignment_revision + 1"), await stamps("50")]).toEqual([2, 1]);
    await pool.query("DELETE FROM deployment_locations");
    expect((await pool.query("SELECT * FROM location_ports")).rows).toEqual([]);
    expect((await pool.query("SELECT sum(deployment_count) AS sum FROM node_metadata")).rows).toEqual([{ sum: 0 }]);
    await pool.end();
    await store.close();
  });
});

describe("a database whose clock was set back", () => {
  it("gives a lease that was given back to whoever asks", async () => {
    const database = await postgres.createDatabase();
    const [store, pool] = [createPostgresStore(postgres.pool(database)), postgres.pool(database)];
    await store.takeLease("me", 60_000);
    await store.releaseLease("me");
    await pool.query("UPDATE leases SET expires_at = now() + interval '1 hour'");
    expect(await store.takeLease("other", 1_000)).toMatchObject({ holder: "other", term: 2 });
    await pool.end();
    await store.close();
  });
});

describe("a database that goes away", () => {
  it("is unavailable at once, and usable again as soon as it is back", async () => {
    // A server of its own: after a crash a server first flushes every file of every database that
    // it has.
    const own = await startStoreServer();
    const store = await own.openStore();
    await Promise.all([1, 2, 3].map(() => store.ping()));
    await own.server.kill();
    const startedAt = performance.now();
    for (const call of [() => store.ping(), () => store.loadWorld(), () => store.takeLease("me", 1000)]) {
      await expect(call()).rejects.toMatchObject({ code: "unavailable", reason: "DATABASE_UNAVAILABLE" });
    }
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    await own.server.start();
    await eventually(() => store.ping(), 30_000);
    await store.close();
    await own.server.close();
  });
});
