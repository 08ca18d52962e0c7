import { describe, expect, it } from "vitest";
import { DeploymentSpecSchema } from "../gen/skep/v1/spec_pb.ts";
import { ConnectorSchema } from "../gen/skep/v1/workspace_pb.ts";
import { AssignmentSchema } from "../gen/skep/v1/agent_pb.ts";
import { PutRuleRequestSchema } from "../gen/skep/v1/rule_service_pb.ts";
import { unknownFields, unknownFieldsSentence } from "./unknown-fields.ts";

const paths = (...[message, json]: Parameters<typeof unknownFields>): readonly string[] =>
  unknownFields(message, json).map(one => one.path);

describe("fields that a message does not have", () => {
  it("are all named, each by its path and with what is known there", () => {
    const json = { id: "a", colour: 1, config: { resources: { specs: { ratelimits: { event: 2 } } } } };
    const issues = unknownFields(ConnectorSchema, json);
    expect(issues.map(one => one.path)).toEqual(["colour", "config.resources.specs.ratelimits.event"]);
    expect(unknownFieldsSentence(issues)).toContain(
      "config.resources.specs.ratelimits.event: there is no such field; leave it out; known here: ",
    );
  });

  it("are found in lists and maps, by either spelling of what is around them", () => {
    expect(paths(DeploymentSpecSchema, { containers: [{}, { port: 1 }] })).toEqual(["containers[1].port"]);
    expect(paths(AssignmentSchema, { specs: { 7: { name: "web", nam: 1 } } })).toEqual(['specs["7"].nam']);
    expect(paths(PutRuleRequestSchema, { workspace_id: "a", workspaceId: "a" })).toEqual([]);
  });

  it("are no matter of what has a JSON of its own, or is of another kind", () => {
    expect(paths(PutRuleRequestSchema, { document: { any: { thing: 1 } } })).toEqual([]);
    for (const json of [null, 7, "text", [], { config: null }, { config: [] }, { config: 7 }])
      expect(paths(ConnectorSchema, json)).toEqual([]);
  });

  it("have bounds: twenty of them, and their names", () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`x${at}`, at]));
    expect(paths(ConnectorSchema, many)).toHaveLength(20);
    expect(paths(ConnectorSchema, { ["y".repeat(100)]: 1 })).toEqual(["y".repeat(64)]);
  });
});
