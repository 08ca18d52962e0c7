import { aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createNatsBus } from "@skep/kit/nats-bus.ts";
import { FakeAgent } from "@skep/scheduler/testing/fake-agent.ts";
import { createPostgresStore, type PostgresStore } from "@skep/scheduler/store/postgres/postgres-store.ts";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { startNatsServer, type NatsServer } from "../support/nats-server.ts";
import { startStoreServer, type StoreServer } from "../support/postgres.ts";

const root = join(import.meta.dirname, "../..");
const program = join(root, "packages/scheduler/src/main.ts");
const token = "a-token-of-this-test";

interface Process {
  readonly apiPort: number;
  readonly edgePort: number;
  readonly child: ChildProcess;
}

let postgres: StoreServer;
let nats: NatsServer;
let store: PostgresStore;
let schedulers: Process[];
let agents: FakeAgent[];

async function startScheduler(database: string): Promise<Process> {
  const [apiPort, edgePort] = [await freePort(), await freePort()];
  const environment = {
    ...process.env,
    SKEP_POSTGRES_HOST: postgres.server.host,
    SKEP_POSTGRES_PORT: String(postgres.server.port),
    SKEP_POSTGRES_USER: postgres.server.user,
    SKEP_POSTGRES_DATABASE: database,
    SKEP_NATS_URL: nats.url,
    SKEP_API_TOKEN: token,
    SKEP_API_PORT: String(apiPort),
    SKEP_EDGE_PORT: String(edgePort),
    SKEP_REPLICA_NAME: `scheduler-${apiPort}`,
    SKEP_LOG_LEVEL: "error",
  };
  const child = spawn(process.execPath, [program], { env: environment, stdio: "ignore" });
  return { apiPort, edgePort, child };
}

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise(resolve => child.once("exit", resolve));
const status = (port: number, path: string): Promise<number> =>
  fetch(`http://127.0.0.1:${port}${path}`).then(answer => answer.status);
const someone = { actor: "test", idempotencyKey: undefined };
const running = async (name: string): Promise<number> =>
  (await store.loadWorld()).locations.filter(
    one => one.deploymentId === `acme.${name}` && one.state === "running" && one.desired === "run",
  ).length;
const deploy = (name: string): Promise<unknown> =>
  store.createDeployment("acme", aSpec({ name, replicas: 3 }), [], someone, Date.now());

beforeAll(async () => {
  [postgres, nats] = await Promise.all([startStoreServer(), startNatsServer()]);
  // Empty: three schedulers make the tables at the same time.
  const database = await postgres.server.createDatabase();
  schedulers = await Promise.all([1, 2, 3].map(() => startScheduler(database)));
  store = createPostgresStore(postgres.pool(database));
  await eventually(async () => {
    for (const { apiPort } of schedulers) expect(await status(apiPort, "/readyz")).toBe(200);
    expect((await store.readLease())?.expiresInMs).toBeGreaterThan(0);
  }, 60_000);
  const log = createRecordingLog();
  agents = ["node-1", "node-2", "node-3"].map(
    nodeId => new FakeAgent(nodeId, createNatsBus({ servers: [nats.url], name: nodeId, log }), systemClock),
  );
  await eventually(() => store.createTenant(aTenant(), someone), 30_000);
  for (const agent of agents) void agent.start();
  await eventually(async () => {
    expect((await store.listNodes()).filter(({ node }) => node.liveness === "ready")).toHaveLength(3);
  }, 30_000);
});
afterAll(async () => {
  for (const agent of agents ?? []) agent.stop();
  for (const { child } of schedulers ?? []) child.kill("SIGKILL");
  await store?.close();
  await Promise.all([postgres?.server.close(), nats?.close()]);
});

describe("three real schedulers", () => {
  it("place a deployment and serve its routes from each", async () => {
    await deploy("web");
    await eventually(async () => expect(await running("web")).toBe(3), 20_000);
    for (const { edgePort } of schedulers) expect(await status(edgePort, "/routes")).toBe(200);
  });

  it("write a project by REST once, whichever of them are asked, and nothing of one with a fault", async () => {
    const spec = (service: string, image = "nginx") => {
      const containers = [{ name: "app", image, volumes: [] }];
      return { name: `shop-${service}`, project: "shop", service, containers };
    };
    const put = async (at: number, specs: readonly unknown[], key: string) => {
      const answer = await fetch(`http://127.0.0.1:${schedulers[at]!.apiPort}/api/v1/tenants/acme/projects/shop`, {
        method: "PUT",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify({ specs, idempotency_key: key }),
      });
      return { status: answer.status, text: await answer.text() };
    };
    const faulty = await put(0, [spec("db"), { ...spec("web"), exclusive: true, replicas: 2 }], "faulty");
    expect(faulty).toMatchObject({ status: 400, text: expect.stringContaining("specs[1].exclusive") });
    expect(await store.getDeployment("acme.shop-db")).toBeUndefined();
    const answers = await Promise.all([0, 1, 2].map(at => put(at, [spec("db"), spec("web")], "once")));
    expect(answers.map(one => one.status)).toEqual([200, 200, 200]);
    for (const { text } of answers) expect(text.match(/PROJECT_CHANGE_CREATED/g)).toHaveLength(2);
    await eventually(async () => expect([await running("shop-db"), await running("shop-web")]).toEqual([1, 1]), 20_000);
  });

  it("go on when the leader is killed, and nothing is placed twice", async () => {
    const leading = (
      await store.tellReplica({ name: "test", version: "1", holder: "test", leading: false, frozen: false })
    ).find(one => one.leading);
    const leader = schedulers.find(one => `scheduler-${one.apiPort}` === leading?.name);
    expect(leader).toBeDefined();
    await deploy("after");
    leader!.child.kill("SIGKILL");
    await eventually(async () => expect(await running("after")).toBe(3), 30_000);
    const world = await store.loadWorld();
    expect(world.instances.filter(one => one.deploymentId === "acme.after").map(one => one.epoch)).toEqual([1, 1, 1]);
  });

  it("stay alive while Postgres and NATS are away, and converge when they are back", async () => {
    await Promise.all([postgres.server.kill(), nats.kill()]);
    const alive = schedulers.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    expect(alive).toHaveLength(2);
    for (const { apiPort, edgePort } of alive) {
      expect(await status(apiPort, "/livez")).toBe(200);
      await eventually(async () => expect(await status(apiPort, "/readyz")).toBe(503), 10_000);
      expect(await status(edgePort, "/routes")).toBe(200);
    }
    await Promise.all([postgres.server.start(), nats.start()]);
    await eventually(() => deploy("again"), 30_000);
    await eventually(async () => expect(await running("again")).toBe(3), 30_000);
  });

  it("end within seconds when they are told to", async () => {
    const alive = schedulers.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    for (const { child } of alive) child.kill("SIGTERM");
    expect(await Promise.all(alive.map(({ child }) => ended(child)))).toEqual([0, 0]);
    expect((await store.readLease())?.expiresInMs).toBe(0);
  });
});
