import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { aConnector } from "@skep/core/testing/connector.ts";
import type { AssignedWorkspace, HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { HostAnswer, HostedStatus, HostReport } from "@skep/core/workspace/host-report.ts";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import {
  HostAssignmentSchema,
  HostedDesired,
  ReportRequestSchema,
  ReportResponseSchema,
} from "../gen/skep/v1/host_pb.ts";
import { long, maybe, text } from "../testing/arbitraries.ts";
import {
  hostAnswerFromProto,
  hostAnswerToProto,
  hostAssignmentFromProto,
  hostAssignmentToProto,
  hostReportFromProto,
  hostReportToProto,
} from "./host.ts";

const count = fc.nat({ max: 4_294_967_295 });
const filled = fc.string({ minLength: 1, maxLength: 12 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const epochs = fc.array(fc.record({ workspaceId: text, epoch: long }), { maxLength: 3 });

function survives<T, D extends DescMessage>(
  values: fc.Arbitrary<T>,
  schema: D,
  encode: (value: T) => MessageInitShape<D>,
  decode: (message: MessageShape<D>) => T,
): void {
  fc.assert(
    fc.property(values, value => {
      const bytes = toBinary(schema, create(schema, encode(value)));
      expect(decode(fromBinary(schema, bytes))).toEqual(value);
    }),
  );
}

const assigned: fc.Arbitrary<AssignedWorkspace> = fc.record({
  id: text,
  epoch: long,
  desired: fc.constantFrom<AssignedWorkspace["desired"]>("run", "stop"),
  connector: filled.map(secret =>
    aConnector({}, { secret }, { database: { url: `mongodb://u:${secret}@db/x`, size: 7 } }),
  ),
  version: long,
  restarts: long,
  databasePool: count,
  rulesVersion: long,
});

const assignment: fc.Arbitrary<HostAssignment> = fc.record({
  ...{ hostId: text, incarnation: text, term: long, revision: long },
  workspaces: fc.array(assigned, { maxLength: 3 }),
});

const status: fc.Arbitrary<HostedStatus> = fc.record({
  ...{ workspaceId: text, epoch: long, isHealthy: fc.boolean(), lastError: text },
  state: fc.constantFrom<HostedStatus["state"]>("assigned", "running", "stopped"),
  counts: fc.dictionary(filled, share, { maxKeys: 3, noNullPrototype: true }),
});

const report: fc.Arbitrary<HostReport> = fc.record({
  ...{ hostId: text, nodeId: text, workspaceId: maybe(filled), startedAt: long, version: text, seq: long, most: count },
  availability: fc.constantFrom<HostReport["availability"]>("active", "drain"),
  load: fc.record({ connections: count, messagesPerSecond: share, memoryShare: share }),
  ...{ address: text, eventsPort: count },
  applied: fc.record({ incarnation: text, term: long, revision: long }),
  workspaces: fc.array(status, { maxLength: 3 }),
});

const answer: fc.Arbitrary<HostAnswer> = fc.record({
  ...{ holdMs: count, granted: epochs, ended: epochs, anew: text, revision: long },
});

it("brings over what hosts and schedulers say to each other, secrets included", () => {
  survives(assignment, HostAssignmentSchema, hostAssignmentToProto, hostAssignmentFromProto);
  survives(report, ReportRequestSchema, hostReportToProto, hostReportFromProto);
  survives(answer, ReportResponseSchema, hostAnswerToProto, hostAnswerFromProto);
});

it("leaves out of an assignment what it cannot read, so that the host does not touch it", () => {
  const good = {
    id: "a",
    epoch: 1n,
    desired: HostedDesired.RUN,
    connector: { config: { resources: { type: "shared" } } },
  };
  const message = create(HostAssignmentSchema, {
    workspaces: [
      good,
      { ...good, desired: HostedDesired.UNSPECIFIED },
      { id: "b", epoch: 1n, desired: HostedDesired.RUN },
    ],
  });
  expect(hostAssignmentFromProto(message).workspaces.map(one => one.id)).toEqual(["a"]);
});

it("refuses a state that it does not know", () => {
  const message = create(ReportRequestSchema, { seq: 1n, workspaces: [{ workspaceId: "a", state: 9 as never }] });
  expect(() => hostReportFromProto(message)).toThrow("workspaces[0].state names state number 9");
});

it("cuts an error that no report may hold", () => {
  const value = {
    ...fc.sample(report, 1)[0]!,
    workspaces: [{ ...fc.sample(status, 1)[0]!, lastError: "x".repeat(9_000) }],
  };
  expect(hostReportToProto(value).workspaces?.[0]?.lastError).toHaveLength(2_000);
});

it("leaves out numbers beyond what a report may hold", () => {
  const counts = Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`count.${at}`, at]));
  const value = { ...fc.sample(report, 1)[0]!, workspaces: [{ ...fc.sample(status, 1)[0]!, counts }] };
  const told = hostReportToProto(value).workspaces?.[0]?.counts ?? {};
  expect([Object.keys(told).length, told["count.199"], told["count.200"]]).toEqual([200, 199, undefined]);
});
