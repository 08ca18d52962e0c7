import type { DescEnum, DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { ScalarType, getOption, hasOption } from "@bufbuild/protobuf";
import { field as fieldRules } from "../gen/buf/validate/validate_pb.ts";
import type { FieldRules } from "../gen/buf/validate/validate_pb.ts";
import type { Comments } from "./comments.ts";

/** A JSON Schema, or any other part of the document. */
export type Json = { [name: string]: JsonValue };

/** Messages whose JSON is not an object of their fields. */
const WELL_KNOWN: Readonly<Record<string, Json>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string" },
  "google.protobuf.Struct": { type: "object", additionalProperties: true },
  "google.protobuf.Empty": { type: "object" },
};

const INTEGER = (format: string): Json => ({ type: "integer", format });
/** 64-bit numbers are text in JSON, because JavaScript's numbers would lose digits; numbers are accepted too. */
const LONG = (format: string): Json => ({ type: "string", format });

const SCALARS: Readonly<Record<ScalarType, Json>> = {
  [ScalarType.DOUBLE]: { type: "number", format: "double" },
  [ScalarType.FLOAT]: { type: "number", format: "float" },
  [ScalarType.INT32]: INTEGER("int32"),
  [ScalarType.SINT32]: INTEGER("int32"),
  [ScalarType.SFIXED32]: INTEGER("int32"),
  [ScalarType.UINT32]: INTEGER("uint32"),
  [ScalarType.FIXED32]: INTEGER("uint32"),
  [ScalarType.INT64]: LONG("int64"),
  [ScalarType.SINT64]: LONG("int64"),
  [ScalarType.SFIXED64]: LONG("int64"),
  [ScalarType.UINT64]: LONG("uint64"),
  [ScalarType.FIXED64]: LONG("uint64"),
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BYTES]: { type: "string", format: "byte" },
};

/** The schema's name of a message or enum: its name without the package. */
export const schemaName = (type: DescMessage | DescEnum): string => type.typeName.replace(/^([a-z0-9]+\.)+/, "");

const reference = (type: DescMessage | DescEnum): Json =>
  WELL_KNOWN[type.typeName] ?? { $ref: `#/components/schemas/${schemaName(type)}` };

/** The schema of one field, with its comment and its rules. */
export function fieldSchema(field: DescField, comments: Comments): Json {
  const description = comments.get(`${field.parent.typeName}.${field.name}`);
  const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
  return { ...shapeOf(field), ...limits(rules), ...(description === undefined ? {} : { description }) };
}

function shapeOf(field: DescField): Json {
  switch (field.fieldKind) {
    case "scalar":
      return { ...SCALARS[field.scalar] };
    case "enum":
      return reference(field.enum);
    case "message":
      return reference(field.message);
    case "list":
      return { type: "array", items: elementOf(field) };
    case "map":
      return { type: "object", additionalProperties: elementOf({ ...field, listKind: field.mapKind }) };
  }
}

/** The schema of what a list or map holds. */
function elementOf(of: {
  readonly listKind: "scalar" | "enum" | "message";
  readonly scalar?: ScalarType | undefined;
  readonly enum?: DescEnum | undefined;
  readonly message?: DescMessage | undefined;
}): Json {
  if (of.message !== undefined) return reference(of.message);
  if (of.enum !== undefined) return reference(of.enum);
  return { ...SCALARS[of.scalar ?? ScalarType.STRING] };
}

/** Those rules that JSON Schema has words for; the server checks all of them. */
function limits(rules: FieldRules | undefined): Json {
  const found: Json = {};
  const put = (name: string, value: number | bigint | string | undefined): void => {
    if (value !== undefined) found[name] = typeof value === "bigint" ? Number(value) : value;
  };
  const type = rules?.type;
  switch (type?.case) {
    case "string":
      if (type.value.minLen > 0n) put("minLength", type.value.minLen);
      if (type.value.maxLen > 0n) put("maxLength", type.value.maxLen);
      if (type.value.pattern !== "") put("pattern", type.value.pattern);
      break;
    case "uint32":
      if (type.value.greaterThan.case === "gte") put("minimum", type.value.greaterThan.value);
      if (type.value.lessThan.case === "lte") put("maximum", type.value.lessThan.value);
      break;
    case "repeated":
      if (type.value.minItems > 0n) put("minItems", type.value.minItems);
      if (type.value.maxItems > 0n) put("maxItems", type.value.maxItems);
      break;
    case "map":
      if (type.value.maxPairs > 0n) put("maxProperties", type.value.maxPairs);
      break;
    default:
      break;
  }
  return found;
}

/** Schemas of messages, and of everything that they hold, by name. */
export function schemasOf(roots: readonly DescMessage[], comments: Comments): Json {
  const found = new Map<string, Json>();
  const add = (type: DescMessage | DescEnum): void => {
    const name = schemaName(type);
    if (found.has(name) || WELL_KNOWN[type.typeName] !== undefined) return;
    found.set(name, {});
    const description = comments.get(type.typeName);
    const said = description === undefined ? {} : { description };
    if (type.kind === "enum") {
      found.set(name, { type: "string", enum: type.values.map(value => value.name), ...said });
      return;
    }
    for (const field of type.fields) {
      if (field.message !== undefined) add(field.message);
      if (field.enum !== undefined) add(field.enum);
    }
    const properties = Object.fromEntries(type.fields.map(field => [field.jsonName, fieldSchema(field, comments)]));
    const required = type.fields
      .filter(field => hasOption(field, fieldRules) && getOption(field, fieldRules).required)
      .map(field => field.jsonName);
    found.set(name, { type: "object", properties, ...(required.length === 0 ? {} : { required }), ...said });
  };
  roots.forEach(add);
  return Object.fromEntries([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
