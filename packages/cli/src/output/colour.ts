import { styleText } from "node:util";
import type { Io } from "../io.ts";

/** What a word says about how things are. */
export type Mood = "good" | "busy" | "bad" | "faint" | "strong";

const STYLES = { good: "green", busy: "yellow", bad: "red", faint: "dim", strong: "bold" } as const;

/** Colours a word where a person looks on; NO_COLOR and pipes get plain text. */
export function colour(io: Io, mood: Mood, text: string): string {
  if (!io.isTty || (io.env["NO_COLOR"] ?? "") !== "" || text === "") return text;
  return styleText(STYLES[mood], text, { validateStream: false });
}

const MOODS: Readonly<Record<string, Mood>> = {
  running: "good",
  healthy: "good",
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
