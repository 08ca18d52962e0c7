import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { decodeAssignment, decodeFetchReply, encodeAssignmentWithin, encodeFetchReply } from "./assignment.ts";
import { specDigest, specFromBytes, specPart } from "./spec-name.ts";

const MIB = 1024 * 1024;

function specOf(name: string, bytes: number) {
  const env = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`V${at}`, name.padEnd(bytes / 8, "x")]));
  return aSpec({ name, containers: [aContainer({ env, resources: DEFAULT_RESOURCES })] });
}

function instanceOf(name: string, over: Partial<AssignedInstance> = {}): AssignedInstance {
  const common = { tenantId: "acme", epoch: 1, release: 1, slot: 0, desired: "run", ports: [], volumes: [] } as const;
  return { ...common, instanceId: `acme.${name}.1`, spec: specOf(name, 100), ...over };
}

function assignmentOf(instances: readonly AssignedInstance[]): Assignment {
  return {
    ...{ nodeId: "node-1", incarnation: "inc-1", succeeds: [], term: 1, revision: 1, availability: "active" },
    ...{ stamps: [], instances, removals: [], volumeRemovals: [] },
  };
}

function manyPorts(count: number): AssignedInstance["ports"] {
  return Array.from({ length: count }, (_, at) => ({
    ...{ container: "a-rather-long-name-of-a-container", containerPort: at + 1, protocol: "tcp" as const },
    hostPort: 20_000 + at,
  }));
}

describe("an assignment within a limit", () => {
  it("carries small specs and names large ones, whatever the room", () => {
    const large = specOf("large", 1.75 * MIB);
    const assignment = assignmentOf([instanceOf("small"), instanceOf("large", { spec: large })]);
    const read = decodeAssignment(encodeAssignmentWithin(assignment, 8 * MIB).bytes);
    expect(read.assignment.instances.map(one => one.instanceId)).toEqual(["acme.small.1"]);
    expect(read.awaiting).toMatchObject([
      {
        instance: { instanceId: "acme.large.1" },
        spec: { deploymentId: "acme.large", release: 1, digest: specDigest(large) },
      },
    ]);
    expect(read.leftOut).toEqual([]);
  });

  it("never takes more than its limit, however many small specs there are", () => {
    const many = Array.from({ length: 500 }, (_, at) => instanceOf(`w${at}`, { spec: specOf(`w${at}`, 4_000) }));
    const limit = 300 * 1024;
    const packed = encodeAssignmentWithin(assignmentOf(many), limit);
    expect(packed.bytes.byteLength).toBeLessThanOrEqual(limit);
    expect(packed.leftOut).toEqual([]);
    const read = decodeAssignment(packed.bytes);
    expect(read.assignment.instances.length).toBeGreaterThan(0);
    expect(read.assignment.instances.length + read.awaiting.length).toBe(500);
  });

  it("leaves out the largest entries, says so, and tells what must stop before what must run", () => {
    const fat = instanceOf("fat", { ports: manyPorts(2_000) });
    const ending = instanceOf("ending", { ports: manyPorts(1_000), desired: "stop" });
    const packed = encodeAssignmentWithin(assignmentOf([fat, instanceOf("fine"), ending]), 100 * 1024);
    expect(packed.bytes.byteLength).toBeLessThanOrEqual(100 * 1024);
    expect(packed.leftOut.map(one => one.instanceId)).toEqual(["acme.fat.1"]);
    const read = decodeAssignment(packed.bytes);
    expect(read.assignment.instances.map(one => one.instanceId)).toEqual(["acme.fine.1", "acme.ending.1"]);
    expect(read.leftOut).toEqual([
      {
        instanceId: "acme.fat.1",
        epoch: 1,
        because: expect.stringMatching(/takes \d+ KiB, and the message has no room/),
      },
    ]);
  });

  it("keeps specs of one release apart whose content differs, and shares equal ones", () => {
    const same = [instanceOf("web"), instanceOf("web", { instanceId: "acme.web.2" })];
    const other = instanceOf("web", { instanceId: "acme.web.3", spec: specOf("changed", 100) });
    const { bytes } = encodeAssignmentWithin(assignmentOf([...same, other]), MIB);
    const read = decodeAssignment(bytes).assignment.instances.map(one => one.spec);
    expect(read.map(spec => spec.name)).toEqual(["web", "web", "changed"]);
    expect(read[0]).toBe(read[1]);
  });

  it("bounds the answer to a fetch and its removals alike", () => {
    const removals = Array.from({ length: 5_000 }, (_, at) => ({
      ...{ instanceId: `acme.gone.${at}`, epoch: 1, because: "x".repeat(1_000) },
    }));
    const limit = 64 * 1024;
    const bytes = encodeFetchReply({ ...assignmentOf([instanceOf("web")]), removals }, limit);
    expect(bytes.byteLength).toBeLessThanOrEqual(limit);
    const read = decodeFetchReply(bytes);
    expect(read?.assignment.removals.length).toBeGreaterThan(0);
    expect(read?.assignment.instances).toHaveLength(1);
    const packed = encodeAssignmentWithin({ ...assignmentOf([]), removals }, limit);
    expect(packed.removalsLeft).toBe(5_000 - read!.assignment.removals.length);
  });
});

describe("a spec in parts", () => {
  it("is the spec again when they are put together, and says where there is none", () => {
    const spec = specOf("large", 100_000);
    const data: Uint8Array[] = [];
    for (let offset = 0, total = 1; offset < total;) {
      const part = specPart(spec, offset, 30_000);
      expect(part.data.byteLength).toBeLessThan(30_000);
      data.push(part.data);
      offset += part.data.byteLength;
      total = part.totalBytes;
    }
    expect(data.length).toBeGreaterThan(3);
    expect(specFromBytes(Uint8Array.from(data.flatMap(one => [...one])), "spec")).toEqual(spec);
    expect(specPart(undefined, 0, 1000)).toMatchObject({ digest: "", totalBytes: 0 });
  });

  it("reads as it is, also where an instance was written before beside others", () => {
    const [one, other] = [instanceOf("one"), instanceOf("other", { slot: 3, desired: "stop" })];
    for (const instances of [[one], [other, one], [other], [one, other]])
      expect(decodeAssignment(encodeAssignmentWithin(assignmentOf(instances), MIB).bytes).assignment.instances).toEqual(
        instances,
      );
  });
});
