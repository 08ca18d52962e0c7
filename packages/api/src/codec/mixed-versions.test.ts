import { anAssignment } from "@skep/core/testing/builders.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  AssignmentSchema,
  AskSchema,
  FetchAssignmentReplySchema,
  ReportSchema,
  WakeSchema,
} from "../gen/skep/v1/agent_pb.ts";
import { Availability } from "../gen/skep/v1/node_pb.ts";
import { InstanceState, Health, InstanceDesired } from "../gen/skep/v1/instance_pb.ts";
import { DeploymentSpecSchema } from "../gen/skep/v1/spec_pb.ts";
import { decodeAsk } from "./ask.ts";
import { decodeAssignment, encodeAssignment, encodeAssignmentWithin, encodeFetchReply } from "./assignment.ts";
import { PROTOCOL_VERSION } from "./envelope.ts";
import { decodeWake, encodeWake } from "./notice.ts";
import { decodeReport } from "./report.ts";
import { specFromProto } from "./spec.ts";

const NEWER = { version: PROTOCOL_VERSION + 5, minReaderVersion: PROTOCOL_VERSION };

/** Field number 900, a string: something that only a newer program has. */
const UNKNOWN_FIELD = Uint8Array.from([0xa2, 0x38, 0x03, 0x6e, 0x65, 0x77]);

const concat = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap(part => [...part]));

describe("programs of different versions", () => {
  it("ignores fields of a newer sender", () => {
    expect(decodeWake(concat(encodeWake("placed"), UNKNOWN_FIELD))).toBe("placed");
  });

  it("reads a newer sender that does not ask for a newer reader", () => {
    expect(decodeWake(toBinary(WakeSchema, create(WakeSchema, { ...NEWER, because: "x" })))).toBe("x");
  });

  it("refuses what names a reader newer than this one, and says which program to update", () => {
    const bytes = toBinary(WakeSchema, create(WakeSchema, { ...NEWER, minReaderVersion: PROTOCOL_VERSION + 1 }));
    expect(() => decodeWake(bytes)).toThrow(
      expect.objectContaining({ code: "failed_precondition", reason: "PROTOCOL_TOO_NEW" }),
    );
    expect(() => decodeWake(bytes)).toThrow(/update this program first/);
  });

  it("keeps assignments, which an agent of version 1 would misread, from it, and nothing else", () => {
    const sent = anAssignment();
    const minReaders = [
      fromBinary(AssignmentSchema, encodeAssignment(sent)),
      fromBinary(AssignmentSchema, encodeAssignmentWithin(sent, 1_000_000).bytes),
      fromBinary(FetchAssignmentReplySchema, encodeFetchReply(sent)),
      fromBinary(WakeSchema, encodeWake("placed")),
    ].map(message => message.minReaderVersion);
    expect(minReaders).toEqual([2, 2, 2, 1]);
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["noise", Uint8Array.from([0xff, 0xff, 0xff])],
    ["a message without a version", toBinary(WakeSchema, create(WakeSchema, { because: "x" }))],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeWake(bytes)).toThrow(expect.objectContaining({ reason: "MALFORMED_MESSAGE" }));
  });

  it("sets aside statuses in states that it does not know, and keeps the others", () => {
    const known = { epoch: 1, state: InstanceState.RUNNING, health: Health.HEALTHY };
    const report = create(ReportSchema, {
      ...NEWER,
      statuses: [
        { ...known, instanceId: "acme.web.1" },
        { ...known, instanceId: "acme.web.2", epoch: 3, state: 77 as InstanceState },
        { ...known, instanceId: "acme.web.3", health: Health.UNSPECIFIED },
      ],
    });
    const { statuses, unreadable } = decodeReport(toBinary(ReportSchema, report));
    expect(statuses.map(status => status.instanceId)).toEqual(["acme.web.1"]);
    expect(unreadable).toEqual([
      { instanceId: "acme.web.2", epoch: 3, because: expect.stringMatching(/instance state number 77/) },
      { instanceId: "acme.web.3", epoch: 1, because: expect.stringMatching(/names no health/) },
    ]);
  });

  it("sets aside what has an id, an epoch or a release that the records cannot hold, and keeps the rest", () => {
    const known = { state: InstanceState.RUNNING, health: Health.HEALTHY };
    const good = { instanceId: "acme.web.1", epoch: 2 ** 31 - 1 };
    const all = [good, { ...good, epoch: 2 ** 31 }, { ...good, instanceId: "acme\0.1" }];
    const strangers = all.map(one => ({ status: { ...known, ...one }, release: 1 }));
    const report = create(ReportSchema, {
      ...NEWER,
      statuses: all.map(one => ({ ...known, ...one })),
      strangers: [...strangers, { ...strangers[0], release: 2 ** 31 }],
      gone: all,
      usage: all,
    });
    const read = decodeReport(toBinary(ReportSchema, report));
    for (const list of [read.statuses, read.strangers.map(one => one.status), read.gone, read.usage])
      expect(list).toMatchObject([good]);
    expect(read.unreadable).toHaveLength(9);
  });

  it("sets aside assigned instances whose spec it cannot read, so that an agent leaves them alone", () => {
    const instance = { epoch: 2, desired: InstanceDesired.RUN };
    const assignment = create(AssignmentSchema, {
      ...NEWER,
      availability: Availability.ACTIVE,
      instances: [
        { ...instance, instanceId: "acme.web.1", spec: 1 },
        { ...instance, instanceId: "acme.new.1", spec: 2 },
        { ...instance, instanceId: "acme.lost.1", spec: 9 },
      ],
      specs: {
        1: { name: "web", containers: [{ name: "web", image: "nginx" }] },
        2: { name: "new", containers: [{ name: "new", image: "x", health: {} }] },
      },
    });
    const { assignment: read, unreadable } = decodeAssignment(toBinary(AssignmentSchema, assignment));
    expect(read.instances.map(one => one.instanceId)).toEqual(["acme.web.1"]);
    expect(unreadable.map(one => one.instanceId)).toEqual(["acme.new.1", "acme.lost.1"]);
  });

  it("says that a question is unknown instead of guessing", () => {
    const bytes = concat(toBinary(AskSchema, create(AskSchema, NEWER)), UNKNOWN_FIELD);
    expect(() => decodeAsk(bytes)).toThrow(expect.objectContaining({ code: "unimplemented", reason: "UNKNOWN_ASK" }));
  });
});

