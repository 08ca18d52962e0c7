import { blindRules, type BlindRule } from "@skep/core/rules/blind.ts";
import type { RuleSet } from "@skep/core/rules/rule-set.ts";

/** A line for each rule that never sees what it looks at: it would do nothing, in silence. */
export function renderBlindRules(set: RuleSet): string {
  return blindRules(set)
    .map(one => `skep: ${sentence(one)}\n`)
    .join("");
}

function sentence({ ruleId, fields, isRead }: BlindRule): string {
  const seen = `so its condition never sees ${fields.join(", ")}`;
  const of = isRead
    ? `no schema of the messages that rule ${ruleId} looks at has all of its fields`
    : `no schema reads the messages that rule ${ruleId} looks at`;
  const advice = isRead
    ? "put the fields into that schema"
    : "put a schema whose `reference` is a category (telemetry), a category and type (telemetry.climate), or default";
  return `${of}, ${seen}: ${advice}.`;
}
