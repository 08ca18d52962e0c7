import type { Condition } from "./condition.ts";
import type { Rule } from "./rule.ts";
import type { RuleSet } from "./rule-set.ts";
import type { Schema } from "./schema.ts";

/** A rule that is on and never sees a field that it looks at, since no schema types it. */
export interface BlindRule {
  readonly ruleId: string;
  /** What it does not see. */
  readonly fields: readonly string[];
  /** Whether there is a schema at all for messages that it looks at. */
  readonly isRead: boolean;
}

/** The rules that look at fields which no schema gives the messages that they look at. */
export function blindRules({ rules, schemas }: RuleSet): readonly BlindRule[] {
  return rules.flatMap(rule => {
    if (!rule.enabled) return [];
    const reading = schemasFor(rule, schemas);
    const typed = new Set(reading.flatMap(one => [...one.fields.keys()]));
    const fields = [...new Set(fieldsOf(rule.when))].filter(one => !typed.has(one));
    return fields.length === 0 ? [] : [{ ruleId: rule.id, fields, isRead: reading.length > 0 }];
  });
}

/** The schemas that may read a message which the rule looks at (as `chooseSchema` chooses). */
function schemasFor({ category, type }: Rule, schemas: RuleSet["schemas"]): readonly Schema[] {
  const all = [...schemas.values()];
  const exact = category === "" || type === "" ? undefined : schemas.get(`${category}.${type}`);
  if (exact !== undefined) return [exact];
  if (category === "") return all;
  const whole = schemas.get(category) ?? schemas.get("default");
  const parts = type === "" ? all.filter(one => one.reference.startsWith(`${category}.`)) : [];
  return [...parts, ...(whole === undefined ? [] : [whole])];
}

function fieldsOf(condition: Condition): readonly string[] {
  switch (condition.kind) {
    case "always":
    case "absence":
      return [];
    case "all":
    case "any":
      return condition.of.flatMap(fieldsOf);
    case "not":
      return fieldsOf(condition.of);
    default:
      return [condition.field];
  }
}
