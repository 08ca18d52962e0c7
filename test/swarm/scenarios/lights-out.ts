import { expect, it } from "vitest";
import { docker } from "@skep/devswarm/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { seenContainers } from "../apps.ts";
import { askEdge } from "../edge-client.ts";
import type { Platform } from "../platform.ts";

const CONTROL_PLANE = ["skep_scheduler", "skep_nats", "skep_postgres"];

/** Tenants do not need the control plane to go on. */
export function lightsOutScenarios(given: () => Platform): void {
  it("says long before a call times out that Postgres is gone, and takes work within 10 s of its return", async () => {
    const platform = given();
    const { deployments } = platform.client;
    const scale = (replicas: number): Promise<string> =>
      docker(platform.fleet, "node-1", ["service", "scale", "-d", `skep_postgres=${replicas}`]);
    const image = platform.images["go-httpbin"] ?? "";
    const create = (): Promise<unknown> =>
      deployments.createDeployment({ projectId: "default", name: "late", image, port: 8080 });
    await scale(0);
    await eventually(async () => expect(await controlContainers(platform)).not.toContain("skep_postgres"), 90_000);

    for (const ask of [create, () => deployments.listDeployments({})]) {
      const startedAt = performance.now();
      await expect(ask()).rejects.toMatchObject({ code: "unavailable" });
      // The client asks each of the three servers, and a call may take 30 s.
      expect(performance.now() - startedAt, "ms until the answer").toBeLessThan(15_000);
    }
    for (const node of platform.fleet.nodes) {
      const asks = Array.from({ length: 10 }, () => askEdge(node.address, "web.test", "/status/200"));
      expect((await Promise.all(asks)).map(answer => answer.status)).toEqual(asks.map(() => 200));
    }

    await scale(1);
    const healthy = (): Promise<string[]> => controlContainers(platform, ["--filter", "health=healthy"]);
    await eventually(async () => expect(await healthy()).toContain("skep_postgres"), 120_000);
    await eventually(create, 10_000);
    await deployments.deleteDeployment({ deploymentId: "default.late" });
    await eventually(
      () =>
        expect(deployments.getDeployment({ deploymentId: "default.late" })).rejects.toMatchObject({
          code: "not_found",
        }),
      60_000,
    );
  });

  it("keeps tenants answering and restarts what crashes while schedulers, NATS and Postgres are gone", async () => {
    const platform = given();
    await docker(platform.fleet, "node-1", ["service", "scale", "-d", ...CONTROL_PLANE.map(name => `${name}=0`)]);
    await eventually(async () => expect(await controlContainers(platform)).toEqual([]), 90_000);

    const before = (await seenContainers(platform, "default.web-app")).filter(one => one.state === "running");
    expect(before).toHaveLength(3);
    const [victim] = before;
    if (!victim) throw new Error("web has no container");
    await docker(platform.fleet, victim.node, ["kill", "--signal", "KILL", victim.id]);
    await eventually(async () => {
      const now = (await seenContainers(platform, "default.web-app")).filter(one => one.instance === victim.instance);
      expect(now.map(one => one.state)).toEqual(["running"]);
    }, 20_000);
    for (const node of platform.fleet.nodes) {
      await eventually(async () => {
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => askEdge(node.address, "web.test", "/status/200")),
        );
        expect(answers.map(answer => answer.status)).toEqual(answers.map(() => 200));
      }, 20_000);
    }
  });

  it("converges within seconds of the return of the control plane", async () => {
    const platform = given();
    const containers = (await seenContainers(platform)).map(one => one.id).toSorted();
    await docker(platform.fleet, "node-1", [
      "service",
      "scale",
      "-d",
      "skep_nats=1",
      "skep_postgres=1",
      "skep_scheduler=3",
    ]);
    await eventually(async () => {
      const status = await platform.client.platform.getStatus({});
      expect(status.nodes["ready"]).toBe(3);
    }, 120_000);
    await eventually(async () => {
      const { deployments } = await platform.client.deployments.listDeployments({});
      expect(deployments.map(one => [one.id, one.status?.converged])).toEqual(deployments.map(one => [one.id, true]));
    }, 30_000);
    expect((await seenContainers(platform)).map(one => one.id).toSorted()).toEqual(containers);
  });
}

async function controlContainers(platform: Platform, filter: readonly string[] = []): Promise<string[]> {
  const lists = platform.fleet.nodes.map(async node => {
    const names = (
      await docker(platform.fleet, node.name, [
        "ps",
        ...filter,
        "--format",
        '{{.Label "com.docker.swarm.service.name"}}',
      ])
    ).split("\n");
    return names.filter(name => CONTROL_PLANE.includes(name));
  });
  return (await Promise.all(lists)).flat();
}
