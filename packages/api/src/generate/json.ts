import type { JsonValue } from "@bufbuild/protobuf";

/** A JSON Schema, or any other part of the document. */
export type Json = { [name: string]: JsonValue };
