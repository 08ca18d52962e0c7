import { NO_BASIS } from "@skep/core/world/basis.ts";
import type { World } from "@skep/core/world/world.ts";
import { aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { createPostgresStore, type PostgresStore } from "@skep/scheduler/store/postgres/postgres-store.ts";
import { aReport, aStatus, creation, placement, someFacts } from "@skep/scheduler/store/testing/records.ts";
import type { Mandate } from "@skep/scheduler/store/mandate.ts";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startStoreServer, type StoreServer } from "../support/postgres.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
const COUNT = 12;

/**
 * A store reads only what changed since its last look; one that has just been made reads
 * everything.
 */
describe("the world as it is read again and again", () => {
  let postgres: StoreServer;
  let pool: pg.Pool;
  let store: PostgresStore;
  let mandate: Mandate;
  let fresh: () => PostgresStore;
  let opened: PostgresStore[];

  beforeAll(async () => {
    postgres = await startStoreServer();
  });
  afterAll(() => postgres.server.close());
  beforeEach(async () => {
    const database = await postgres.createDatabase();
    opened = [];
    fresh = () => {
      const one = createPostgresStore(postgres.pool(database));
      opened.push(one);
      return one;
    };
    pool = postgres.pool(database);
    store = fresh();
    await store.createTenant(aTenant(), someone);
    await store.createDeployment("acme", aSpec({ replicas: COUNT }), [], someone, 1);
    for (const nodeId of ["node-1", "node-2"]) await store.saveFacts(someFacts({ nodeId }), 1);
    mandate = await store.takeLease("me", 60_000);
    const serials = Array.from({ length: COUNT }, (_, index) => index + 1);
    const changes = [
      ...serials.map(serial => creation(serial)),
      ...serials.map(serial => placement(serial, { placement: serial })),
    ];
    expect(await store.commit({ changes, wakeAt: undefined, basis: NO_BASIS }, mandate, 1)).toMatchObject({
      kind: "committed",
    });
    expect((await store.loadWorld()).locations).toHaveLength(COUNT);
  });
  afterEach(async () => {
    await Promise.all([pool.end(), ...opened.map(one => one.close())]);
  });

  async function expectTrue(): Promise<World> {
    const known = inOrder(await store.loadWorld());
    expect(known).toEqual(inOrder(await fresh().loadWorld()));
    return known;
  }

  it.each([
    ["a row is deleted", "DELETE FROM deployment_locations WHERE instance_id = 'acme.web.1'"],
    ["a row is written", "UPDATE deployment_locations SET status = 'running' WHERE instance_id = 'acme.web.2'"],
    ["an instance is deleted", "DELETE FROM instances WHERE id = 'acme.web.3'"],
    ["a deployment is deleted", "DELETE FROM deployments"],
    ["a node is deleted", "DELETE FROM node_metadata WHERE node_id = 'node-2'"],
    ["a node is labelled", `UPDATE node_metadata SET labels = '{"compute":"true"}' WHERE node_id = 'node-1'`],
    ["a node leaves", "UPDATE node_metadata SET swarm_state = 'removed', liveness = 'down' WHERE node_id = 'node-2'"],
    ["a key changes", "UPDATE node_metadata SET node_id = 'node-9' WHERE node_id = 'node-2'"],
    ["a quota changes", "UPDATE tenants SET quota_instances = 20 WHERE id = 'acme'"],
    ["a table is emptied", "TRUNCATE deployment_locations"],
    ["nothing happens", "SELECT 1"],
  ])("is the true one after %s by hand", async (_, statement) => {
    await pool.query(statement);
    await expectTrue();
  });

  it("keeps the objects of what did not change", async () => {
    const before = await store.loadWorld();
    await pool.query("UPDATE deployment_locations SET status = 'running' WHERE instance_id = 'acme.web.2'");
    const after = await store.loadWorld();
    const same = after.locations.filter(location => before.locations.includes(location));
    expect(same).toHaveLength(COUNT - 1);
    expect(after.deployments[0]).toBe(before.deployments[0]);
    // What is measured all the time is no change.
    await store.saveUsage([{ instanceId: "acme.web.1", epoch: 1, cpuMillis: 5, memoryBytes: 6 }], 1);
    expect((await store.loadWorld()).locations.every(location => after.locations.includes(location))).toBe(true);
  });

  it("has a new release, and a deployment that was made anew under the same name", async () => {
    const changed = aSpec({ replicas: COUNT, containers: [{ ...aSpec().containers[0]!, image: "other:2" }] });
    await store.changeDeployment("acme.web", { spec: changed }, undefined, someone, 2);
    expect((await expectTrue()).releases).toHaveLength(2);
    await pool.query("DELETE FROM deployments");
    await store.createDeployment("acme", changed, [], someone, 3);
    const { releases } = await expectTrue();
    expect(releases).toEqual([{ deploymentId: "acme.web", number: 1, spec: changed }]);
  });

  it("has what a transaction wrote that was open while younger ones were read", async () => {
    const slow = await pool.connect();
    await slow.query("BEGIN");
    await slow.query("UPDATE deployment_locations SET message = 'slow' WHERE instance_id = 'acme.web.1'");
    await slow.query("DELETE FROM deployment_locations WHERE instance_id = 'acme.web.2'");
    for (const message of ["one", "two"]) {
      await pool.query("UPDATE deployment_locations SET message = $1 WHERE instance_id = 'acme.web.3'", [message]);
      const { locations } = await expectTrue();
      expect(
        locations
          .map(location => location.message)
          .sort()
          .at(-1),
      ).toBe(message);
    }
    await slow.query("COMMIT");
    slow.release();
    const { locations } = await expectTrue();
    expect(locations.filter(location => location.message === "slow")).toHaveLength(1);
    expect(locations).toHaveLength(COUNT - 1);
  });

  it("is the true one where what happened is no longer noted", async () => {
    await pool.query("DELETE FROM deployment_locations WHERE instance_id = 'acme.web.1'");
    await pool.query("UPDATE world_changes SET at = at - interval '1 hour'");
    await store.pruneHistory({ keysAt: 0, decisionsAt: 0, auditAt: 0, domainsAt: 0, keepReleases: 10 }, 10, mandate);
    expect((await pool.query("SELECT FROM world_changes")).rowCount).toBe(0);
    expect((await expectTrue()).locations).toHaveLength(COUNT - 1);
    await pool.query("DELETE FROM deployment_locations WHERE instance_id = 'acme.web.2'");
    expect((await expectTrue()).locations).toHaveLength(COUNT - 2);
  });

  it("is the true one where the tables were made anew under a store that knows the old ones", async () => {
    await pool.query("DROP SCHEMA public CASCADE");
    await pool.query("CREATE SCHEMA public");
    await fresh().migrate();
    const { deployments, nodes } = await expectTrue();
    expect([deployments, nodes]).toEqual([[], []]);
  });

  it("is read by what changed again once a backup of another server has been taken in", async () => {
    await pool.query("UPDATE world_horizon SET xid = 1000000000000");
    const before = await expectTrue();
    expect((await store.loadWorld()).locations.some(location => before.locations.includes(location))).toBe(false);
    await store.pruneHistory({ keysAt: 0, decisionsAt: 0, auditAt: 0, domainsAt: 0, keepReleases: 10 }, 10, mandate);
    const { locations } = await store.loadWorld();
    expect((await store.loadWorld()).locations.every(location => locations.includes(location))).toBe(true);
  });

  it("is the true one in the end, however writers and readers overlap", async () => {
    const write = async (serial: number): Promise<void> => {
      for (let seq = 1; seq <= 10; seq++) {
        const instanceId = `acme.web.${serial}`;
        const statuses = [aStatus({ instanceId, health: seq % 2 === 0 ? "healthy" : "starting" })];
        await store.saveReport(aReport({ seq: seq * 100 + serial, statuses }), seq);
        if (seq % 5 === 0) await pool.query("DELETE FROM deployment_locations WHERE instance_id = $1", [instanceId]);
        else await pool.query("UPDATE instances SET retry_at = $2 WHERE id = $1", [instanceId, seq]);
      }
    };
    let over = false;
    const writing = Promise.all(Array.from({ length: COUNT }, (_, index) => write(index + 1))).finally(() => {
      over = true;
    });
    const read = async (): Promise<void> => {
      while (!over) await store.loadWorld();
    };
    await Promise.all([writing, read(), read()]);
    expect((await expectTrue()).locations).toEqual([]);
  });
});

function inOrder(world: World): World {
  const sorted = <T>(items: readonly T[]): readonly T[] =>
    items
      .map(item => [JSON.stringify(item), item] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, item]) => item);
  return {
    tenants: sorted(world.tenants),
    nodes: sorted(world.nodes),
    deployments: sorted(world.deployments),
    releases: sorted(world.releases),
    instances: sorted(world.instances),
    locations: sorted(world.locations),
    releasedPorts: world.releasedPorts,
    volumes: sorted(world.volumes),
    placements: world.placements,
  };
}
