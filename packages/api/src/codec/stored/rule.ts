import { create, toJson, type JsonObject } from "@bufbuild/protobuf";
import type { RuleDocument, RuleRecord } from "@skep/core/rules/record.ts";
import { WorkspaceRuleSchema } from "../../gen/skep/v1/rule_pb.ts";
import { ruleFromProto, ruleToProto } from "../rule.ts";
import type { AnswerCodec } from "./answer.ts";
import { ENUMS, objectOf, readMessage, STORED_VERSION, versionOf } from "./version.ts";

const WHAT = "A rule";

/** A document as `workspace_rules` stores it: just as it was put. */
export function documentToStored(document: RuleDocument): JsonObject {
  return { version: STORED_VERSION, document: document as JsonObject };
}

/**
 * A stored document. @throws SkepError `failed_precondition` `STORED_TOO_NEW`, `internal`
 * `STORED_MALFORMED`.
 */
export function documentFromStored(json: unknown): RuleDocument {
  const stored = objectOf(json, WHAT);
  versionOf(stored, WHAT);
  return objectOf(stored["document"], WHAT);
}

/** Answers that are a version of a rule or a schema. */
export const ruleAnswer: AnswerCodec<RuleRecord> = {
  encode: record => {
    const message = create(WorkspaceRuleSchema, ruleToProto(record));
    return { version: STORED_VERSION, rule: toJson(WorkspaceRuleSchema, message, ENUMS) };
  },
  decode: json => {
    const stored = objectOf(json, WHAT);
    versionOf(stored, WHAT);
    return ruleFromProto(readMessage(WorkspaceRuleSchema, stored["rule"] ?? null, WHAT));
  },
};
