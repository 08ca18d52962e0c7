import fc from "fast-check";

/** The part of JSON Schema that our OpenAPI document uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly not?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly description?: string;
}

/** Finds what a `$ref` names. */
export type Resolve = (schema: Schema) => Schema;

/** Whether a value is what a schema says. */
export function fits(value: unknown, given: Schema, resolve: Resolve): boolean {
  const schema = resolve(given);
  const inside = (one: Schema): boolean => fits(value, one, resolve);
  return (
    (schema.type === undefined || typeOf(value, schema)) &&
    (typeof value !== "string" || fitsText(value, schema)) &&
    (typeof value !== "number" || (value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity))) &&
    (!Array.isArray(value) || fitsList(value, schema, resolve)) &&
    (!isObject(value) || fitsObject(value, schema, resolve)) &&
    (schema.not === undefined || !inside(schema.not)) &&
    (schema.allOf ?? []).every(inside) &&
    (schema.anyOf === undefined || schema.anyOf.some(inside)) &&
    (schema.oneOf === undefined || schema.oneOf.filter(inside).length === 1)
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function typeOf(value: unknown, { type, format }: Schema): boolean {
  // A 64-bit number is text, and a number is read as well.
  if (format === "uint64" && Number.isSafeInteger(value)) return (value as number) >= 0;
  if (type === "object") return isObject(value);
  if (type === "array") return Array.isArray(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}

function fitsText(value: string, schema: Schema): boolean {
  const length = Array.from(value).length;
  return (
    length >= (schema.minLength ?? 0) &&
    length <= (schema.maxLength ?? Infinity) &&
    (schema.enum?.includes(value) ?? true) &&
    (schema.pattern === undefined || new RegExp(schema.pattern, "u").test(value))
  );
}

function fitsList(value: readonly unknown[], schema: Schema, resolve: Resolve): boolean {
  const { items, minItems = 0, maxItems = Infinity } = schema;
  const isCounted = value.length >= minItems && value.length <= maxItems;
  return isCounted && (items === undefined || value.every(item => fits(item, items, resolve)));
}

function fitsObject(value: Record<string, unknown>, schema: Schema, resolve: Resolve): boolean {
  const { properties = {}, required = [], additionalProperties: others = true, propertyNames } = schema;
  return (
    required.every(name => Object.hasOwn(value, name)) &&
    Object.keys(value).length >= (schema.minProperties ?? 0) &&
    Object.keys(value).length <= (schema.maxProperties ?? Infinity) &&
    Object.entries(value).every(([name, inner]) => {
      if (propertyNames !== undefined && !fits(name, propertyNames, resolve)) return false;
      const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (own !== undefined) return fits(inner, own, resolve);
      return typeof others === "boolean" ? others : fits(inner, others, resolve);
    })
  );
}

/** Values that fit a schema. Lists and maps stay small; texts keep to their pattern. */
export function valuesOf(given: Schema, resolve: Resolve): fc.Arbitrary<unknown> {
  const schema = resolve(given);
  return shaped(schema, resolve).filter(value => fits(value, schema, resolve));
}

function shaped(schema: Schema, resolve: Resolve): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case "string":
      return texts(schema);
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 2 ** 31 - 1 });
    case "boolean":
      return fc.boolean();
    case "array": {
      const { items = {}, minItems = 0, maxItems = 3 } = schema;
      return fc.array(valuesOf(items, resolve), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 2) });
    }
    case "object":
      return objects(schema, resolve);
    default:
      throw new Error(`no values are known for the schema ${JSON.stringify(schema)}`);
  }
}

/** Of those that a timestamp may be. */
const YEARS = { min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T00:00:00Z") };

function texts(schema: Schema): fc.Arbitrary<string> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.format === "date-time") return fc.date({ noInvalidDate: true, ...YEARS }).map(one => one.toISOString());
  if (schema.format === "byte")
    return fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes).toString("base64"));
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern.replace(/\(\?=.*?\)\$\)/, "")));
  const { minLength = 0, maxLength = 20 } = schema;
  const short = fc.string({ minLength, maxLength: Math.min(maxLength, 60), unit: "grapheme" });
  // The longest one that is allowed, because bounds are where a document lies.
  return fc.oneof({ weight: 4, arbitrary: short }, fc.constant("x".repeat(maxLength)));
}

function objects(schema: Schema, resolve: Resolve): fc.Arbitrary<unknown> {
  const { properties, additionalProperties: others, required = [] } = schema;
  if (properties === undefined && typeof others === "object")
    return fc.dictionary(
      valuesOf(schema.propertyNames ?? { type: "string" }, resolve) as fc.Arbitrary<string>,
      valuesOf(others, resolve),
      {
        maxKeys: 3,
      },
    );
  const told = { ...properties, ...(others === undefined ? { noSuchField: { type: "boolean" } as const } : {}) };
  const each = Object.entries(told).map(([name, inner]) => [name, valuesOf(inner, resolve)] as const);
  const known = new Set(Object.keys(properties ?? {}));
  const requiredKeys = required.filter(name => known.has(name));
  // Where exactly one of several fields must be there, all of them at once would hardly ever fit.
  const cases = (schema.oneOf ?? []).flatMap(one => one.required ?? []);
  const choice = cases.length === 0 ? fc.constant<string | undefined>(undefined) : fc.constantFrom(...cases);
  return fc
    .tuple(
      fc.record(Object.fromEntries(each), { requiredKeys: [...requiredKeys, ...cases] as never[] }),
      choice,
      fc.boolean(),
    )
    .map(([value, chosen, isFirst]) => {
      const kept = Object.entries(value).filter(([name]) => !cases.includes(name) || name === chosen);
      return withoutClashes(Object.fromEntries(kept), schema, isFirst);
    });
}

/** Drops one side of what may not stand together: chance would hardly ever leave it out. */
function withoutClashes(
  value: Record<string, unknown>,
  schema: Schema,
  isFirst: boolean,
): Readonly<Record<string, unknown>> {
  const namesOf = (schemas: readonly Schema[]): string[] => schemas.flatMap(one => one.required ?? []);
  for (const { not = {} } of [schema, ...(schema.allOf ?? [])]) {
    const [first, ...others] = [...(not.required ?? []), ...namesOf(not.anyOf ?? []), ...namesOf(not.allOf ?? [])];
    if (first === undefined || !Object.hasOwn(value, first)) continue;
    if (!others.some(name => Object.hasOwn(value, name))) continue;
    for (const name of isFirst ? others : [first]) delete value[name];
  }
  return value;
}
