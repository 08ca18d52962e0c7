import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { RuleKind as KindWord, RuleRecord } from "@skep/core/rules/record.ts";
import { RuleKind, type WorkspaceRule, type WorkspaceRuleSchema } from "../gen/skep/v1/rule_pb.ts";
import { enumTable } from "./enum-table.ts";
import { fromUint64, toUint64 } from "./number.ts";

/** What is done when, or how messages are read. */
export const ruleKinds = enumTable<KindWord, RuleKind>("kind", { rule: RuleKind.RULE, schema: RuleKind.SCHEMA });

/** A version of a rule or a schema as a message. */
export function ruleToProto(record: RuleRecord): MessageInitShape<typeof WorkspaceRuleSchema> {
  const { workspaceId, kind, reference, version, document, createdAt, createdBy } = record;
  return {
    ...{ workspaceId, reference, createdBy, kind: ruleKinds.toProto(kind), version: toUint64(version) },
    createdAt: timestampFromMs(createdAt),
    ...(document === undefined ? {} : { document: document as JsonObject }),
  };
}

/** The version that a message shows. */
export function ruleFromProto(message: WorkspaceRule): RuleRecord {
  const { workspaceId, kind, reference, version, document, createdAt, createdBy } = message;
  return {
    ...{ workspaceId, reference, document, createdBy, kind: ruleKinds.fromProto(kind, "kind") },
    version: fromUint64(version, "version"),
    createdAt: createdAt === undefined ? 0 : timestampMs(createdAt),
  };
}
