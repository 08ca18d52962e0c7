import type { Io } from "../io.ts";
import { styled } from "./terminal.ts";

/** What a word says about how things are. */
export type Mood = "good" | "busy" | "bad" | "faint" | "strong";

/** Green, yellow, red, dim and bold, and what ends each. */
const STYLES = { good: [32, 39], busy: [33, 39], bad: [31, 39], faint: [2, 22], strong: [1, 22] } as const;

/** Colours a word where a person looks on; NO_COLOR and pipes get plain text. */
export function colour(io: Io, mood: Mood, text: string): string {
  if (!io.isTty || (io.env["NO_COLOR"] ?? "") !== "" || text === "") return text;
  const [on, off] = STYLES[mood];
  return styled(on, off, text);
}

const MOODS: Readonly<Record<string, Mood>> = {
  running: "good",
  healthy: "good",
  completed: "good",
  ready: "good",
  active: "good",
  failed: "bad",
  lost: "bad",
  unhealthy: "bad",
  down: "bad",
  stopped: "faint",
  none: "faint",
  unknown: "faint",
};

/** A state, health or liveness in its colour; what is neither good nor bad is on its way. */
export function colourState(io: Io, state: string): string {
  return colour(io, MOODS[state] ?? "busy", state);
}
