import { describe, expect, it } from "vitest";
import { canBecome, INSTANCE_STATES, isFinal } from "./state.ts";

describe("The states of a location", () => {
  it("never lead back from an end to life: its ports and its room may be somebody else's by then", () => {
    const revived = INSTANCE_STATES.filter(isFinal).flatMap(from =>
      INSTANCE_STATES.filter(to => !isFinal(to) && canBecome(from, to)).map(to => `${from} to ${to}`),
    );
    expect(revived).toEqual([]);
  });

  it("let everything end, and let what is lost or failed be reported as gone", () => {
    for (const from of INSTANCE_STATES) expect(canBecome(from, "stopped")).toBe(true);
  });
});
