import type { Issue } from "../error.ts";
import type { Area, Condition } from "./condition.ts";
import { byKind, isObject, list, may, need, note, number, object, oneOf, readWhole, text, truth } from "./read.ts";
import type { Read, Reading } from "./read.ts";
import type { Action, Repeat, Rule } from "./rule.ts";
import { validateRule } from "./validate-rule.ts";
import type { FieldValue, Point } from "./value.ts";

/** Deeper conditions are refused, before their depth costs anything. */
const MOST_DEPTH = 8;

const comparison = oneOf("<", "<=", ">", ">=", "==", "!=");
const point = object<Point>({ lat: need(number), lon: need(number) });

const fieldValue: Read<FieldValue> = (json, path, issues) => {
  if (typeof json === "string" || typeof json === "boolean") return json;
  if (typeof json === "number") return number(json, path, issues);
  if (isObject(json)) return point(json, path, issues);
  return note(issues, path, json, "a number, a text, true, false or a place", 0);
};

const area = byKind<Area>({
  circle: { centre: need(point), radiusM: need(number) },
  polygon: { corners: need(list(point)) },
});

function condition(depth: number): Read<Condition> {
  const inner: Read<Condition> = (json, path, issues) => {
    if (depth > 1) return condition(depth - 1)(json, path, issues);
    return note(issues, path, "more", `at most ${MOST_DEPTH} deep`, { kind: "always" });
  };
  const [field, value] = [need(text), need(number)];
  return byKind<Condition>({
    always: {},
    threshold: { field, is: need(comparison), value: need(fieldValue), clear: may(number, undefined) },
    rate: { field, perMs: need(number), is: need(comparison), value },
    absence: { forMs: need(number) },
    window: {
      ...{ field, overMs: need(number), is: need(comparison), value },
      aggregate: need(oneOf("average", "sum", "least", "most", "count")),
    },
    geofence: { field, area: need(area), on: need(oneOf("inside", "outside", "enter", "leave")) },
    change: { field, from: may(fieldValue, undefined), to: may(fieldValue, undefined) },
    all: { of: need(list(inner)) },
    any: { of: need(list(inner)) },
    not: { of: need(inner) },
  });
}

const payload: Read<Readonly<Record<string, unknown>>> = (json, path, issues) =>
  isObject(json) ? json : note(issues, path, json, "an object", {});

const action = byKind<Action>({
  store: { collection: need(text) },
  event: { topic: need(text) },
  command: { deviceId: may(text, undefined), type: need(text), payload: may(payload, {}) },
  webhook: { target: need(text) },
});

const document = object<Omit<Rule, "version">>({
  id: need(text),
  enabled: may(truth, true),
  category: may(text, ""),
  type: may(text, ""),
  when: need(condition(MOST_DEPTH)),
  repeat: may(byKind<Repeat>({ once: {}, always: {}, every: { ms: need(number) } }), { kind: "once" }),
  actions: may(list(action), []),
  clearActions: may(list(action), []),
});

/**
 * The rule that a document describes, at a version, or everything that is wrong with it. A field
 * that there is not, is refused; an absent one gets the default that stands above.
 */
export function readRule(json: unknown, version: number): Reading<Rule> {
  const read = readWhole(json, document);
  if (read.value === undefined) return read;
  const rule = { ...read.value, version };
  const issues: readonly Issue[] = validateRule(rule);
  return issues.length === 0 ? { value: rule, issues: [] } : { value: undefined, issues };
}
