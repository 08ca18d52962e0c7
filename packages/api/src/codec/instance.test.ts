import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { InstanceStatusSchema } from "../gen/skep/v1/agent_pb.ts";
import { statusFromProto, statusToProto } from "./instance.ts";
import { decodeReport, encodeReport } from "./report.ts";

const status = { instanceId: "acme.web.1", epoch: 1, state: "failed", health: "none" } as const;
const REPORT = {
  nodeId: "n1",
  sessionId: "s1",
  seq: 1,
  full: true,
  incarnation: "",
  appliedTerm: 0,
  appliedRevision: 0,
};
const NOTHING = { statuses: [], gone: [], strangers: [], usage: [], volumes: undefined };

it("hands on no NUL character of what a program or an engine said", () => {
  const said = statusToProto({ ...status, containers: [], ports: [], message: "the check printed a\0b" });
  expect(statusFromProto(create(InstanceStatusSchema, said)).message).toBe("the check printed a\uFFFDb");
});

it("takes the address of a copy, and sets a copy aside whose address is none", () => {
  const read = (address: string) => {
    const statuses = [{ ...status, containers: [], ports: [], message: "", address }];
    return decodeReport(encodeReport({ ...REPORT, ...NOTHING, facts: undefined, statuses }));
  };
  expect(read("10.128.0.9").statuses[0]?.address).toBe("10.128.0.9");
  expect(read("").statuses[0]).not.toHaveProperty("address");
  expect(read("10.128.0.9/20")).toMatchObject({
    statuses: [],
    unreadable: [{ instanceId: "acme.web.1", because: expect.stringContaining("is no address") }],
  });
});

it("takes the block that an agent works by, and none of what is no block", () => {
  const capacity = { cpuMillis: 1, memoryBytes: 1, instances: 1, portFrom: 1, portTo: 1 };
  const words = {
    bootId: "",
    hostname: "",
    address: "",
    os: "",
    architecture: "",
    engineVersion: "",
    agentVersion: "",
  };
  const read = (block: string) => {
    const facts = { ...words, nodeId: "n1", sessionId: "s1", engineLabels: {}, capacity, block };
    return decodeReport(encodeReport({ ...REPORT, ...NOTHING, facts })).facts;
  };
  expect(read("10.128.16.0/20")?.block).toBe("10.128.16.0/20");
  for (const none of ["", "all", "10.128.16.0"]) expect(read(none)).not.toHaveProperty("block");
});
