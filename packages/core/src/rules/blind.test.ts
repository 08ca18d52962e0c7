import { describe, expect, it } from "vitest";
import { blindRules } from "./blind.ts";
import { readRuleSet } from "./rule-set.ts";

const threshold = (field: string) => ({ kind: "threshold", field, is: ">", value: 1 });
const blind = (rule: object, ...references: readonly string[]) => {
  const document = { id: "hot", actions: [{ kind: "event", topic: "alarm" }], ...rule };
  const schemas = references.map(one => {
    const [reference = "", field = "t"] = one.split(":");
    const document = { reference, fields: { [field]: { type: "number" } } };
    return { kind: "schema" as const, reference, version: 1, document };
  });
  const set = readRuleSet([{ kind: "rule", reference: "hot", version: 1, document }, ...schemas]);
  expect(set.unread).toEqual([]);
  return blindRules(set).map(one => `${one.fields.join()} ${one.isRead}`);
};

describe("a rule is blind", () => {
  it.each<[string, object, readonly string[], readonly string[]]>([
    ["without any schema", { when: threshold("t") }, [], ["t false"]],
    ["with schemas of other messages only", { category: "telemetry", when: threshold("t") }, ["alarm.a"], ["t false"]],
    [
      "with a schema of another type only",
      { category: "telemetry", type: "b", when: threshold("t") },
      ["telemetry.a"],
      ["t false"],
    ],
    ["where its schema has no such field", { when: threshold("u") }, ["telemetry"], ["u true"]],
    [
      "where the schema of its type has no such field, though that of its category has",
      { category: "telemetry", type: "a", when: threshold("t") },
      ["telemetry", "telemetry.a:u"],
      ["t true"],
    ],
    [
      "in what stands within its condition",
      { when: { kind: "all", of: [threshold("u"), { kind: "not", of: threshold("v") }, threshold("t")] } },
      ["telemetry"],
      ["u,v true"],
    ],
  ])("%s", (_, rule, references, expected) => {
    expect(blind(rule, ...references)).toEqual(expected);
  });

  it.each<[string, object, readonly string[]]>([
    [
      "it looks at no field",
      { when: { kind: "any", of: [{ kind: "always" }, { kind: "absence", forMs: 1_000 }] } },
      [],
    ],
    ["it is off", { enabled: false, when: threshold("t") }, []],
    ["the schema of its category reads them", { category: "a", type: "b", when: threshold("t") }, ["a"]],
    ["the schema of a type reads some of them", { category: "a", when: threshold("t") }, ["a.b"]],
    ["the default schema reads them", { category: "a", type: "b", when: threshold("t") }, ["default"]],
    ["any schema may", { type: "b", when: threshold("t") }, ["x"]],
  ])("not where %s", (_, rule, references) => {
    expect(blind(rule, ...references)).toEqual([]);
  });
});
