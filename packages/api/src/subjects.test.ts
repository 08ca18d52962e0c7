import { describe, expect, it } from "vitest";
import { SUBJECTS, everyNode, nodeSubject, parseNodeSubject } from "./subjects.ts";

describe("subjects", () => {
  it.each(["beat", "report", "fetch", "assign", "ask"] as const)(
    "names a node's %s and finds kind and node again",
    kind => {
      const subject = nodeSubject(kind, "z9k2a");
      expect(subject).toBe(`skep.v1.${kind}.z9k2a`);
      expect(parseNodeSubject(subject)).toEqual({ kind, nodeId: "z9k2a" });
      expect(everyNode(kind)).toBe(`skep.v1.${kind}.*`);
    },
  );

  it.each(["", "a.b", "*", ">", "a b", "a\r\nPUB x"])("refuses %j as a node's id", id => {
    expect(() => nodeSubject("beat", id)).toThrow(/cannot be a node's id/);
  });

  it.each([SUBJECTS.wake, "skep.v1.other.z9k2a", "skep.v2.beat.z9k2a", "skep.v1.beat.a.b"])(
    "finds no node in %s",
    one => {
      expect(parseNodeSubject(one)).toBeUndefined();
    },
  );
});
