import type { Issue } from "../error.ts";
import { byKind, list, mapOf, may, need, number, object, oneOf, readWhole, text, truth, type Reading } from "./read.ts";
import type { BinaryField, FieldRule, Format, Schema } from "./schema.ts";
import { validateSchema } from "./validate-schema.ts";

const binaryField = object<BinaryField>({
  name: need(text),
  type: need(
    oneOf("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "text"),
  ),
  littleEndian: may(truth, false),
  length: may(number, undefined),
});

const format = byKind<Format>({
  json: {},
  cbor: {},
  binary: { fields: need(list(binaryField)) },
  positional: { separator: may(text, ","), head: may(list(text), []), struct: need(list(text)) },
});

const fields = mapOf(name =>
  object<FieldRule>({
    type: need(oneOf("number", "integer", "text", "boolean", "time", "point")),
    // A field that does not say where it comes from comes from where it goes to.
    sources: may(list(text), [name]),
    required: may(truth, false),
    unit: may(text, undefined),
    sentUnit: may(text, undefined),
    scale: may(number, 1),
    offset: may(number, 0),
    least: may(number, undefined),
    most: may(number, undefined),
    description: may(text, ""),
  }),
);

const document = object<Omit<Schema, "version">>({
  reference: need(text),
  format: may(format, { kind: "json" }),
  fields: need(fields),
});

/** The schema that a document describes, as `readRule` reads a rule. */
export function readSchema(json: unknown, version: number): Reading<Schema> {
  const read = readWhole(json, document);
  if (read.value === undefined) return read;
  const schema = { ...read.value, version };
  const issues: readonly Issue[] = validateSchema(schema);
  return issues.length === 0 ? { value: schema, issues: [] } : { value: undefined, issues };
}
