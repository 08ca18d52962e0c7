import type { FieldType } from "./value.ts";

/** One field of a binary layout, in the order in which they stand in the message. */
export interface BinaryField {
  readonly name: string;
  readonly type:
    "uint8" | "int8" | "uint16" | "int16" | "uint32" | "int32" | "uint64" | "int64" | "float32" | "float64" | "text";
  readonly littleEndian: boolean;
  /** Bytes of a text; the size of all others follows from their type. */
  readonly length: number | undefined;
}

/** How the bytes of a message become a value with names. */
export type Format =
  | { readonly kind: "json" }
  | { readonly kind: "cbor" }
  | { readonly kind: "binary"; readonly fields: readonly BinaryField[] }
  /**
   * A line of a tracker: `head` are words that it begins with, `struct` names what follows, in
   * order; an empty name skips a place.
   */
  | {
      readonly kind: "positional";
      readonly separator: string;
      readonly head: readonly string[];
      readonly struct: readonly string[];
    };

/** One typed field of a message, and where it comes from. */
export interface FieldRule {
  readonly type: FieldType;
  /** Paths in the decoded message; the first that is there counts. */
  readonly sources: readonly string[];
  readonly required: boolean;
  /** Unit of the typed value; `undefined` for none. */
  readonly unit: string | undefined;
  /** Unit that devices send; `undefined` for that of the typed value. */
  readonly sentUnit: string | undefined;
  /** What is sent is multiplied by this, then `offset` is added, then units are converted. */
  readonly scale: number;
  readonly offset: number;
  /** Least and most of a number; what is beyond is refused. */
  readonly least: number | undefined;
  readonly most: number | undefined;
  readonly description: string;
}

/** How messages of one kind are read: an immutable, numbered version of it. */
export interface Schema {
  readonly reference: string;
  readonly version: number;
  readonly format: Format;
  /** By the path of the typed field. */
  readonly fields: ReadonlyMap<string, FieldRule>;
}
