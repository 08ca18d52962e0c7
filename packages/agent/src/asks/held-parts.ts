import { encodeAskReply, type AskReply } from "@skep/api/codec/ask-reply.ts";
import type { HeldRest } from "@skep/api/codec/ask.ts";
import { heldPart } from "@skep/api/codec/held-parts.ts";
import { encodeHeld, type HeldState } from "@skep/api/codec/held.ts";
import { SkepError } from "@skep/core/error.ts";
import { createHash } from "node:crypto";

/**
 * Answers what the agent holds: in one message where it fits, else the first part of it, and the
 * others as they are asked for. What is told stays as it was at the first part, until the last one.
 */
export function createHeldAnswers(
  held: () => HeldState,
  maxBytes: () => number,
): (rest: HeldRest | undefined) => AskReply {
  let told: { readonly snapshot: string; readonly bytes: Uint8Array } | undefined;

  function partAt(offset: number): AskReply {
    const { snapshot, bytes } = told!;
    const part = heldPart(bytes, snapshot, offset, maxBytes());
    if (offset + part.data.byteLength >= bytes.byteLength) told = undefined;
    return { kind: "held-part", part };
  }

  return rest => {
    if (rest === undefined) {
      const whole: AskReply = { kind: "held", held: held() };
      if (encodeAskReply(whole).byteLength <= maxBytes()) return whole;
      const bytes = encodeHeld(whole.held);
      told = { bytes, snapshot: createHash("sha256").update(bytes).digest("hex") };
      return partAt(0);
    }
    if (told?.snapshot !== rest.snapshot) {
      const sentence = "The agent does not have that state at hand any more: ask for all of it again.";
      throw new SkepError("aborted", "HELD_CHANGED", sentence);
    }
    return partAt(rest.offset);
  };
}
