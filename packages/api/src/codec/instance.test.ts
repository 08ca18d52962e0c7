import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { InstanceStatusSchema } from "../gen/skep/v1/agent_pb.ts";
import { statusFromProto, statusToProto } from "./instance.ts";

it("hands on no NUL character of what a program or an engine said", () => {
  const status = { instanceId: "acme.web.1", epoch: 1, state: "failed", health: "none" } as const;
  const said = statusToProto({ ...status, containers: [], ports: [], message: "the check printed a\0b" });
  expect(statusFromProto(create(InstanceStatusSchema, said)).message).toBe("the check printed a\uFFFDb");
});
