import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import type { Comments } from "./comments.ts";
import {
  constraintsOf,
  innerConstraints,
  isRequired,
  longPattern,
  messageConstraints,
  rulesOf,
} from "./constraints.ts";
import type { Json } from "./json.ts";

/** Messages whose JSON is not an object of their fields. */
const WELL_KNOWN: Readonly<Record<string, Json>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string" },
  "google.protobuf.Struct": { type: "object", additionalProperties: true },
  "google.protobuf.Empty": { type: "object" },
};

const SIGNED: Json = { type: "integer", format: "int32", minimum: -2_147_483_648, maximum: 2_147_483_647 };
const UNSIGNED: Json = { type: "integer", format: "uint32", minimum: 0, maximum: 4_294_967_295 };
/**
 * 64-bit numbers are text in JSON, because JavaScript's numbers would lose digits; numbers are
 * accepted too.
 */
const SIGNED_LONG: Json = { type: "string", format: "int64", pattern: "^-?(0|[1-9]\\d{0,18})$" };
const UNSIGNED_LONG: Json = { type: "string", format: "uint64", ...longPattern() };

const SCALARS: Readonly<Record<ScalarType, Json>> = {
  [ScalarType.DOUBLE]: { type: "number", format: "double" },
  [ScalarType.FLOAT]: { type: "number", format: "float" },
  [ScalarType.INT32]: SIGNED,
  [ScalarType.SINT32]: SIGNED,
  [ScalarType.SFIXED32]: SIGNED,
  [ScalarType.UINT32]: UNSIGNED,
  [ScalarType.FIXED32]: UNSIGNED,
  [ScalarType.INT64]: SIGNED_LONG,
  [ScalarType.SINT64]: SIGNED_LONG,
  [ScalarType.SFIXED64]: SIGNED_LONG,
  [ScalarType.UINT64]: UNSIGNED_LONG,
  [ScalarType.FIXED64]: UNSIGNED_LONG,
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
  return {
    ...shapeOf(field),
    ...constraintsOf(rulesOf(field)),
    ...(description === undefined ? {} : { description }),
  };
}

function shapeOf(field: DescField): Json {
  const { items, keys } = innerConstraints(rulesOf(field));
  switch (field.fieldKind) {
    case "scalar":
      return { ...SCALARS[field.scalar] };
    case "enum":
      return reference(field.enum);
    case "message":
      return reference(field.message);
    case "list":
      return { type: "array", items: { ...elementOf(field), ...items } };
    case "map": {
      const additionalProperties = { ...elementOf({ ...field, listKind: field.mapKind }), ...items };
      return {
        type: "object",
        additionalProperties,
        ...(Object.keys(keys).length === 0 ? {} : { propertyNames: { type: "string", ...keys } }),
      };
    }
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

/**
 * A message as JSON, without the fields named `left`: those are said elsewhere. Of a request every
 * field is known; an answer may have more in a later version.
 */
export function messageSchema(
  type: DescMessage,
  comments: Comments,
  of: "request" | "answer",
  left: readonly string[] = [],
): Json {
  const fields = type.fields.filter(field => !left.includes(field.name));
  const properties = Object.fromEntries(fields.map(field => [field.jsonName, fieldSchema(field, comments)]));
  const required = fields.filter(isRequired).map(field => field.jsonName);
  const description = comments.get(type.typeName);
  return {
    type: "object",
    properties,
    ...(of === "request" ? { additionalProperties: false } : {}),
    ...(required.length === 0 ? {} : { required }),
    ...messageConstraints(type),
    ...(description === undefined ? {} : { description }),
  };
}

/** Schemas of messages, and of everything that they hold, by name. */
export function schemasOf(requests: readonly DescMessage[], answers: readonly DescMessage[], comments: Comments): Json {
  const found = new Map<string, Json>();
  const add = (type: DescMessage | DescEnum, of: "request" | "answer"): void => {
    const name = schemaName(type);
    if (found.has(name) || WELL_KNOWN[type.typeName] !== undefined) return;
    found.set(name, {});
    if (type.kind === "enum") {
      const description = comments.get(type.typeName);
      const said = description === undefined ? {} : { description };
      found.set(name, { type: "string", enum: type.values.map(value => value.name), ...said });
      return;
    }
    for (const field of type.fields) {
      if (field.message !== undefined) add(field.message, of);
      if (field.enum !== undefined) add(field.enum, of);
    }
    found.set(name, messageSchema(type, comments, of));
  };
  for (const type of requests) add(type, "request");
  for (const type of answers) add(type, "answer");
  return Object.fromEntries([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
