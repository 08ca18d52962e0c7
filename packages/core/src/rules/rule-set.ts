import type { Issue } from "../error.ts";
import { readRule } from "./read-rule.ts";
import { readSchema } from "./read-schema.ts";
import type { RuleRecord } from "./record.ts";
import type { Rule } from "./rule.ts";
import type { Schema } from "./schema.ts";

/** How messages are read, and what is done when. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  /** By their references. */
  readonly schemas: ReadonlyMap<string, Schema>;
}

/** A rule or a schema that cannot be read any more, and why. */
export interface UnreadRule {
  readonly record: Pick<RuleRecord, "kind" | "reference" | "version">;
  readonly issues: readonly Issue[];
}

/**
 * Recorded rules and schemas as what they say. They were read before they were recorded; what only
 * a newer program can read is set aside by itself, and the others stand.
 */
export function readRuleSet(
  records: readonly Pick<RuleRecord, "kind" | "reference" | "version" | "document">[],
): RuleSet & { readonly unread: readonly UnreadRule[] } {
  const rules: Rule[] = [];
  const schemas = new Map<string, Schema>();
  const unread: UnreadRule[] = [];
  for (const { kind, reference, version, document } of records) {
    if (document === undefined) continue;
    const read = kind === "rule" ? readRule(document, version) : readSchema(document, version);
    if (read.value === undefined) unread.push({ record: { kind, reference, version }, issues: read.issues });
    else if ("fields" in read.value) schemas.set(read.value.reference, read.value);
    else rules.push(read.value);
  }
  return { rules, schemas, unread };
}
