import { expect, it } from "vitest";
import { readRuleSet } from "./rule-set.ts";

const HOT = { id: "hot", when: { kind: "always" }, actions: [{ kind: "event", topic: "a" }] };
const CAR = { reference: "car", fields: { t: { type: "number" } } };

it("reads what is recorded at its versions, and leaves out what is deleted", () => {
  const { rules, schemas, unread } = readRuleSet([
    { kind: "rule", reference: "hot", version: 3, document: HOT },
    { kind: "rule", reference: "cold", version: 2, document: undefined },
    { kind: "schema", reference: "car", version: 5, document: CAR },
  ]);
  expect(rules.map(one => `${one.id} ${one.version}`)).toEqual(["hot 3"]);
  expect([...schemas].map(([name, one]) => `${name} ${one.version}`)).toEqual(["car 5"]);
  expect(unread).toEqual([]);
});

it("sets aside what only a newer program can read, and keeps the others", () => {
  const later = { ...HOT, id: "later", when: { kind: "learned" } };
  const { rules, unread } = readRuleSet([
    { kind: "rule", reference: "later", version: 1, document: later },
    { kind: "rule", reference: "hot", version: 1, document: HOT },
  ]);
  expect(rules).toHaveLength(1);
  expect(unread).toMatchObject([{ record: { reference: "later" }, issues: [{ path: "when.kind" }] }]);
});
