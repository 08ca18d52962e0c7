import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { SkepError, type Issue } from "@skep/core/error.ts";
import { readRule } from "@skep/core/rules/read-rule.ts";
import { readSchema } from "@skep/core/rules/read-schema.ts";
import type { RuleKind } from "@skep/core/rules/record.ts";
import type { Rule } from "@skep/core/rules/rule.ts";
import type { Schema } from "@skep/core/rules/schema.ts";
import type { Io } from "../io.ts";
import { readDocument } from "./document-file.ts";

/** A document of a file, and what it is. */
export interface FileDocument {
  readonly kind: RuleKind;
  readonly document: JsonObject;
  /** Where it stands, for people. */
  readonly place: string;
}

/**
 * The rules and schemas of a file: one, or a list of them. A schema is what has a `reference`.
 * @throws SkepError `invalid_argument`.
 */
export function readDocuments(io: Io, file: string): readonly FileDocument[] {
  const json = readDocument(io, file);
  const all: readonly JsonValue[] = Array.isArray(json) ? json : [json];
  return all.map((document, index) => {
    const place = Array.isArray(json) ? `${file}[${index}]` : file;
    if (typeof document !== "object" || document === null || Array.isArray(document))
      throw new SkepError("invalid_argument", "FILE_MALFORMED", `${place}: it is neither a rule nor a schema.`);
    return { kind: "reference" in document ? "schema" : "rule", document, place };
  });
}

/** What can be tried out. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly schemas: ReadonlyMap<string, Schema>;
}

/**
 * Documents as what they say, each at its version. @throws SkepError `invalid_argument` with
 * everything that is wrong with any of them.
 */
export function readRuleSet(documents: readonly (FileDocument & { readonly version: number })[]): RuleSet {
  const rules: Rule[] = [];
  const schemas = new Map<string, Schema>();
  const issues: Issue[] = [];
  for (const { kind, document, place, version } of documents) {
    const read = kind === "rule" ? readRule(document, version) : readSchema(document, version);
    issues.push(...read.issues.map(one => ({ ...one, path: `${place} ${one.path}` })));
    if (read.value === undefined) continue;
    if ("reference" in read.value) schemas.set(read.value.reference, read.value);
    else rules.push(read.value);
  }
  if (issues.length === 0) return { rules, schemas };
  throw new SkepError("invalid_argument", "RULE_INVALID", "These rules cannot be tried out:", { issues });
}
