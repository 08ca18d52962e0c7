import { describe, expect, it } from "vitest";
import { canBecome, isFinal } from "./state.ts";
import type { InstanceState } from "./instance.ts";

const STATES: readonly InstanceState[] = [
  "pending",
  "assigned",
  "preparing",
  "starting",
  "running",
  "stopping",
  "stopped",
  "completed",
  "failed",
  "lost",
];

describe("The states of a location", () => {
  it("never lead back from an end to life: its ports and its room may be somebody else's by then", () => {
    const revived = STATES.filter(isFinal).flatMap(from =>
      STATES.filter(to => !isFinal(to) && canBecome(from, to)).map(to => `${from} to ${to}`),
    );
    expect(revived).toEqual([]);
  });

  it("let everything end, and let what is lost or failed be reported as gone", () => {
    for (const from of STATES) expect(canBecome(from, "stopped")).toBe(true);
  });
});
