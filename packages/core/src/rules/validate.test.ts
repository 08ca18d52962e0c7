import { expect, test } from "vitest";
import type { Condition } from "./condition.ts";
import type { Rule } from "./rule.ts";
import type { FieldRule, Format, Schema } from "./schema.ts";
import { validateRule } from "./validate-rule.ts";
import { validateSchema } from "./validate-schema.ts";

const field = (over: Partial<FieldRule> = {}): FieldRule => ({
  ...{ type: "number", sources: ["v"], required: true, unit: undefined, sentUnit: undefined, scale: 1, offset: 0 },
  ...{ least: undefined, most: undefined, description: "" },
  ...over,
});
const schema = (over: Partial<Schema> = {}, one: Partial<FieldRule> = {}): Schema => ({
  ...{ reference: "car", version: 1, format: { kind: "json" }, fields: new Map([["t", field(one)]]) },
  ...over,
});
const positional = (over: Partial<Extract<Format, { kind: "positional" }>> = {}): Partial<Schema> => ({
  format: { kind: "positional", separator: ",", head: ["*HQ"], struct: ["a", "", "b"], ...over },
});
const binary = (over: object, type = "uint8"): Partial<Schema> => ({
  format: { kind: "binary", fields: [{ name: "a", type, littleEndian: false, length: undefined, ...over } as never] },
});
const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

test.each([
  schema(),
  schema(positional()),
  schema(binary({})),
  schema(binary({ length: 5 }, "text")),
  schema({}, { unit: "°C", sentUnit: "°F", least: 0, most: 0 }),
  schema({ fields: new Map(many(200, 0).map((_, index) => [`f${index}`, field()])) }),
])("A good schema has no issues", good => {
  expect(validateSchema(good)).toEqual([]);
});

test.each<[string, Schema]>([
  ["reference", schema({ reference: "" })],
  ["reference", schema({ reference: "a/b" })],
  ["fields", schema({ fields: new Map() })],
  ["fields", schema({ fields: new Map(many(201, 0).map((_, index) => [`f${index}`, field()])) })],
  ['fields["a..b"]', schema({ fields: new Map([["a..b", field()]]) })],
  ['fields["t"].sources', schema({}, { sources: [] })],
  ['fields["t"].sources', schema({}, { sources: many(17, "v") })],
  ['fields["t"].sources[0]', schema({}, { sources: ["a b"] })],
  ['fields["t"]', schema({}, { type: "text", unit: "m" })],
  ['fields["t"]', schema({}, { type: "boolean", least: 1 })],
  ['fields["t"].scale', schema({}, { scale: 0 })],
  ['fields["t"].scale', schema({}, { offset: Number.NaN })],
  ['fields["t"].least', schema({}, { least: 2, most: 1 })],
  ['fields["t"].sentUnit', schema({}, { unit: "m", sentUnit: "kg" })],
  ["format.separator", schema(positional({ separator: "" }))],
  ["format.separator", schema(positional({ separator: ",,,,,,,,," }))],
  ["format.struct", schema(positional({ struct: many(200, "a") }))],
  ["format.struct", schema(positional({ struct: ["", ""] }))],
  ["format.struct[1]", schema(positional({ struct: ["a", "b c"] }))],
  ["format.head[0]", schema(positional({ head: ["a,b"] }))],
  ["format.head[0]", schema(positional({ head: ["x".repeat(129)] }))],
  ["format.fields[0].name", schema(binary({ name: "" }))],
  ["format.fields[0].length", schema(binary({ length: 1 }))],
  ["format.fields[0].length", schema(binary({ length: 70_000 }, "text"))],
])("A schema is refused by its field: %s", (path, bad) => {
  expect(validateSchema(bad).map(issue => issue.path)).toContain(path);
});

test("A binary layout without bytes is refused", () => {
  expect(validateSchema(schema({ format: { kind: "binary", fields: [] } })).map(one => one.path)).toEqual([
    "format.fields",
  ]);
});

const hot: Condition = { kind: "threshold", field: "t", is: ">", value: 80, clear: 70 };
const rule = (over: Partial<Rule> = {}): Rule => ({
  ...{ id: "hot", version: 1, enabled: true, category: "telemetry", type: "", when: hot, repeat: { kind: "once" } },
  ...{ actions: [{ kind: "event", topic: "alarm" }], clearActions: [] },
  ...over,
});
const deep = (levels: number): Condition => (levels === 1 ? hot : { kind: "not", of: deep(levels - 1) });
const fence = (area: object): Condition => ({ kind: "geofence", field: "at", on: "enter", area: area as never });
const centre = { lat: 1, lon: 1 };

