import { createClient as connectClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { Health } from "@skep/api/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@skep/api/gen/grpc/reflection/v1/reflection_pb.ts";
import { expect, it } from "vitest";
import type { Platform } from "../platform.ts";

/** Every protocol on the scheduler's one published port. */
export function protocolScenarios(given: () => Platform): void {
  const grpc = (): ReturnType<typeof createGrpcTransport> => createGrpcTransport({ baseUrl: given().apiUrl });

  it("speaks Connect over HTTP/1.1 as curl does", async () => {
    const platform = given();
    const answer = await fetch(`${platform.apiUrl}/skep.v1.PlatformService/GetStatus`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${platform.token}` },
      body: "{}",
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ nodes: { ready: 3 } });
  });

  it("speaks gRPC over HTTP/2", async () => {
    const client = connectClient(PlatformService, grpc());
    const status = await client.getStatus({}, { headers: { authorization: `Bearer ${given().token}` } });
    expect(status.nodes["ready"]).toBe(3);
  });

  it("answers gRPC health checks", async () => {
    const answer = await connectClient(Health, grpc()).check({ service: "" });
    expect(answer.status).toBe(1);
  });

  it("describes itself by gRPC reflection", async () => {
    const client = connectClient(ServerReflection, grpc());
    async function* ask(): AsyncGenerator<{ messageRequest: { case: "listServices"; value: string } }> {
      yield { messageRequest: { case: "listServices", value: "" } };
    }
    const names: string[] = [];
    for await (const answer of client.serverReflectionInfo(ask(), {
      headers: { authorization: `Bearer ${given().token}` },
    })) {
      if (answer.messageResponse.case === "listServicesResponse")
        names.push(...answer.messageResponse.value.service.map(service => service.name));
    }
    expect(names).toContain("skep.v1.DeploymentService");
    expect(names).toContain("grpc.health.v1.Health");
  });

  it("refuses whoever brings no token", async () => {
    const answer = await fetch(`${given().apiUrl}/api/v1/deployments`);
    expect(answer.status).toBe(401);
  });

  it("serves the OpenAPI description of its REST paths", async () => {
    const platform = given();
    const answer = await fetch(`${platform.apiUrl}/api/v1/openapi.json`, {
      headers: { authorization: `Bearer ${platform.token}` },
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ paths: { "/api/v1/deployments": { post: {} } } });
  });
}
