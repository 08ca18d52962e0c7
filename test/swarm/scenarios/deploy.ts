import { expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { seenContainers, webApp } from "../apps.ts";
import { askEdge } from "../edge-client.ts";
import type { Platform } from "../platform.ts";

/**
 * Waits until every node's Traefik leads to all `instances` copies of the app. Where that fails,
 * the error shows what the platform says of its apps and nodes.
 */
export async function answersEverywhere(
  platform: Platform,
  host: string,
  instances: number,
  timeoutMs = 30_000,
): Promise<void> {
  try {
    await answers(platform, host, instances, timeoutMs);
  } catch (error) {
    const said = await Promise.all([["ps"], ["nodes"], ["status"], ["events"]].map(words => platform.skep(words)));
    const containers = JSON.stringify(await seenContainers(platform).catch(String));
    throw new Error([String(error), ...said.map(one => one.stdout + one.stderr), containers].join("\n"), {
      cause: error,
    });
  }
}

async function answers(platform: Platform, host: string, instances: number, timeoutMs: number): Promise<void> {
  for (const node of platform.fleet.nodes) {
    await eventually(async () => {
      const names = new Set<string>();
      for (let ask = 0; ask < instances * 4; ask += 1) {
        const answer = await askEdge(node.address, host, "/hostname");
        expect(answer.status, `${host} at ${node.name}: ${answer.body}`).toBe(200);
        names.add(answer.body);
      }
      expect(names.size, `instances of ${host} that answered at ${node.name}`).toBe(instances);
    }, timeoutMs);
  }
}

/** Three ways in, one result. */
export function deployScenarios(given: () => Platform): void {
  it("deploys a Compose file by the command, and each of its three copies answers through every node's Traefik", async () => {
    const platform = given();
    const result = await platform.skep(["deploy", "-f", "-"], webApp(platform, "web", 3));
    expect(result.code, result.stdout + result.stderr).toBe(0);
    await answersEverywhere(platform, "web.test", 3);
  });

  it("deploys by the generated Connect client", async () => {
    const platform = given();
    await platform.client.deployments.createDeployment({
      projectId: "default",
      name: "typed",
      image: platform.images["go-httpbin"] ?? "",
      port: 8080,
      domain: "typed.test",
      replicas: 2,
      envVars: { USE_REAL_HOSTNAME: "true" },
    });
    await answersEverywhere(platform, "typed.test", 2);
  });

  it("deploys by curl on the REST path", async () => {
    const platform = given();
    const answer = await fetch(`${platform.apiUrl}/api/v1/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${platform.token}` },
      body: JSON.stringify({
        project_id: "default",
        name: "rest",
        image: platform.images["go-httpbin"],
        port: 8080,
        domain: "rest.test",
        git_repo: "https://git.test/rest",
        branch: "main",
        env_vars: { USE_REAL_HOSTNAME: "true" },
      }),
    });
    expect(answer.status, await answer.clone().text()).toBe(200);
    await answersEverywhere(platform, "rest.test", 1);
  });

  it("records locations that equal what docker says on the nodes, field by field", async () => {
    const platform = given();
    await eventually(async () => expect(await recorded(platform)).toEqual(await running(platform)), 20_000);
    expect((await running(platform)).length).toBe(6);
  });

  it("answers the SQL that the requirements name", async () => {
    const platform = given();
    const locations = await platform.sql("SELECT * FROM deployment_locations WHERE deployment_id = 'default.web-app'");
    expect(locations).toHaveLength(3);
    expect(new Set(locations.map(row => row["status"]))).toEqual(new Set(["running"]));
    const nodes = await platform.sql(
      "SELECT * FROM node_metadata WHERE availability = 'active' ORDER BY deployment_count ASC",
    );
    expect(nodes).toHaveLength(3);
    const [route] = await platform.sql("SELECT * FROM deployment_routing WHERE domain = 'web.test'");
    expect(route).toMatchObject({ deployment_id: "default.web-app", target_port: 8080 });
    expect(route).toHaveProperty("load_balancer_algo");
  });

  it("shows the apps, their instances and why they are where they are, for people and for programs", async () => {
    const platform = given();
    const ps = await platform.skep(["ps", "--output", "json"]);
    expect(JSON.parse(ps.stdout)).toHaveLength(6);
    expect((await platform.skep(["apps"])).stdout).toContain("web-app");
    expect((await platform.skep(["explain", "web-app"])).code).toBe(0);
    expect((await platform.skep(["routes"])).stdout).toContain("web.test");
    expect((await platform.skep(["status"])).code).toBe(0);
    expect((await platform.skep(["describe", "web-app"])).code).toBe(0);
    expect((await platform.skep(["events"])).code).toBe(0);
  });

  it("shows the last lines that each copy printed", async () => {
    const platform = given();
    // The probe asks each copy once a second, and go-httpbin prints a line for each request.
    const logs = await platform.skep(["logs", "web-app", "--tail", "5"]);
    expect(logs.code, logs.stderr).toBe(0);
    const lines = logs.stdout.split("\n").filter(Boolean);
    const perCopy = Map.groupBy(lines, line => line.split(" ")[0]);
    expect([...perCopy.values()].map(each => each.length)).toEqual([5, 5, 5]);
  });

  it("runs a command in a container, with its output, its input and its exit code", async () => {
    const platform = given();
    const skep = (...argv: string[]): ReturnType<Platform["skep"]> => platform.skep(["exec", ...argv], "from afar\n");
    const ran = await skep("web-app", "--", "sh", "-c", "echo out; echo err >&2; exit 42");
    expect(ran).toEqual({ code: 42, stdout: "out\n", stderr: "err\n" });
    expect(await skep("web-app", "-i", "--", "cat")).toEqual({ code: 0, stdout: "from afar\n", stderr: "" });
    const missing = await skep("web-app", "--", "no-such-program");
    expect(missing).toMatchObject({ code: 127, stdout: "" });
    expect(missing.stderr).toMatch(/no-such-program.*not found/);
    expect(await skep("web-app.99", "--", "true")).toMatchObject({ code: 5 });
    const events = await platform.skep(["events", "web-app"]);
    expect(events.stdout).toMatch(/exec .* asked to run sh in container \S+ of default\.web-app\.\d+ on \S+/);
    expect(events.stdout).not.toContain("exit 42");
  });

  it("scales down and up again", async () => {
    const platform = given();
    expect((await platform.skep(["scale", "web-app=1"])).code).toBe(0);
    await eventually(async () => expect(await seenContainers(platform, "default.web-app")).toHaveLength(1), 30_000);
    await answersEverywhere(platform, "web.test", 1);
    expect((await platform.skep(["scale", "web-app=3"])).code).toBe(0);
    await answersEverywhere(platform, "web.test", 3);
  });
}