test.each<Rule>([
  rule(),
  rule({ when: { kind: "always" } }),
  rule({ when: deep(8) }),
  rule({ when: { kind: "all", of: many(63, hot) } }),
  rule({ when: { ...hot, is: "<", clear: 90 } }),
  rule({ when: { ...hot, is: "==", value: "open", clear: undefined } }),
  rule({ when: fence({ kind: "circle", centre, radiusM: 1 }) }),
  rule({ when: fence({ kind: "polygon", corners: many(3, centre) }) }),
  rule({ actions: [], clearActions: [{ kind: "webhook", target: "ops" }] }),
])("A good rule has no issues", good => {
  expect(validateRule(good)).toEqual([]);
});

test.each<[string, Rule]>([
  ["id", rule({ id: "a b" })],
  ["category", rule({ category: "a/b" })],
  ["type", rule({ type: "+" })],
  ["when", rule({ when: deep(9) })],
  ["when", rule({ when: { kind: "all", of: many(64, hot) } })],
  ["when.of", rule({ when: { kind: "any", of: [] } })],
  ["when.of[1].field", rule({ when: { kind: "any", of: [hot, { ...hot, field: "" }] } })],
  ["when.of.field", rule({ when: { kind: "not", of: { ...hot, field: "" } } })],
  ["when.value", rule({ when: { ...hot, value: "80", clear: undefined } })],
  ["when.clear", rule({ when: { ...hot, clear: 81 } })],
  ["when.clear", rule({ when: { ...hot, is: "<", clear: 79 } })],
  ["when.clear", rule({ when: { ...hot, is: "==", clear: 80 } })],
  ["when.perMs", rule({ when: { kind: "rate", field: "t", perMs: 0, is: ">", value: 1 } })],
  ["when.forMs", rule({ when: { kind: "absence", forMs: 999 } })],
  [
    "when.overMs",
    rule({ when: { kind: "window", field: "t", aggregate: "sum", overMs: 86_400_001, is: ">", value: 1 } }),
  ],
  ["when.area.centre", rule({ when: fence({ kind: "circle", centre: { lat: 91, lon: 0 }, radiusM: 1 }) })],
  ["when.area.radiusM", rule({ when: fence({ kind: "circle", centre, radiusM: 0 }) })],
  ["when.area.radiusM", rule({ when: fence({ kind: "circle", centre, radiusM: 2e7 + 1 }) })],
  ["when.area.corners", rule({ when: fence({ kind: "polygon", corners: many(2, centre) }) })],
  ["when.area.corners", rule({ when: fence({ kind: "polygon", corners: many(201, centre) }) })],
  ["when.area.corners", rule({ when: fence({ kind: "polygon", corners: many(3, { lat: 0, lon: 181 }) }) })],
  ["actions[0].deviceId", rule({ actions: [{ kind: "command", type: "a", deviceId: "../d", payload: {} }] })],
  ["actions[0].deviceId", rule({ actions: [{ kind: "command", type: "a", deviceId: "d/x", payload: {} }] })],
  ["repeat.ms", rule({ repeat: { kind: "every", ms: 999 } })],
  ["actions", rule({ actions: [] })],
  ["actions", rule({ actions: many(17, { kind: "event", topic: "a" } as const) })],
  ["actions[0].topic", rule({ actions: [{ kind: "event", topic: "" }] })],
  ["actions[0].collection", rule({ actions: [{ kind: "store", collection: "system.users$" }] })],
  ["clearActions[0].target", rule({ clearActions: [{ kind: "webhook", target: "http://10.0.0.1/" }] })],
  ["actions[0].type", rule({ actions: [{ kind: "command", deviceId: undefined, type: "a/b", payload: {} }] })],
  [
    "actions[0].payload",
    rule({ actions: [{ kind: "command", deviceId: undefined, type: "a", payload: { x: "y".repeat(4096) } }] }),
  ],
])("A rule is refused by its field: %s", (path, bad) => {
  expect(validateRule(bad).map(issue => issue.path)).toContain(path);
});
