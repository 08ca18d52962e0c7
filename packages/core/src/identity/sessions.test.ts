import { describe, expect, it } from "vitest";
import { clonesOf, hearSession, isRefusedSession, type HeardSession } from "./sessions.ts";

/** Beats as `session seq second`. */
function hear(...beats: readonly string[]): readonly HeardSession[] {
  let known: readonly HeardSession[] = [];
  for (const beat of beats) {
    const [sessionId = "", seq, second] = beat.split(" ");
    known = hearSession(known, { sessionId, seq: Number(seq) }, Number(second) * 1_000);
  }
  return known;
}

const CLONED = ["a 9 1", "b 1 1", "a 10 2", "b 2 2", "a 11 3", "b 3 3", "a 12 4", "b 4 4"];

describe("hearSession", () => {
  it("refuses the later of two sessions that both beat on, whichever was heard first", () => {
    for (const beats of [CLONED, ["b 0 0", ...CLONED]]) {
      const known = hear(...beats);
      expect(clonesOf("n", known, 4_000)).toEqual([{ nodeId: "n", kept: "a", refused: "b" }]);
      expect(isRefusedSession(known, "b", 4_000)).toBe(true);
      expect(isRefusedSession(known, "a", 4_000)).toBe(false);
    }
  });

  it("comes to one answer where both have beaten equally often", () => {
    const pairs = [1, 2, 3, 4].flatMap(seq => [`a ${seq} ${seq}`, `b ${seq} ${seq}`]);
    const turned = [1, 2, 3, 4].flatMap(seq => [`b ${seq} ${seq}`, `a ${seq} ${seq}`]);
    expect(clonesOf("n", hear(...pairs), 4_000)).toEqual(clonesOf("n", hear(...turned), 4_000));
    expect(clonesOf("n", hear(...pairs), 4_000)).toHaveLength(1);
  });

  it("takes a restart for what it is, also with beats of the old session that come late or twice", () => {
    const late = ["a 9 1", "b 1 1", "a 10 1", "a 11 1", "b 2 2", "a 11 2", "a 11 2", "b 3 3", "b 4 4", "b 5 5"];
    expect(clonesOf("n", hear(...late), 5_000)).toEqual([]);
    const again = ["a 9 1", "b 1 2", "b 2 3", "b 3 4", "b 4 5", "c 1 6", "c 2 7", "c 3 8", "c 4 9"];
    expect(clonesOf("n", hear(...again), 9_000)).toEqual([]);
  });

  it("keeps a clone refused when the node's own agent starts anew", () => {
    const known = hear(...CLONED, "c 1 5", "b 5 5", "c 2 6", "b 6 6", "c 3 7", "b 7 7", "c 4 8", "b 8 8");
    expect(isRefusedSession(known, "b", 8_000)).toBe(true);
    expect(isRefusedSession(known, "c", 8_000)).toBe(false);
  });

  it("takes a refused session once it is the only one that speaks, and warns no longer", () => {
    const silent = hear(...CLONED, "b 5 33");
    expect(isRefusedSession(silent, "b", 33_000), "the other was heard 29 s ago").toBe(true);
    const alone = hear(...CLONED, "b 5 35");
    expect(isRefusedSession(alone, "b", 35_000)).toBe(false);
    expect(clonesOf("n", alone, 35_000)).toEqual([]);
    expect(isRefusedSession(hear(...CLONED, "b 5 35", "c 1 36"), "b", 36_000), "it is the node's now").toBe(false);
    expect(isRefusedSession(hear(...CLONED), "b", 40_000), "before it beats again, too").toBe(false);
  });

  it("forgets a clone that fell silent", () => {
    expect(clonesOf("n", hear(...CLONED, "a 40 35"), 35_000)).toEqual([]);
  });
});
