import { readBinary, readPositional, type Decoded } from "@skep/core/rules/layout.ts";
import type { Format } from "@skep/core/rules/schema.ts";
import { decode as decodeCbor } from "cborg";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * The bytes of a message by a format, or why they cannot be read. A value that has no names at its
 * top, such as a number, gets the name `value`.
 */
export function decode(payload: Uint8Array, format: Format): Decoded {
  try {
    switch (format.kind) {
      case "json":
        return named(JSON.parse(strict.decode(payload)));
      case "cbor":
        return named(decodeCbor(payload, { rejectDuplicateMapKeys: true, allowUndefined: false }));
      case "binary":
        return readBinary(payload, format.fields, bytes => strict.decode(bytes));
      case "positional":
        return readPositional(strict.decode(payload), format);
    }
  } catch (error) {
    return { problem: `it is no ${WORDS[format.kind]}: ${error instanceof Error ? error.message.slice(0, 200) : "?"}` };
  }
}

const WORDS: Readonly<Record<Format["kind"], string>> = {
  json: "JSON",
  cbor: "CBOR",
  binary: "message of its layout",
  positional: "line of text",
};

/** Deeper values no database stores, and walking through them could end the process. */
const DEEPEST = 50;

/**
 * What a message without a schema is stored as: its JSON where it is some of a sensible depth, else
 * its bytes as they came.
 */
export function asItCame(payload: Uint8Array): unknown {
  try {
    const value = JSON.parse(strict.decode(payload)) as unknown;
    return isWithin(value, DEEPEST) ? value : payload;
  } catch {
    return payload;
  }
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every(one => isWithin(one, depth - 1));
}

function named(value: unknown): Decoded {
  const hasNames = typeof value === "object" && value !== null && !Array.isArray(value);
  return { value: hasNames ? (value as Readonly<Record<string, unknown>>) : { value } };
}
