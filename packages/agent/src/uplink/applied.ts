import type { Beat } from "@skep/api/codec/beat.ts";
import { stampOf } from "@skep/core/identity/assignment-line.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";

/** What an agent works by, as its beats and reports say. */
export type Applied = Pick<Beat, "incarnation" | "appliedTerm" | "appliedRevision" | "appliedStamp" | "receipt">;

/** What the agent works by, as others are told. */
export function appliedOf(held: Assignment | undefined): Applied {
  const { incarnation = "", term = 0, revision = 0, stamps = [], receipt } = held ?? {};
  const { stamp } = stampOf({ stamps });
  return {
    ...{ incarnation, appliedTerm: term, appliedRevision: revision },
    ...(stamp === undefined ? {} : { appliedStamp: stamp }),
    ...(receipt === undefined ? {} : { receipt }),
  };
}
