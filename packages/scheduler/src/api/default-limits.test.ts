import { createClient } from "@connectrpc/connect";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { expect, it } from "vitest";
import { createTestPlatform } from "./testing/platform.ts";

const LIMITS = { cpuMillis: 250, memoryBytes: 64 * 2 ** 20, pids: 32 };

it("is what a container gets that says no limits, where a larger reservation lifts it", async () => {
  const { transport } = createTestPlatform({ defaultLimits: LIMITS });
  const api = createClient(DeploymentService, transport);
  await createClient(TenantService, transport).createTenant({ tenantId: "acme" });
  const container = { name: "app", image: "a" };
  const resources = { reserveMemoryBytes: 2n ** 30n, reserveCpuMillis: 100 };
  const made = [
    await api.createDeployment({ tenantId: "acme", spec: { name: "plain", containers: [container] } }),
    await api.createDeployment({ tenantId: "acme", spec: { name: "big", containers: [{ ...container, resources }] } }),
    await api.createDeployment({ projectId: "acme", name: "flat", image: "a" }),
  ];
  const few = { cpuMillis: 250, memoryBytes: 64n * 2n ** 20n, pids: 32 };
  expect(made.map(({ deployment }) => deployment?.spec?.containers[0]?.resources)).toMatchObject([
    few,
    { ...few, memoryBytes: 2n ** 30n },
    few,
  ]);
  expect(await api.getDefaultLimits({})).toMatchObject(few);
});
