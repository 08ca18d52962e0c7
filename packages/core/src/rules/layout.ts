import type { BinaryField, Format } from "./schema.ts";

/** A message that its format cannot read: what is wrong, and where. */
export interface Unread {
  readonly problem: string;
}

/** What became of the bytes of a message: names with values, or why not. */
export type Decoded = { readonly value: Readonly<Record<string, unknown>> } | Unread;

const SIZES: Readonly<Record<Exclude<BinaryField["type"], "text">, number>> = {
  ...{ uint8: 1, int8: 1, uint16: 2, int16: 2, uint32: 4, int32: 4, uint64: 8, int64: 8 },
  ...{ float32: 4, float64: 8 },
};

/** Bytes of one field. */
export function sizeOfField({ type, length = 0 }: BinaryField): number {
  return type === "text" ? length : SIZES[type];
}

/**
 * Reads a binary layout. A message has to be exactly as long as its layout, since a byte more or
 * less means that it is another one. Whole numbers beyond 2^53 are refused.
 */
export function readBinary(
  bytes: Uint8Array,
  fields: readonly BinaryField[],
  textOf: (bytes: Uint8Array) => string,
): Decoded {
  const size = fields.reduce((sum, field) => sum + sizeOfField(field), 0);
  if (bytes.length !== size) return { problem: `it has ${bytes.length} bytes, and its layout ${size}` };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value: Record<string, unknown> = {};
  let at = 0;
  for (const field of fields) {
    const one = readField(view, at, field, textOf);
    if (typeof one === "bigint") return { problem: `${field.name} is ${one}, which is beyond 2^53` };
    define(value, field.name, one);
    at += sizeOfField(field);
  }
  return { value };
}

function readField(
  view: DataView,
  at: number,
  field: BinaryField,
  textOf: (bytes: Uint8Array) => string,
): number | string | bigint {
  const { type, littleEndian } = field;
  switch (type) {
    case "uint8":
      return view.getUint8(at);
    case "int8":
      return view.getInt8(at);
    case "uint16":
      return view.getUint16(at, littleEndian);
    case "int16":
      return view.getInt16(at, littleEndian);
    case "uint32":
      return view.getUint32(at, littleEndian);
    case "int32":
      return view.getInt32(at, littleEndian);
    case "float32":
      return view.getFloat32(at, littleEndian);
    case "float64":
      return view.getFloat64(at, littleEndian);
    case "uint64":
      return exact(view.getBigUint64(at, littleEndian));
    case "int64":
      return exact(view.getBigInt64(at, littleEndian));
    case "text":
      return textOf(new Uint8Array(view.buffer, view.byteOffset + at, sizeOfField(field))).replace(/\0+$/, "");
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Reads a line of words at places, as trackers send them. An empty place has no value. */
export function readPositional(line: string, format: Extract<Format, { kind: "positional" }>): Decoded {
  const words = line.trim().split(format.separator);
  for (const [index, word] of format.head.entries()) {
    if (words[index] !== word)
      return { problem: `word ${index + 1} is "${(words[index] ?? "").slice(0, 40)}", not "${word}"` };
  }
  const rest = words.slice(format.head.length);
  if (rest.length > format.struct.length)
    return { problem: `it has ${rest.length} words after its head, and its struct ${format.struct.length}` };
  const value: Record<string, unknown> = {};
  for (const [index, name] of format.struct.entries()) {
    const word = rest[index];
    if (name !== "" && word !== undefined && word !== "") define(value, name, word);
  }
  return { value };
}

/** Sets a field of its own whatever its name: `__proto__` is one like any other. */
function define(value: Record<string, unknown>, name: string, one: unknown): void {
  Object.defineProperty(value, name, { value: one, enumerable: true, configurable: true, writable: true });
}
