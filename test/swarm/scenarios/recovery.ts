import { expect, it } from "vitest";
import { docker } from "@skep/devswarm/fleet.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { RecoveryAction } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { eventually } from "../../support/eventually.ts";
import { seenContainers } from "../apps.ts";
import { askSteadily } from "../edge-client.ts";
import { killLeader, until } from "../leader.ts";
import { nodeOf, type Platform } from "../platform.ts";
import { answersEverywhere } from "./deploy.ts";

const DATA = "skep_postgres-data";
const DUMP = "/tmp/skep.dump";
/** The reconcile looks each 45 s. */
const RECONCILE_MS = 60_000;

/**
 * Records that are not the fleet's take nothing away, and a person makes them the fleet's again.
 */
export function recoveryScenarios(given: () => Platform): void {
  it("loses nothing by a backup that is three leaders old", async () => {
    const platform = given();
    await deploy(platform, "kept", 2);
    await inPostgres(platform, ["pg_dump", "-U", "skep", "-Fc", "-f", DUMP, "skep"]);
    await changeLeader(platform);
    await deploy(platform, "lost", 2);
    await changeLeader(platform);
    await until(() => platform.client.deployments.scaleDeployment({ deploymentId: "default.kept", replicas: 3 }));
    await answersEverywhere(platform, "kept.test", 3, 60_000);
    await changeLeader(platform);
    const before = await settled(platform);

    const watching = watch(platform, ["kept.test", "lost.test"]);
    await scale(platform, "scheduler", 0);
    await inPostgres(platform, ["pg_restore", "-U", "skep", "-d", "skep", "--clean", "--if-exists", DUMP]);
    await scale(platform, "scheduler", 3);
    await staysUntilRecovered(platform, before, ["default.lost"]);
    await answersEverywhere(platform, "kept.test", 3, 60_000);
    await answersEverywhere(platform, "lost.test", 2, 60_000);
    expect(await watching()).toEqual([]);
    await obeys(platform, "after-backup");
  });

  it("loses nothing by an empty database, and lets every agent in again", async () => {
    const platform = given();
    await deploy(platform, "other", 2);
    const before = await settled(platform);
    const ids = [...new Set(before.map(one => one.split(" ")[0]!))];

    const watching = watch(platform, ["other.test"]);
    await emptyDatabase(platform);
    // An agent that connects anew has to bind its node again: nothing is recorded of its key.
    await restartAgent(platform, "node-2");
    await staysUntilRecovered(platform, before, ids);
    await answersEverywhere(platform, "other.test", 2, 60_000);
    expect(await watching()).toEqual([]);
    await restartAgent(platform, "node-3");
    await obeys(platform, "after-loss");
    expect((await platform.sql("SELECT node_id FROM node_keys")).length).toBeGreaterThanOrEqual(2);
  });
}

/** Nothing is removed for longer than a reconcile takes; then the records are made the fleet's. */
async function staysUntilRecovered(
  platform: Platform,
  before: readonly string[],
  lost: readonly string[],
): Promise<void> {
  const { client } = platform;
  await eventually(async () => {
    const status = await client.platform.getStatus({});
    expect(status.unrecovered).toContain("The records are not those of the fleet");
  }, 120_000);
  const endsAt = performance.now() + RECONCILE_MS;
  while (performance.now() < endsAt) {
    expect(await running(platform)).toEqual(before);
    await sleep(2_000);
  }
  expect((await platform.skep(["status"])).stdout).toContain("skep recover");
  const preview = await client.platform.recover({});
  expect(preview.nodes.map(node => node.answered)).toEqual(platform.fleet.nodes.map(() => true));
  expect([...preview.deployments].toSorted()).toEqual(expect.arrayContaining([...lost]));
  expect(new Set(preview.items.map(item => item.action))).not.toContain(RecoveryAction.REMOVE);
  expect(preview.newIncarnation).toBe("");
  expect(await running(platform)).toEqual(before);

  const done = await platform.skep(["recover", "--yes"]);
  expect(done.code, done.stdout + done.stderr).toBe(0);
  await eventually(async () => {
    const { unrecovered, nodes } = await client.platform.getStatus({});
    expect([unrecovered, nodes["ready"]]).toEqual(["", platform.fleet.nodes.length]);
    expect(await recorded(platform)).toEqual(before);
    const { deployments } = await client.deployments.listDeployments({});
    expect(deployments.filter(one => one.status?.converged !== true).map(one => one.id)).toEqual([]);
  }, 60_000);
  expect(await running(platform)).toEqual(before);
}

/** New work reaches the agents, and old work ends. */
async function obeys(platform: Platform, name: string): Promise<void> {
  await deploy(platform, name, 3);
  await until(() => platform.client.deployments.deleteDeployment({ deploymentId: `default.${name}` }));
  await eventually(async () => expect(await seenContainers(platform, `default.${name}`)).toEqual([]), 60_000);
}

