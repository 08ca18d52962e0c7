import type { FieldValue, Point } from "./value.ts";

/** How a number is compared. */
export type Comparison = "<" | "<=" | ">" | ">=" | "==" | "!=";

/** An area of the earth: a circle in metres, or a polygon of at least three corners. */
export type Area =
  | { readonly kind: "circle"; readonly centre: Point; readonly radiusM: number }
  | { readonly kind: "polygon"; readonly corners: readonly Point[] };

/** When a rule holds for a device. */
export type Condition =
  /** It holds for each message. */
  | { readonly kind: "always" }
  /** A field against a value. It holds until `clear` is passed, where that is given. */
  | {
      readonly kind: "threshold";
      readonly field: string;
      readonly is: Comparison;
      readonly value: FieldValue;
      readonly clear: number | undefined;
    }
  /** How fast a number changes between two messages, per `perMs`. */
  | {
      readonly kind: "rate";
      readonly field: string;
      readonly perMs: number;
      readonly is: Comparison;
      readonly value: number;
    }
  /** Nothing was heard of the device for so long. */
  | { readonly kind: "absence"; readonly forMs: number }
  /** An aggregate of a number over the time that has just passed. */
  | {
      readonly kind: "window";
      readonly field: string;
      readonly aggregate: "average" | "sum" | "least" | "most" | "count";
      readonly overMs: number;
      readonly is: Comparison;
      readonly value: number;
    }
  /** Where the device is: within or beyond an area, or just gone in or out. */
  | {
      readonly kind: "geofence";
      readonly field: string;
      readonly area: Area;
      readonly on: "inside" | "outside" | "enter" | "leave";
    }
  /** A field has another value than in the message before; `from` and `to` narrow it. */
  | {
      readonly kind: "change";
      readonly field: string;
      readonly from: FieldValue | undefined;
      readonly to: FieldValue | undefined;
    }
  | { readonly kind: "all" | "any"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition };

/** What one condition remembers of one device; all of it is bounded, and plain data. */
export type ConditionMemory =
  | { readonly kind: "threshold"; readonly held: boolean }
  | { readonly kind: "rate"; readonly at: number; readonly value: number; readonly held: boolean }
  | { readonly kind: "window"; readonly buckets: readonly Bucket[] }
  | { readonly kind: "geofence"; readonly inside: boolean }
  | { readonly kind: "change"; readonly value: FieldValue };

/** A part of a window, so that a window costs the same however many messages come. */
export interface Bucket {
  readonly from: number;
  readonly count: number;
  readonly sum: number;
  readonly least: number;
  readonly most: number;
}

/** Buckets of a window. */
export const WINDOW_BUCKETS = 60;