interface Place {
  readonly deployment: string;
  readonly instance: string;
  readonly epoch: number;
  readonly nodeId: string;
  readonly containers: readonly string[];
  readonly status: string;
  readonly ports: readonly number[];
}

const byInstance = (a: Place, b: Place): number => a.instance.localeCompare(b.instance);

async function running(platform: Platform): Promise<Place[]> {
  const containers = await seenContainers(platform);
  return containers
    .map(one => ({
      deployment: one.deployment,
      instance: one.instance,
      epoch: one.epoch,
      nodeId: one.nodeId,
      containers: [one.id],
      status: one.state,
      ports: one.hostPorts,
    }))
    .toSorted(byInstance);
}

async function recorded(platform: Platform): Promise<Place[]> {
  const rows = await platform.client.instances.listLocations({});
  const states = [
    "",
    "pending",
    "assigned",
    "preparing",
    "starting",
    "running",
    "stopping",
    "stopped",
    "failed",
    "lost",
  ];
  return rows.locations
    .map(row => ({
      deployment: row.deploymentId,
      instance: row.instanceId,
      epoch: row.epoch,
      nodeId: row.nodeId,
      containers: row.containerIds,
      status: states[row.status] ?? "",
      ports: row.ports.map(port => port.hostPort).toSorted((a, b) => a - b),
    }))
    .toSorted(byInstance);
}
