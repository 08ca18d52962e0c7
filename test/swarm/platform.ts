import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { docker, downFleet, openFleet, upFleet, type Fleet, type FleetNode } from "@skep/devswarm/fleet.ts";
import { bootstrapStack } from "@skep/deploy/bootstrap.ts";
import { imageNames, workspaceEngines } from "@skep/deploy/images/names.ts";
import { publishImages } from "@skep/deploy/images/publish.ts";
import { workspaceOfPod } from "@skep/core/workspace/pod.ts";
import type { SkepClient } from "@skep/sdk/index.ts";
import { connect } from "@skep/sdk/node.ts";
import { afterAll, beforeAll } from "vitest";
import { eventually } from "../support/eventually.ts";
import { root } from "../tidy/sources.ts";

/** A whole Skep on a real Swarm of three engines, deployed from the production stack file. */
export interface Platform {
  readonly fleet: Fleet;
  readonly client: SkepClient;
  readonly apiUrl: string;
  readonly token: string;
  /** Full references of the images that were published, by name. */
  readonly images: Readonly<Record<string, string>>;
  /** Runs the `skep` command as a person would. */
  skep(
    argv: readonly string[],
    input?: string,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** Rows of a query against the stack's own Postgres. */
  sql(query: string): Promise<readonly Record<string, unknown>[]>;
  /** A secret of the stack, by the name that it has there. */
  secret(name: string): Promise<string>;
  /** Runs any statement; answers what `RETURNING` gave, a line per row. */
  sqlRun(statement: string): Promise<string>;
}

const FLEET = "swarmtest";
const SECRETS = join(homedir(), ".config", "skep", FLEET);
const STACK = "skep";

/** Has one platform up for all tests of a file. What it answers gives it to a test that runs. */
export function usePlatform(): () => Platform {
  let platform: Platform | undefined;
  beforeAll(async () => {
    platform = await upPlatform();
  });
  afterAll(downPlatform);
  return () => {
    if (!platform) throw new Error("the platform did not come up, see above");
    return platform;
  };
}

/** Brings the platform up; with SKEP_KEEP_FLEET=1 a fleet that runs already is used as it is. */
async function upPlatform(): Promise<Platform> {
  const note = (text: string, ms: number): void => console.log(`  ${text} (${(ms / 1000).toFixed(1)} s)`);
  const fleet =
    (process.env["SKEP_KEEP_FLEET"] && (await openFleet(FLEET))) ||
    (await upFleet({ name: FLEET, nodes: 3, managers: 1, onStep: note }));
  const manager = nodeOf(fleet, "node-1");
  const images = await publishImages({
    docker: (argv, options) => docker(fleet, manager.name, argv, options),
    socket: manager.socket,
    registry: fleet.registry,
    which: [...workspaceEngines, ...imageNames, "workspace"],
    onStep: note,
  });
  const { apiToken, secretsDir } = await bootstrapStack({
    socket: manager.socket,
    images,
    stackFile: join(root, "stack", "skep.yml"),
    hasWorkspaces: true,
    stackName: STACK,
    secretsDir: SECRETS,
    // The node of the engines keeps their data: a host is to die without it.
    env: { SKEP_WORKSPACE_HOSTS_CONSTRAINT: "node.hostname != node-1" },
    onStep: note,
  });
  const apiUrl = `http://${manager.address}:7700`;
  // As a client of the platform would: with every server that a node may have.
  const servers = fleet.nodes.map(({ address }) => `http://${address}:7700`).join(",");
  const client = connect({ url: servers, token: apiToken });
  await eventually(async () => {
    const { nodes } = await client.platform.getStatus({});
    if (nodes["ready"] !== fleet.nodes.length) throw new Error(`nodes are ${JSON.stringify(nodes)}`);
  }, 60_000);
  await emptied(client);
  return {
    fleet,
    apiUrl,
    token: apiToken,
    images,
    client,
    skep: (argv, input) =>
      runSkep(argv, { SKEP_URL: servers, SKEP_TOKEN_FILE: join(secretsDir, "api-token"), ...imageEnv(images) }, input),
    sql: query => sqlRows(fleet, query),
    secret: name => readFile(join(SECRETS, name.replaceAll("_", "-")), "utf8"),
    sqlRun: statement => psql(fleet, statement),
  };
}

/** Takes the fleet down, unless SKEP_KEEP_FLEET=1 wishes to look at it. */
async function downPlatform(): Promise<void> {
  if (!process.env["SKEP_KEEP_FLEET"]) await downFleet(FLEET);
}

/** A fleet that was kept has what an earlier run deployed: it goes, with its tenants. */
async function emptied(client: SkepClient): Promise<void> {
  for (const { id } of (await client.workspaces.listWorkspaces({ pageSize: 1000 })).workspaces)
    await client.workspaces.deleteWorkspace({ workspaceId: id });
  const { deployments: found } = await client.deployments.listDeployments({ pageSize: 1000 });
  // A pod goes with its workspace, and by nobody's hand.
  for (const { id } of found.filter(one => workspaceOfPod(one.id) === undefined))
    await client.deployments.deleteDeployment({ deploymentId: id });
  await eventually(async () => {
    const { deployments } = await client.deployments.listDeployments({});
    if (deployments.length > 0) throw new Error(`${deployments.length} deployments are still there`);
  }, 120_000);
  for (const { owner, name, nodeId } of (await client.volumes.listVolumes({})).volumes)
    await client.volumes.deleteVolume({ owner, name, node: nodeId });
  for (const { id } of (await client.tenants.listTenants({ pageSize: 1000 })).tenants)
    if (id !== "default") await client.tenants.deleteTenant({ tenantId: id });
}

/** The node of that name. @throws Error naming the ones there are. */
export function nodeOf(fleet: Fleet, name: string): FleetNode {
  const node = fleet.nodes.find(each => each.name === name);
  if (node) return node;
  throw new Error(
    `no node ${name} in the fleet ${fleet.name}: there are ${fleet.nodes.map(each => each.name).join(", ")}`,
  );
}

/** The sample images under the names that the sample files interpolate. */
export function imageEnv(images: Readonly<Record<string, string>>): Record<string, string> {
  return {
    HTTPBIN_IMAGE: images["go-httpbin"] ?? "",
    NGINX_IMAGE: images["nginx"] ?? "",
    BUSYBOX_IMAGE: images["busybox"] ?? "",
  };
}

function runSkep(argv: readonly string[], env: Record<string, string>, input?: string): ReturnType<Platform["skep"]> {
  return new Promise(resolve => {
    const child = execFile(
      process.execPath,
      [join(root, "packages", "cli", "src", "main.ts"), ...argv],
      { env: { ...process.env, ...env }, cwd: root, maxBuffer: 32 * 1024 * 1024 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr }),
    );
    child.stdin?.end(input ?? "");
  });
}

async function psql(fleet: Fleet, statement: string): Promise<string> {
  for (const node of fleet.nodes) {
    const id = (
      await docker(fleet, node.name, [
        "ps",
        "-q",
        "--filter",
        `label=com.docker.swarm.service.name=${STACK}_postgres`,
      ]).catch(() => "")
    ).trim();
    if (id !== "")
      return docker(
        fleet,
        node.name,
        ["exec", "-i", id, "psql", "-U", "skep", "-d", "skep", "-qAt", "-v", "ON_ERROR_STOP=1"],
        { input: statement },
      );
  }
  throw new Error("no node runs the stack's postgres");
}

async function sqlRows(fleet: Fleet, query: string): Promise<readonly Record<string, unknown>[]> {
  const text = await psql(fleet, `SELECT coalesce(json_agg(t), '[]') FROM (${query.replace(/;\s*$/, "")}) t;`);
  return JSON.parse(text) as Record<string, unknown>[];
}