async function deploy(platform: Platform, name: string, replicas: number): Promise<void> {
  await until(() =>
    platform.client.deployments.createDeployment({
      ...{ projectId: "default", name, replicas, port: 8080, domain: `${name}.test` },
      image: platform.images["go-httpbin"] ?? "",
      envVars: { USE_REAL_HOSTNAME: "true" },
      idempotencyKey: `${name}-${Date.now()}`,
    }),
  );
  await answersEverywhere(platform, `${name}.test`, replicas, 60_000);
}

/** What runs, once it is what is recorded: by deployment, instance, epoch, node and container. */
async function settled(platform: Platform): Promise<readonly string[]> {
  return eventually(async () => {
    const now = await running(platform);
    expect(await recorded(platform)).toEqual(now);
    return now;
  }, 60_000);
}

async function running(platform: Platform): Promise<readonly string[]> {
  const seen = (await seenContainers(platform)).filter(one => one.state === "running");
  return seen.map(one => `${one.deployment} ${one.instance} ${one.epoch} ${one.nodeId} ${one.id}`).toSorted();
}

async function recorded(platform: Platform): Promise<readonly string[]> {
  const rows =
    await platform.sql(`SELECT deployment_id || ' ' || instance_id || ' ' || epoch || ' ' || node_id || ' ' ||
    (c ->> 'id') AS line FROM deployment_locations, jsonb_array_elements(containers) c WHERE status = 'running'`);
  return rows.map(row => String(row["line"])).toSorted();
}

/**
 * Asks every edge for each host all the time; the returned function ends it and answers what
 * failed.
 */
function watch(platform: Platform, hosts: readonly string[]): () => Promise<readonly unknown[]> {
  const clients = hosts.map(host => askSteadily(nodeOf(platform.fleet, "node-2").address, host, "/status/200"));
  return async () => (await Promise.all(clients.map(client => client.stop()))).flatMap(({ failures }) => failures);
}

/** Kills the leader and waits until another one leads. */
async function changeLeader(platform: Platform): Promise<void> {
  const term = async (): Promise<bigint> => (await platform.client.platform.getStatus({})).leader?.term ?? 0n;
  const before = await until(term);
  await killLeader(platform);
  await eventually(async () => expect(await term()).toBeGreaterThan(before), 60_000);
}

async function scale(platform: Platform, service: "scheduler" | "postgres", replicas: number): Promise<void> {
  await docker(platform.fleet, "node-1", ["service", "scale", "-d", `skep_${service}=${replicas}`]);
  await eventually(async () => {
    const counts = platform.fleet.nodes.map(async node => (await containersOf(platform, node.name, service)).length);
    expect((await Promise.all(counts)).reduce((sum, one) => sum + one, 0)).toBe(replicas);
  }, 120_000);
}

/** Postgres comes back on a new volume, as after a lost disk; the schedulers run all the time. */
async function emptyDatabase(platform: Platform): Promise<void> {
  const home = (await postgresAt(platform)).node;
  await scale(platform, "postgres", 0);
  // Swarm keeps the last tasks' containers, and they hold the volume.
  const old = await docker(platform.fleet, home, ["ps", "-aq", "--filter", `volume=${DATA}`]);
  const ids = old.split("\n").filter(Boolean);
  if (ids.length > 0) await docker(platform.fleet, home, ["rm", "-f", ...ids]);
  await docker(platform.fleet, home, ["volume", "rm", DATA]);
  await scale(platform, "postgres", 1);
}

async function restartAgent(platform: Platform, node: string): Promise<void> {
  const [id] = await containersOf(platform, node, "agent");
  if (id === undefined) throw new Error(`${node} runs no agent`);
  await docker(platform.fleet, node, ["kill", "--signal", "KILL", id]);
  await eventually(async () => expect(await containersOf(platform, node, "agent")).toHaveLength(1), 60_000);
}

async function inPostgres(platform: Platform, argv: readonly string[]): Promise<void> {
  const { node, id } = await postgresAt(platform);
  await docker(platform.fleet, node, ["exec", id, ...argv]);
}

async function postgresAt(platform: Platform): Promise<{ readonly node: string; readonly id: string }> {
  for (const { name: node } of platform.fleet.nodes) {
    const [id] = await containersOf(platform, node, "postgres");
    if (id !== undefined) return { node, id };
  }
  throw new Error("no node runs the stack's postgres");
}

async function containersOf(platform: Platform, node: string, service: string): Promise<readonly string[]> {
  const filter = `label=com.docker.swarm.service.name=skep_${service}`;
  return (await docker(platform.fleet, node, ["ps", "-q", "--filter", filter])).split("\n").filter(Boolean);
}
