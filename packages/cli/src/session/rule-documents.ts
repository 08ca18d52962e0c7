import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";
import type { RuleKind } from "@skep/core/rules/record.ts";
import { readRuleSet, type RuleSet } from "@skep/core/rules/rule-set.ts";
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

/**
 * Documents as what they say, each at its version. @throws SkepError `invalid_argument` with
 * everything that is wrong with any of them.
 */
export function ruleSetOf(documents: readonly (FileDocument & { readonly version: number })[]): RuleSet {
  const set = readRuleSet(documents.map(one => ({ ...one, reference: one.place })));
  const issues = set.unread.flatMap(({ record, issues: wrong }) =>
    wrong.map(one => ({ ...one, path: `${record.reference} ${one.path}` })),
  );
  if (issues.length === 0) return set;
  throw new SkepError("invalid_argument", "RULE_INVALID", "These rules cannot be tried out:", { issues });
}
