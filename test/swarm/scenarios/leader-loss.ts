import { expect, it } from "vitest";
import { docker } from "@skep/devswarm/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { seenContainers } from "../apps.ts";
import type { Platform } from "../platform.ts";

const TENANTS = Array.from({ length: 20 }, (_, index) => `crowd-${index + 1}`);

/** A leader that dies in the middle of many deployments changes nothing but their speed. */
export function leaderLossScenarios(given: () => Platform): void {
  it("runs each of 20 tenants exactly once though the leader is killed in the middle", async () => {
    const platform = given();
    // A fleet that is kept between runs remembers keys.
    const run = Date.now();
    const image = platform.images["go-httpbin"] ?? "";
    const deploys = TENANTS.map(async (tenant, index) => {
      await until(() =>
        platform.client.tenants.createTenant({ tenantId: tenant, idempotencyKey: `tenant-${tenant}-${run}` }),
      );
      await until(() =>
        platform.client.deployments.createDeployment({
          projectId: tenant,
          name: "app",
          image,
          port: 8080,
          idempotencyKey: `deploy-${tenant}-${run}`,
        }),
      );
      if (index === 9) await killLeader(platform);
    });
    await Promise.all(deploys);
    await eventually(async () => {
      const crowd = (await seenContainers(platform)).filter(one => one.deployment.startsWith("crowd-"));
      expect(crowd.map(one => one.deployment).toSorted()).toEqual(TENANTS.map(tenant => `${tenant}.app`).toSorted());
      expect(new Set(crowd.map(one => one.state))).toEqual(new Set(["running"]));
    }, 120_000);
    for (const tenant of TENANTS)
      await until(() =>
        platform.client.deployments.deleteDeployment({
          deploymentId: `${tenant}.app`,
          idempotencyKey: `delete-${tenant}-${run}`,
        }),
      );
    await eventually(
      async () =>
        expect((await seenContainers(platform)).filter(one => one.deployment.startsWith("crowd-"))).toEqual([]),
      120_000,
    );
  });
}

/** Repeats a request while a scheduler is away, as every client of a replicated API does. */
async function until<T>(request: () => Promise<T>): Promise<T> {
  const deadlineAt = performance.now() + 60_000;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (performance.now() > deadlineAt) throw error;
      await new Promise(resolve => setTimeout(resolve, 250));
    }
  }
}

/** SIGKILL to the container of the scheduler that leads. */
async function killLeader(platform: Platform): Promise<void> {
  const status = await until(() => platform.client.platform.getStatus({}));
  const leader = status.replicas.find(replica => replica.leading)?.name ?? "nobody";
  for (const node of platform.fleet.nodes) {
    const ids = (
      await docker(platform.fleet, node.name, [
        "ps",
        "-q",
        "--no-trunc",
        "--filter",
        "label=com.docker.swarm.service.name=skep_scheduler",
      ])
    )
      .split("\n")
      .filter(Boolean);
    for (const id of ids)
      if (id.startsWith(leader))
        return void (await docker(platform.fleet, node.name, ["kill", "--signal", "KILL", id]));
  }
  throw new Error(`no scheduler container matches the leader ${leader}`);
}
