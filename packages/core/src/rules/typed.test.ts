import { describe, expect, it, test } from "vitest";
import { readBinary, readPositional } from "./layout.ts";
import { isPath, readPath } from "./path.ts";
import type { BinaryField, FieldRule } from "./schema.ts";
import { typeFields } from "./typed.ts";
import { convertUnit, whyNotConverted } from "./units.ts";

const aField = (over: Partial<FieldRule> = {}): FieldRule => ({
  ...{ type: "number", sources: ["v"], required: true, unit: undefined, sentUnit: undefined, scale: 1, offset: 0 },
  ...{ least: undefined, most: undefined, description: "" },
  ...over,
});

/** The typed value of `v`, or what is wrong with it. */
function typed(v: unknown, over: Partial<FieldRule> = {}): unknown {
  const { fields, problems } = typeFields({ v }, { fields: new Map([["f", aField(over)]]) });
  return fields === undefined ? problems.map(one => `${one.field}: ${one.problem}`).join() : fields.get("f");
}

describe("a field", () => {
  it.each<[unknown, Partial<FieldRule>, unknown]>([
    [1.5, {}, 1.5],
    ["-1.5e2", {}, -150],
    [" 7 ", { type: "integer" }, 7],
    [21.5, { scale: 10, offset: 1 }, 216],
    [212, { unit: "°C", sentUnit: "°F" }, 100],
    [7, { type: "text" }, "7"],
    ["ON", { type: "boolean" }, true],
    [0, { type: "boolean" }, false],
    [1_700_000_000, { type: "time" }, 1_700_000_000_000],
    [1_700_000_000_123, { type: "time" }, 1_700_000_000_123],
    ["2023-11-14T22:13:20Z", { type: "time" }, 1_700_000_000_000],
    [{ latitude: "52.5", lng: 13.4 }, { type: "point" }, { lat: 52.5, lon: 13.4 }],
    [[13.4, 52.5], { type: "point" }, { lat: 52.5, lon: 13.4 }],
    [{ type: "Point", coordinates: [13.4, 52.5] }, { type: "point" }, { lat: 52.5, lon: 13.4 }],
    [5, { least: 5, most: 5 }, 5],
  ])("%j becomes what it says by %j", (sent, over, expected) => {
    expect(typed(sent, over)).toEqual(expected);
  });

  it.each<[unknown, Partial<FieldRule>, string]>([
    ["", {}, 'f: "" is not a number'],
    ["0x10", {}, 'f: "0x10" is not a number'],
    ["1e999", {}, 'f: "1e999" is not a number'],
    [true, {}, "f: true is not a number"],
    [{}, {}, "f: an object is not a number"],
    [1.5, { type: "integer" }, "f: 1.5 is no whole number"],
    [4.9, { least: 5 }, "f: 4.9 is below 5"],
    [5.1, { most: 5 }, "f: 5.1 is above 5"],
    [{}, { type: "text" }, "f: an object is not a text"],
    [2, { type: "boolean" }, "f: 2 is not true or false"],
    ["yesterday", { type: "time" }, 'f: "yesterday" is not a time: seconds or ms since 1970, or ISO 8601'],
    [-1, { type: "time" }, "f: -1 is not a time: seconds or ms since 1970, or ISO 8601"],
    [{ lat: 91, lon: 0 }, { type: "point" }, 'f: {"lat":91,"lon":0} is not a place on the earth'],
    [{ lat: 1, lon: 181 }, { type: "point" }, 'f: {"lat":1,"lon":181} is not a place on the earth'],
    [undefined, { sources: ["v", "w"] }, "f: nothing stands at v or w"],
    [null, {}, "f: nothing stands at v"],
  ])("%j is refused by %j", (sent, over, problem) => {
    expect(typed(sent, over)).toBe(problem);
  });

  it("may be a large whole number of a binary format", () => {
    expect(typed(7n)).toBe(7);
    expect(typed(7n, { type: "boolean" })).toBe("f: 7 is not true or false");
  });

  it("is left out where it is missing and need not be there", () => {
    expect(typed(undefined, { required: false })).toBeUndefined();
  });

  it("comes from the first of its sources that is there", () => {
    const schema = { fields: new Map([["f", aField({ sources: ["a.b", "c[1]", "d"] })]]) };
    expect(typeFields({ c: [1, 2], d: 3 }, schema).fields?.get("f")).toBe(2);
  });
});

