import { aLocation, anInstance } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { aStatus } from "../store/testing/records.ts";
import { judge, tooManyToRemove, type Recorded } from "./strangers.ts";

const found = (epoch: number) => ({ status: aStatus({ epoch }), release: 3 });
const recorded = (over: Partial<Recorded> = {}): Recorded => ({
  instance: anInstance({ epoch: 2 }),
  locations: [aLocation({ epoch: 2, nodeId: "node-2" })],
  wasKnown: true,
  ...over,
});

describe("what is found on a node without a record", () => {
  it("is removed when a newer copy was placed since", () => {
    expect(judge(found(1), recorded(), "node-1", 5)).toMatchObject({ kind: "remove", proven: true });
  });

  it("is removed when its epoch was placed on another node", () => {
    expect(judge(found(2), recorded(), "node-1", 5)).toMatchObject({ kind: "remove", proven: true });
  });

  it("has its row written again when its instance is at this very epoch and no row is there", () => {
    const verdict = judge(found(2), recorded({ locations: [] }), "node-1", 5);
    expect(verdict).toMatchObject({
      kind: "restore",
      location: { instanceId: "acme.web.1", epoch: 2, nodeId: "node-1", desired: "run", release: 3, state: "running" },
    });
  });

  it("has its row written again as one to stop when its instance is to end", () => {
    const instance = anInstance({ epoch: 2, desired: "stop" });
    expect(judge(found(2), recorded({ instance, locations: [] }), "node-1", 5)).toMatchObject({
      kind: "restore",
      location: { desired: "stop" },
    });
  });

  it("is left to the assignment when its row is there", () => {
    const locations = [aLocation({ epoch: 2, nodeId: "node-1" })];
    expect(judge(found(2), recorded({ locations }), "node-1", 5)).toEqual({ kind: "recorded" });
  });

  it("is never touched when it is newer than the records", () => {
    expect(judge(found(3), recorded(), "node-1", 5)).toMatchObject({ kind: "ahead" });
  });

  it("is removed when no record explains it, as proven only where there once was such an instance", () => {
    const nothing = { instance: undefined, locations: [] };
    expect(judge(found(1), recorded({ ...nothing, wasKnown: true }), "node-1", 5)).toMatchObject({ proven: true });
    expect(judge(found(1), recorded({ ...nothing, wasKnown: false }), "node-1", 5)).toMatchObject({
      kind: "remove",
      proven: false,
    });
  });
});

describe("the freeze", () => {
  it.each([
    [3, 3, false],
    [4, 4, true],
    [4, 30, false],
    [10, 30, false],
    [11, 30, true],
  ])("with %i unexplained of %i on the node is %s", (unproven, onNode, frozen) => {
    expect(tooManyToRemove(unproven, onNode)).toBe(frozen);
  });
});
