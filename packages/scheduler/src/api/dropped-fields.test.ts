import { createClient } from "@connectrpc/connect";
import { specToProto } from "@skep/api/codec/spec.ts";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { failureOf } from "./testing/failure.ts";
import { createTestPlatform } from "./testing/platform.ts";

async function start() {
  const { transport } = createTestPlatform();
  await createClient(TenantService, transport).createTenant({ tenantId: "acme" });
  return { deployments: createClient(DeploymentService, transport) };
}

describe("a request whose fields would be dropped", () => {
  it.each([
    ["replicas", { replicas: 5 }],
    ["domain", { domain: "a.example" }],
    ["env_vars", { envVars: { A: "1" } }],
    ["name", { name: "other" }],
    ["port", { port: 99 }],
    ["branch", { branch: "main" }],
  ])("drops no %s that stands beside a spec", async (_, flat) => {
    const { deployments } = await start();
    const refused = await failureOf(
      deployments.createDeployment({ tenantId: "acme", spec: specToProto(aSpec()), ...flat }),
    );
    expect(refused).toMatchObject({ code: "invalid_argument", reason: "INVALID_REQUEST" });
  });

  it("takes neither two tenants nor a branch of no repository", async () => {
    const { deployments } = await start();
    const flat = { projectId: "acme", image: "nginx" };
    const twice = await failureOf(deployments.createDeployment({ ...flat, tenantId: "globex" }));
    expect(twice.message).toContain("the tenant twice");
    const branch = await failureOf(deployments.createDeployment({ ...flat, branch: "main" }));
    expect(branch.message).toContain("git_repo");
  });

  it("scales to nothing only where that is said", async () => {
    const { deployments } = await start();
    await deployments.createDeployment({ tenantId: "acme", spec: specToProto(aSpec()) });
    const silent = await failureOf(deployments.scaleDeployment({ deploymentId: "acme.web" }));
    expect(silent).toMatchObject({ code: "invalid_argument", reason: "INVALID_REQUEST" });
    const { deployment } = await deployments.scaleDeployment({ deploymentId: "acme.web", replicas: 0 });
    expect(deployment?.replicas).toBe(0);
  });
});
