import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { HealthCheckResponse_ServingStatus as Status, Health } from "@skep/api/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@skep/api/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@skep/api/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestServer } from "./testing/test-server.ts";
import type { TestServer } from "./testing/test-server.ts";

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(async () => await test[Symbol.asyncDispose]());

describe("gRPC health and reflection", () => {
  it("says SERVING while the store answers, NOT_SERVING while not, without a token", async () => {
    const health = createClient(Health, createGrpcTransport({ baseUrl: test.url }));
    await vi.waitFor(async () => expect((await health.check({})).status).toBe(Status.SERVING));
    expect((await health.check({ service: "skep.v1.NodeService" })).status).toBe(Status.SERVING);
    await expect(health.check({ service: "skep.v1.Nothing" })).rejects.toMatchObject({ code: Code.NotFound });
    const statuses: Status[] = [];
    for await (const { status } of health.watch({})) {
      statuses.push(status);
      test.isReady = statuses.length % 2 === 0;
      if (statuses.length === 3) break;
    }
    test.isReady = true;
    expect(statuses).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
  });

  it.each([
    ["v1", ServerReflection],
    ["v1alpha", ServerReflectionAlpha],
  ] as const)("lists the services and hands out files that compile, %s", async (_, service) => {
    const reflection = createClient(service as typeof ServerReflection, createGrpcTransport({ baseUrl: test.url }));
    async function* questions(): AsyncIterable<{
      messageRequest: { case: "listServices" | "fileContainingSymbol" | "fileByFilename"; value: string };
    }> {
      yield { messageRequest: { case: "listServices", value: "" } };
      yield { messageRequest: { case: "fileContainingSymbol", value: "skep.v1.DeploymentService.CreateDeployment" } };
      yield { messageRequest: { case: "fileByFilename", value: "no/such.proto" } };
      yield { messageRequest: { case: "fileContainingSymbol", value: "skep.v1.ErrorDetail" } };
    }
    const answers = [];
    for await (const reply of reflection.serverReflectionInfo(questions())) answers.push(reply.messageResponse);
    const [list, file, missing, detail] = answers;
    if (list?.case !== "listServicesResponse" || file?.case !== "fileDescriptorResponse")
      throw new Error("wrong answers");
    expect(list.value.service.map(one => one.name)).toEqual(
      expect.arrayContaining(["grpc.health.v1.Health", "skep.v1.DeploymentService", "skep.v1.TenantService"]),
    );
    const files = file.value.fileDescriptorProto.map(bytes => fromBinary(FileDescriptorProtoSchema, bytes));
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files.toReversed() }));
    expect(registry.getService("skep.v1.DeploymentService")?.methods.length).toBe(14);
    expect([missing?.case, detail?.case]).toEqual(["errorResponse", "fileDescriptorResponse"]);
  });
});
