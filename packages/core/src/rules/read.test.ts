import { describe, expect, it } from "vitest";
import { readRule } from "./read-rule.ts";
import { readSchema } from "./read-schema.ts";

const hot = { kind: "threshold", field: "t", is: ">", value: 80 };
const aRule = (over: object = {}) => ({ id: "hot", when: hot, actions: [{ kind: "event", topic: "alarm" }], ...over });
const aSchema = (over: object = {}) => ({ reference: "car", fields: { "gps.speed": { type: "number" } }, ...over });
const BYTE = { name: "b", type: "uint8" };
const places = (issues: readonly { readonly path: string }[]): readonly string[] => issues.map(one => one.path);

describe("the document of a rule", () => {
  it("gets the defaults where it says nothing", () => {
    expect(readRule(aRule(), 3).value).toEqual({
      ...{ id: "hot", version: 3, enabled: true, category: "", type: "", repeat: { kind: "once" }, clearActions: [] },
      when: { ...hot, clear: undefined },
      actions: [{ kind: "event", topic: "alarm" }],
    });
  });

  it("may have conditions and actions of every kind", () => {
    const [field, is, value] = ["t", "<=", 1];
    const area = { kind: "circle", centre: { lat: 1, lon: 2 }, radiusM: 10 };
    const corners = [0, 1, 2].map(lat => ({ lat, lon: lat * lat }));
    const of = [
      ...[{ kind: "always" }, { kind: "rate", field, perMs: 1000, is, value }, { kind: "absence", forMs: 1000 }],
      ...[{ kind: "window", field, aggregate: "sum", overMs: 1000, is, value }],
      ...[
        { kind: "geofence", field, area, on: "enter" },
        { kind: "change", field, from: "a", to: true },
      ],
      ...[{ kind: "geofence", field, area: { kind: "polygon", corners }, on: "leave" }],
      ...[
        { kind: "not", of: { kind: "any", of: [hot] } },
        { kind: "threshold", field, is: "==", value: { lat: 1, lon: 1 } },
      ],
    ];
    const actions = [
      ...[
        { kind: "store", collection: "hot" },
        { kind: "webhook", target: "ops" },
      ],
      ...[
        { kind: "command", type: "slow", deviceId: "d2", payload: { by: 2 } },
        { kind: "command", type: "stop" },
      ],
    ];
    const read = readRule(aRule({ when: { kind: "all", of }, actions, repeat: { kind: "every", ms: 5000 } }), 1);
    expect(read.issues).toEqual([]);
    expect(read.value?.actions[3]).toEqual({ kind: "command", type: "stop", deviceId: undefined, payload: {} });
  });

  it.each<[string, unknown]>([
    ["", []],
    ["", "hot"],
    ["id", aRule({ id: undefined })],
    ["id", aRule({ id: "a b" })],
    ["when", aRule({ when: undefined })],
    ["when", aRule({ when: 7 })],
    ["when.kind", aRule({ when: { kind: "script", code: "1" } })],
    ["when.kind", aRule({ when: { kind: "constructor" } })],
    ["when.pattern", aRule({ when: { ...hot, pattern: "(a+)+" } })],
    ["when.is", aRule({ when: { ...hot, is: "~" } })],
    ["when.value", aRule({ when: { ...hot, value: null } })],
    ["when.value", aRule({ when: { kind: "rate", field: "t", perMs: 1, is: ">", value: "1" } })],
    ["when.of[1].field", aRule({ when: { kind: "all", of: [hot, { ...hot, field: 1 }] } })],
    ["when.clear", aRule({ when: { ...hot, clear: 90 } })],
    ["colour", aRule({ colour: "red" })],
    ["version", aRule({ version: 2 })],
    ["enabled", aRule({ enabled: "yes" })],
    ["actions", aRule({ actions: [] })],
    ["actions[0].kind", aRule({ actions: [{ kind: "shell" }] })],
    ["actions[0].payload", aRule({ actions: [{ kind: "command", type: "a", payload: [] }] })],
    ["repeat.ms", aRule({ repeat: { kind: "every" } })],
  ])("is refused with the place %s", (path, json) => {
    expect(places(readRule(json, 1).issues)).toEqual([path]);
  });

  it("is refused however deep its conditions are, without following them", () => {
    let when: object = hot;
    for (let depth = 0; depth < 100_000; depth++) when = { kind: "not", of: when };
    expect(readRule(aRule({ when }), 1).issues).toMatchObject([{ problem: expect.stringContaining("deep") as string }]);
    expect(places(readRule(aRule({ id: when }), 1).issues)).toEqual(["id"]);
  });
});

describe("the document of a schema", () => {
  it("gets the defaults where it says nothing", () => {
    const read = readSchema(aSchema(), 2).value;
    expect(read).toMatchObject({ reference: "car", version: 2, format: { kind: "json" } });
    expect(read?.fields.get("gps.speed")).toEqual({
      ...{ type: "number", sources: ["gps.speed"], required: false, unit: undefined, sentUnit: undefined, scale: 1 },
      ...{ offset: 0, least: undefined, most: undefined, description: "" },
    });
  });

  it.each([
    { kind: "cbor" },
    { kind: "binary", fields: [{ name: "a", type: "uint16" }] },
    { kind: "positional", head: ["*HQ"], struct: ["imei", "", "speed"] },
  ])("may have the format %o", format => {
    expect(readSchema(aSchema({ format }), 1).issues).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["reference", aSchema({ reference: undefined })],
    ["fields", aSchema({ fields: [] })],
    ["fields", aSchema({ fields: {} })],
    ['fields["a"].type', aSchema({ fields: { a: {} } })],
    ['fields["a"].type', aSchema({ fields: { a: { type: "date" } } })],
    ['fields["a"].min', aSchema({ fields: { a: { type: "number", min: 1 } } })],
    ['fields["a"].sources[0]', aSchema({ fields: { a: { type: "number", sources: [1] } } })],
    ['fields["a"].least', aSchema({ fields: { a: { type: "number", least: "1" } } })],
    ["format.kind", aSchema({ format: { kind: "xml" } })],
    ["format.fields[0].length", aSchema({ format: { kind: "binary", fields: [{ name: "a", type: "text" }, BYTE] } })],
  ])("is refused with the place %s", (path, json) => {
    expect(places(readSchema(json, 1).issues)).toEqual([path]);
  });
});
