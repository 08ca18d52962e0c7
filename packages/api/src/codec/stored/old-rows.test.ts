import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spec as anySpec } from "../../testing/arbitraries.ts";
import { deploymentAnswer, tenantAnswer } from "./answer.ts";
import {
  containersFromStored,
  labelsFromStored,
  portsFromStored,
  refusalFromStored,
  routeFromStored,
} from "./columns.ts";
import { OLD_ROWS } from "./old-rows.ts";
import { specFromStored, specToStored } from "./spec.ts";

const malformed = expect.objectContaining({ code: "internal", reason: "STORED_MALFORMED" });
const tooNew = expect.objectContaining({ code: "failed_precondition", reason: "STORED_TOO_NEW" });

const unknownWord = expect.objectContaining({ reason: "UNKNOWN_ENUM" });

/** As it comes out of the database. */
const row = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The same as it is read: a tmpfs was a mere path then. */
function asRead<T extends { readonly containers: readonly { readonly tmpfs: readonly string[] }[] }>(spec: T): object {
  return {
    ...spec,
    containers: spec.containers.map(one => ({ ...one, tmpfs: one.tmpfs.map(target => ({ target })) })),
  };
}

describe("rows that version 1 wrote", () => {
  it("read as what they were: specs", () => {
    const read = specFromStored(row(OLD_ROWS.spec));
    expect(read).toMatchObject(asRead(OLD_ROWS.spec));
    // What version 1 left out is there, as absent.
    expect(read.containers[1]).toMatchObject({ command: undefined, user: undefined, stopSignal: undefined });
  });

  it("read as what they were: answers", () => {
    const { deployment, release } = OLD_ROWS.deployment;
    expect(deploymentAnswer.decode(row(OLD_ROWS.deployment))).toMatchObject({
      deployment,
      release: { ...release, spec: asRead(release.spec) },
    });
    expect(tenantAnswer.decode(row(OLD_ROWS.tenant))).toEqual({
      id: "acme",
      quota: { instances: 3, cpuMillis: undefined, memoryBytes: 5_000_000_000 },
    });
  });

  it("get the default of a field that came after them", () => {
    const { stopGraceMs: _, ...older } = OLD_ROWS.spec;
    expect(specFromStored(row(older)).stopGraceMs).toBe(10_000);
  });

  it("are refused where they are no such thing", () => {
    expect(() => specFromStored(null)).toThrow(malformed);
    expect(() => specFromStored(row({ ...OLD_ROWS.spec, replicas: "many" }))).toThrow(malformed);
    const placement = { ...OLD_ROWS.spec.placement, strategy: "wherever" };
    expect(() => specFromStored(row({ ...OLD_ROWS.spec, placement }))).toThrow(unknownWord);
    expect(() => deploymentAnswer.decode(row({ deployment: {}, release: {} }))).toThrow(malformed);
  });
});

describe("rows that this version writes", () => {
  it("read as what they were", () => {
    fc.assert(
      fc.property(anySpec, value => {
        expect(specFromStored(row(specToStored(value)))).toEqual(value);
        const deployment = { ...OLD_ROWS.deployment.deployment, desired: "stopped" as const };
        const answer = { deployment, release: { deploymentId: deployment.id, number: 3, spec: value } };
        expect(deploymentAnswer.decode(row(deploymentAnswer.encode(answer)))).toEqual(answer);
      }),
      { numRuns: 40 },
    );
    const tenant = { id: "acme", quota: { instances: 0, cpuMillis: undefined, memoryBytes: 2 ** 50 } };
    expect(tenantAnswer.decode(row(tenantAnswer.encode(tenant)))).toEqual(tenant);
  });

  it("are named as too new by an older program, which ignores what was only added", () => {
    const stored = specToStored(specFromStored(row(OLD_ROWS.spec)));
    const newer = { version: 2, spec: { name: "web", placement: { strategy: 77 } } };
    expect(() => specFromStored(newer)).toThrow(unknownWord);
    expect(() => specFromStored({ ...stored, version: 3 })).toThrow(tooNew);
    expect(specFromStored({ ...stored, spec: { name: "web", mood: "good" } })).toMatchObject({ name: "web" });
  });
});

describe("columns of JSON", () => {
  const container = { name: "app", id: "c1", imageId: "sha256:1", running: true, restarts: 0 };
  const port = { container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_000 };
  const route = { entry_points: ["web"], middlewares: [{ name: "gzip", options: { compress: {} } }], service: {} };

  it("read as what they are", () => {
    expect(containersFromStored([container])).toEqual([{ ...container, exitCode: undefined }]);
    expect(portsFromStored([port])).toEqual([port]);
    expect(labelsFromStored({ zone: "a" })).toEqual({ zone: "a" });
    expect(refusalFromStored(null)).toBeUndefined();
    expect(routeFromStored(route)).toEqual({
      entryPoints: ["web"],
      middlewares: route.middlewares,
      service: {},
    });
  });

  it.each([
    ["a container without a state", () => containersFromStored([{ ...container, running: undefined }])],
    ["a container without an id", () => containersFromStored([{ ...container, id: 7 }])],
    ["a port of an unknown protocol", () => portsFromStored([{ ...port, protocol: "sctp" }])],
    ["a port without a number", () => portsFromStored([{ ...port, hostPort: "80" }])],
    ["labels that are no text", () => labelsFromStored({ zone: 1 })],
    ["a refusal that is none", () => refusalFromStored({ removed: 7 })],
    ["an entry point that is none", () => routeFromStored({ ...route, entry_points: [7] })],
    ["a middleware without a name", () => routeFromStored({ ...route, middlewares: [{}] })],
    ["a list that is none", () => portsFromStored("[]")],
  ])("are refused: %s", (_, read) => {
    expect(read).toThrow(malformed);
  });
});
