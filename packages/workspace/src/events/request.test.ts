import { describe, expect, it } from "vitest";
import { checkSubscribe, readSubscribe } from "./request.ts";

const grant = { subject: "x", scopes: ["a/#", "b/+"], expiresAt: undefined };

function reasonOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return (error as { data: { reason: string } }).data.reason;
  }
}

describe("a request to subscribe", () => {
  it("names a filter, several, or several and an offset", () => {
    expect(readSubscribe("a/#")).toEqual({ filters: ["a/#"], from: undefined });
    expect(readSubscribe(["a", "a", "b"])).toEqual({ filters: ["a", "b"], from: undefined });
    expect(readSubscribe({ filters: "a", from: "5-1" })).toEqual({ filters: ["a"], from: { ms: 5, seq: 1 } });
    expect(readSubscribe({ filters: ["a"], from: null }).from).toBeUndefined();
  });

  it.each([
    [undefined, "BAD_REQUEST"],
    [null, "BAD_REQUEST"],
    [7, "BAD_REQUEST"],
    [[], "BAD_REQUEST"],
    [{}, "BAD_REQUEST"],
    [{ filters: "a", until: 1 }, "BAD_REQUEST"],
    [Array.from({ length: 1_001 }, () => "a"), "BAD_REQUEST"],
    [["a", 7], "BAD_FILTER"],
    ["", "BAD_FILTER"],
    ["a/#/b", "BAD_FILTER"],
    ["$SYS/#", "BAD_FILTER"],
    ["a\0", "BAD_FILTER"],
    [{ filters: "a", from: 5 }, "BAD_OFFSET"],
    [{ filters: "a", from: "5" }, "BAD_OFFSET"],
  ])("is refused: %j", (value, reason) => {
    expect(reasonOf(() => readSubscribe(value))).toBe(reason);
  });

  it("is held to the token and to the number of subscriptions", () => {
    const held = new Set(["a/1", "a/2"]);
    expect(reasonOf(() => checkSubscribe(grant, held, ["a/2", "a/3", "b/x"], 4))).toBeUndefined();
    expect(reasonOf(() => checkSubscribe(grant, held, ["a/2", "a/3", "b/x"], 3))).toBe("LIMIT_CHANNELS");
    expect(reasonOf(() => checkSubscribe(grant, held, ["a/3", "b/#"], 10))).toBe("NOT_ALLOWED");
  });
});