describe("a spec that says little", () => {
  const read = (containers: readonly object[]) =>
    specFromProto(create(DeploymentSpecSchema, { name: "web", containers: [...containers] as [] }));

  it("gets the documented defaults", () => {
    expect(read([{ name: "web", image: "nginx", ports: [{ containerPort: 80 }] }])).toMatchObject({
      replicas: 1,
      stopGraceMs: 10_000,
      placement: { strategy: "least-loaded", constraints: [], maxPerNode: undefined },
      restart: { condition: "any", delayMs: 500, maxDelayMs: 30_000, maxAttempts: undefined, windowMs: 60_000 },
      update: { order: "start-first", parallelism: 1 },
      containers: [
        {
          ports: [{ containerPort: 80, protocol: "tcp", hostPort: undefined }],
          resources: { cpuMillis: 1000, memoryBytes: 536_870_912, pids: 512 },
        },
      ],
    });
  });

  it("stops the old copy first where two cannot stand side by side", () => {
    expect(read([{ name: "db", image: "pg", volumes: [{ name: "data", target: "/data" }] }]).update.order).toBe(
      "stop-first",
    );
    expect(read([{ name: "mq", image: "mq", ports: [{ containerPort: 1, hostPort: 1 }] }]).update.order).toBe(
      "stop-first",
    );
  });

  it("refuses numbers that would lose digits", () => {
    expect(() => read([{ name: "x", image: "x", resources: { memoryBytes: 2n ** 60n } }])).toThrow(
      expect.objectContaining({ reason: "OUT_OF_RANGE" }),
    );
  });
});
