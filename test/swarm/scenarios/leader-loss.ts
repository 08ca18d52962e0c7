import { expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { seenContainers } from "../apps.ts";
import { killLeader, until } from "../leader.ts";
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
