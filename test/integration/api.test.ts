import { create } from "@bufbuild/protobuf";
import { specToProto } from "@skep/api/codec/spec.ts";
import { DeploymentSpecSchema } from "@skep/api/gen/skep/v1/spec_pb.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import { createTestPlatform } from "@skep/scheduler/api/testing/platform.ts";
import { createClient } from "@skep/sdk/client.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStoreServer, type StoreServer } from "../support/postgres.ts";

let postgres: StoreServer;

beforeAll(async () => {
  postgres = await startStoreServer();
});
afterAll(() => postgres.server.close());

const spec = (over: Parameters<typeof aSpec>[0] = {}) => create(DeploymentSpecSchema, specToProto(aSpec(over)));

describe("the API's handlers on Postgres", () => {
  it("carry a deployment from its creation to its end", async () => {
    const store = await postgres.openStore();
    const platform = createTestPlatform({ store });
    const client = createClient({ transport: platform.transport });
    await platform.addNodes({ id: "node1", hostname: "n1", role: "manager" }, { id: "node2", hostname: "n2" });
    const container = aContainer({
      ports: [{ containerPort: 80, protocol: "tcp", hostPort: undefined }],
      labels: { "traefik.http.routers.web.rule": "Host(`web.example`)" },
    });
    const deploymentId = "default.web";
    const { deployment } = await client.deployments.createDeployment({
      tenantId: "default",
      spec: spec({ replicas: 2, containers: [container] }),
      idempotencyKey: "once",
    });
    expect(deployment).toMatchObject({ id: deploymentId, resourceVersion: 1n, domains: ["web.example"] });
    await platform.converge();
    const found = (await client.deployments.getDeployment({ deploymentId })).deployment;
    expect(found?.status).toMatchObject({ healthy: 2, converged: true });
    expect((await client.instances.listLocations({ deploymentId })).locations).toHaveLength(2);
    expect((await client.routing.getRoute({ domain: "web.example" })).routes[0]?.servers).toHaveLength(2);
    expect((await client.deployments.explainPlacement({ deploymentId })).placements).toHaveLength(2);
    expect(await client.platform.getStatus({})).toMatchObject({ nodes: { ready: 2 }, instances: { running: 2 } });
    const stale = { deploymentId, replicas: 1, resourceVersion: 9n };
    await expect(client.deployments.scaleDeployment(stale)).rejects.toMatchObject({ reason: "STALE_VERSION" });
    await client.tenants.createTenant({ tenantId: "rival", quota: { instances: 1 } });
    const thief = { tenantId: "rival", spec: spec({ name: "thief", containers: [container] }) };
    await expect(client.deployments.createDeployment(thief)).rejects.toMatchObject({ reason: "DOMAIN_TAKEN" });
    const greedy = { tenantId: "rival", spec: spec({ replicas: 2 }) };
    await expect(client.deployments.createDeployment(greedy)).rejects.toMatchObject({ reason: "QUOTA_EXCEEDED" });
    await client.deployments.deleteDeployment({ deploymentId });
    await platform.converge();
    expect((await client.deployments.listDeployments({})).deployments).toEqual([]);
    await store.close();
  });

  it("refuse a NUL character, which Postgres cannot store, by the name of its field", async () => {
    const store = await postgres.openStore();
    const { transport } = createTestPlatform({ store });
    const client = createClient({ transport });
    const container = aContainer({ env: { WORD: "a\0b" } });
    const refused: readonly (readonly [string, Promise<unknown>])[] = [
      ["tenantId", client.tenants.createTenant({ tenantId: "a\0b" })],
      ["tenantId", client.tenants.getTenant({ tenantId: "a\0b" })],
      ["idempotencyKey", client.tenants.createTenant({ tenantId: "acme", idempotencyKey: "a\0b" })],
      ["pageToken", client.deployments.listDeployments({ pageToken: "a\0b" })],
      ["deploymentId", client.deployments.getDeployment({ deploymentId: "a\0b" })],
      ["spec.name", client.deployments.createDeployment({ tenantId: "default", spec: spec({ name: "a\0b" }) })],
      [
        "spec.containers[0].env.WORD",
        client.deployments.createDeployment({ tenantId: "default", spec: spec({ containers: [container] }) }),
      ],
      [
        "spec.containers[0].labels.word",
        client.deployments.createDeployment({
          tenantId: "default",
          spec: spec({ containers: [aContainer({ labels: { word: "a\0b" } })] }),
        }),
      ],
    ];
    for (const [field, request] of refused)
      await expect(request, field).rejects.toMatchObject({
        code: "invalid_argument",
        reason: "NUL_IN_TEXT",
        message: `${field} holds a NUL character: remove it.`,
      });
    await store.close();
  });
});
