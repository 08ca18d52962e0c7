import { randomInt } from "node:crypto";
import type { Io } from "../io.ts";

/**
 * Marks the colours that are ours: what a spec says cannot know the number, and so cannot colour
 * anything.
 */
const OURS = randomInt(1_000_000, 100_000_000);

const STYLE = new RegExp(`\\u001B\\[(\\d+);${OURS}m`, "gu");

/** Text between two of the terminal's styles, by their numbers. */
export function styled(on: number, off: number, text: string): string {
  return `\u001B[${on};${OURS}m${text}\u001B[${off};${OURS}m`;
}

/** Control characters but tab and line feed, and what turns the direction of writing. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/**
 * Text as a terminal may have it: control characters are written out (`\\u001b`), so that nothing
 * that a tenant, a file or an engine says moves the cursor, clears the screen or hides a word. Our
 * own styles become real.
 */
export function forTerminal(text: string): string {
  const parts = text.split(STYLE);
  // Every second part is the number of a style.
  return parts.map((part, index) => (index % 2 === 1 ? `\u001B[${part}m` : part.replaceAll(CONTROL, written))).join("");
}

function written(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * An `io` whose text is fit for a terminal. Bytes pass as they are: what containers print, and our
 * cursor.
 */
export function guarded(io: Io): Io {
  const safe = (text: string | Uint8Array): string | Uint8Array =>
    typeof text === "string" ? forTerminal(text) : text;
  return { ...io, out: text => io.out(safe(text)), err: text => io.err(safe(text)) };
}