test("Paths see a message's own fields only", () => {
  expect(readPath({ a: [{ b: 1 }] }, "a[0].b")).toBe(1);
  for (const path of ["constructor", "a.length.x", "__proto__", "toString.name"]) {
    expect(readPath({ a: [] }, path)).toBeUndefined();
  }
  expect(["a", "a.b", "a[0]", "a[0][1].b-c", "_"].every(isPath)).toBe(true);
  expect(["", ".a", "a.", "a[]", "a[x]", "a b", "a..b", `${"a".repeat(257)}`].some(isPath)).toBe(false);
});

test("Units are converted within their kind, and nothing else", () => {
  expect(convertUnit(0, "K", "°C")).toBeCloseTo(-273.15);
  expect(convertUnit(100, "km/h", "m/s")).toBeCloseTo(27.7778, 4);
  expect(convertUnit(1, "nmi", "km")).toBeCloseTo(1.852);
  expect(convertUnit(0.5, "", "%")).toBe(50);
  expect(convertUnit(3, "m", "kg")).toBe(3);
  expect(whyNotConverted("m", "kg")).toBe('"m" is a unit of length, and "kg" of mass');
  expect(whyNotConverted("constructor", "m")).toBe('"constructor" is no unit that is known');
  expect([whyNotConverted("m", "km"), whyNotConverted("smoots", "smoots")]).toEqual([undefined, undefined]);
});

describe("a binary layout", () => {
  const field = (name: string, type: BinaryField["type"], over: Partial<BinaryField> = {}): BinaryField => ({
    ...{ name, type, littleEndian: false, length: undefined },
    ...over,
  });
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
  const read = (hex: string, ...fields: readonly BinaryField[]) => readBinary(Buffer.from(hex, "hex"), fields, text);

  it("reads each type, in either order of bytes", () => {
    expect(read("ff", field("a", "uint8"))).toEqual({ value: { a: 255 } });
    expect(read("ff", field("a", "int8"))).toEqual({ value: { a: -1 } });
    expect(read("0102fffe", field("a", "uint16"), field("b", "int16"))).toEqual({ value: { a: 258, b: -2 } });
    expect(read("0102", field("a", "uint16", { littleEndian: true }))).toEqual({ value: { a: 513 } });
    expect(read("80000000", field("a", "uint32"))).toEqual({ value: { a: 2_147_483_648 } });
    expect(read("80000000", field("a", "int32"))).toEqual({ value: { a: -2_147_483_648 } });
    expect(read("0000000000000005", field("a", "uint64"))).toEqual({ value: { a: 5 } });
    expect(read("ffffffffffffffff", field("a", "int64"))).toEqual({ value: { a: -1 } });
    expect(read("3fc00000", field("a", "float32"))).toEqual({ value: { a: 1.5 } });
    expect(read("3ff8000000000000", field("a", "float64"))).toEqual({ value: { a: 1.5 } });
    expect(read("4142000043", field("a", "text", { length: 4 }), field("b", "uint8"))).toEqual({
      value: { a: "AB", b: 67 },
    });
  });

  it("refuses another length, and what no number holds", () => {
    expect(read("ff", field("a", "uint16"))).toEqual({ problem: "it has 1 bytes, and its layout 2" });
    expect(read("ffffff", field("a", "uint16"))).toEqual({ problem: "it has 3 bytes, and its layout 2" });
    expect(read("ffffffffffffffff", field("a", "uint64"))).toEqual({
      problem: "a is 18446744073709551615, which is beyond 2^53",
    });
  });

  it("takes any name for what it is", () => {
    const found = read("07", field("__proto__", "uint8"));
    expect("value" in found && Object.hasOwn(found.value, "__proto__")).toBe(true);
  });
});

describe("a line of a tracker", () => {
  const format = {
    kind: "positional",
    separator: ",",
    head: ["*HQ", "V1"],
    struct: ["imei", "", "lat", "lon"],
  } as const;

  it("has names for its places, and skips what has none or is empty", () => {
    expect(readPositional("*HQ,V1,868,x,52.5,13.4\r\n", format)).toEqual({
      value: { imei: "868", lat: "52.5", lon: "13.4" },
    });
    expect(readPositional("*HQ,V1,868,,,", format)).toEqual({ value: { imei: "868" } });
    expect(readPositional("*HQ,V1,868", format)).toEqual({ value: { imei: "868" } });
  });

  it("is refused where it begins otherwise or is longer", () => {
    expect(readPositional("*HQ,V2,868", format)).toEqual({ problem: 'word 2 is "V2", not "V1"' });
    expect(readPositional("*HQ", format)).toEqual({ problem: 'word 2 is "", not "V1"' });
    expect(readPositional("*HQ,V1,1,2,3,4,5", format)).toEqual({
      problem: "it has 5 words after its head, and its struct 4",
    });
  });
});
