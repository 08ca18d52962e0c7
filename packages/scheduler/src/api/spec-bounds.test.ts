import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { specToProto } from "@skep/api/codec/spec.ts";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { DeploymentSpecSchema } from "@skep/api/gen/skep/v1/spec_pb.ts";
import type { ContainerSpec } from "@skep/core/model/deployment.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import { validateSpec } from "@skep/core/model/validate.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { createTestPlatform } from "./testing/platform.ts";

const many = <T>(count: number, one: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => one(at));
const entries = (count: number): Record<string, string> => Object.fromEntries(many(count, at => [`K${at}`, "x"]));
const port = (containerPort: number) => ({ containerPort, protocol: "tcp", hostPort: undefined }) as const;
const check = {
  intervalMs: 100,
  retries: 1,
  startPeriodMs: 0,
  probe: { kind: "docker", test: ["CMD", "true"] },
} as const;

/** A spec at a bound, which is 0 beyond it or 1 beyond it. */
const BOUNDS: Readonly<Record<string, (beyond: 0 | 1) => Partial<ContainerSpec>>> = {
  ports: beyond => ({ ports: many(64 + beyond, at => port(at + 1)) }),
  env: beyond => ({ env: entries(512 + beyond) }),
  "a value of env": beyond => ({ env: { A: "\u{1f600}" + "x".repeat(65_535 + beyond) } }),
  labels: beyond => ({ labels: entries(256 + beyond) }),
  "a label's value": beyond => ({ labels: { a: "x".repeat(8_192 + beyond) } }),
  command: beyond => ({ command: many(256 + beyond, () => "x") }),
  "a word of the entrypoint": beyond => ({ entrypoint: ["x".repeat(32_768 + beyond)] }),
  volumes: beyond => ({ volumes: many(64 + beyond, at => ({ name: `v${at}`, target: `/v${at}`, readOnly: false })) }),
  tmpfs: beyond => ({ tmpfs: many(64 + beyond, at => ({ target: `/t${at}` })) }),
  cpu: beyond => ({ resources: { ...DEFAULT_RESOURCES, cpuMillis: 10 - beyond } }),
  memory: beyond => ({ resources: { ...DEFAULT_RESOURCES, memoryBytes: 6 * 1024 * 1024 - beyond } }),
  "a check's time-out": beyond => ({ health: { ...check, timeoutMs: 100 - beyond } }),
  "a check's interval": beyond => ({ health: { ...check, timeoutMs: 100, intervalMs: 100 - beyond } }),
};

const { transport } = createTestPlatform();
const deployments = createClient(DeploymentService, transport);

/** Whether the rules of the message take it, and whether core does. */
async function verdicts(spec: ReturnType<typeof aSpec>): Promise<readonly [boolean, boolean]> {
  const message = create(DeploymentSpecSchema, specToProto(spec));
  const reason = await deployments.previewPlacement({ tenantId: "acme", spec: message }).then(
    () => "",
    (error: unknown) => fromConnectError(error).reason,
  );
  return [reason !== "INVALID_REQUEST", validateSpec(spec).length === 0];
}

describe("the bounds of spec.proto and of core, by which a file is refused with its line", () => {
  it.each(Object.entries(BOUNDS))("are one for %s", async (_, over) => {
    expect(await verdicts(aSpec({ containers: [aContainer(over(0))] }))).toEqual([true, true]);
    expect(await verdicts(aSpec({ containers: [aContainer(over(1))] }))).toEqual([false, false]);
  });

  it("are one for containers and constraints", async () => {
    const pod = (count: number) => aSpec({ containers: many(count, at => aContainer({ name: `c${at}` })) });
    const picky = (count: number) => aSpec({ placement: { constraints: many(count, () => "node.role == worker") } });
    for (const [spec, most] of [
      [pod, 16],
      [picky, 64],
    ] as const) {
      expect(await verdicts(spec(most))).toEqual([true, true]);
      expect(await verdicts(spec(most + 1))).toEqual([false, false]);
    }
  });
});
