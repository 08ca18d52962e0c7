import { describe, expect, it } from "vitest";
import { aLocation, anInstance } from "../testing/builders.ts";
import { brakeOn } from "./brake.ts";
import { SERIALS_BELIEVED, skipBeyond, type Serials } from "./serials.ts";
import {
  examine,
  isStillUnproven,
  namedInstances,
  provenRemovals,
  type Evidence,
  type Seen,
  type Verdict,
} from "./strangers.ts";

const seen = (over: Partial<Seen> = {}): Seen => ({
  instanceId: "acme.web.1",
  epoch: 1,
  state: "running",
  health: "none",
  containers: [],
  ports: [],
  message: "",
  ...over,
});
const records = (over: Partial<Evidence> = {}): Evidence => {
  const locations = over.locations ?? [aLocation({ epoch: 2, nodeId: "node-2" })];
  return {
    rows: locations.filter(one => one.nodeId === "node-1"),
    instances: [anInstance({ epoch: 2 })],
    locations,
    serials: new Map([["acme.web", { next: 4, gap: undefined, skipped: [] }]]),
    serialFloor: 0,
    ...over,
  };
};
const report = (...strangers: Seen[]) => ({
  ...{ nodeId: "node-1", full: true, statuses: [], gone: [] },
  strangers: strangers.map(status => ({ status, release: 3 })),
});
const judge = (status: Seen, evidence: Evidence): Verdict | undefined =>
  examine(report(status), evidence, 5).judged[0]?.verdict;

describe("what is found on a node without a record", () => {
  it("is removed when a newer copy was placed since, or its epoch elsewhere", () => {
    expect(judge(seen({ epoch: 1 }), records())).toMatchObject({ kind: "remove" });
    expect(judge(seen({ epoch: 2 }), records())).toMatchObject({ kind: "remove" });
    const { judged, unheard } = examine(report(seen({ epoch: 1 })), records(), 5);
    expect(provenRemovals({ judged, unheard })).toMatchObject([{ instanceId: "acme.web.1", epoch: 1 }]);
  });

  it("has its row written again where it is completed, while its instance is wanted", () => {
    const completed = { ...report(), statuses: [seen({ epoch: 2, state: "completed" })] };
    const verdicts = (over: Partial<Evidence>) =>
      examine(completed, records({ locations: [], ...over }), 5).judged.map(one => one.verdict.kind);
    expect(verdicts({})).toEqual(["restore"]);
    expect(verdicts({ instances: [anInstance({ epoch: 2, desired: "stop" })] })).toEqual([]);
    expect(verdicts({ instances: [] })).toEqual([]);
  });

  it("has its row written again when its instance is at this very epoch and no row is there", () => {
    const address = "10.128.0.9";
    expect(judge(seen({ epoch: 2, address }), records({ locations: [] }))).toMatchObject({
      kind: "restore",
      location: {
        instanceId: "acme.web.1",
        epoch: 2,
        nodeId: "node-1",
        desired: "run",
        release: 3,
        state: "running",
        address,
      },
    });
    const instances = [anInstance({ epoch: 2, desired: "stop" })];
    expect(judge(seen({ epoch: 2 }), records({ locations: [], instances }))).toMatchObject({
      location: { desired: "stop" },
    });
  });

  it("is left to the assignment when its row is there, and to people when it is newer than the records", () => {
    expect(judge(seen({ epoch: 2 }), records({ locations: [aLocation({ epoch: 2 })] }))).toEqual({ kind: "recorded" });
    expect(judge(seen({ epoch: 3 }), records())).toMatchObject({ kind: "left" });
  });

  it("is removed for certain only where its number was given out", () => {
    const nothing = { instances: [], locations: [] };
    expect(judge(seen({ instanceId: "acme.web.3" }), records(nothing))).toMatchObject({ kind: "remove" });
    expect(judge(seen({ instanceId: "acme.web.4" }), records(nothing))).toMatchObject({ kind: "left" });
    expect(judge(seen({ instanceId: "other.web.1" }), records(nothing))).toMatchObject({ kind: "unproven" });
    expect(judge(seen({ instanceId: "by-hand" }), records(nothing))).toMatchObject({ kind: "unproven" });
  });

  it("is left for one reason before and after the numbers went on beyond it, so that it is said once", () => {
    const before = { next: 4, gap: undefined, skipped: [] };
    const left = (serials: Serials, serial: number) =>
      judge(
        seen({ instanceId: `acme.web.${serial}` }),
        records({ instances: [], locations: [], serials: new Map([["acme.web", serials]]) }),
      );
    const after = skipBeyond(before, 7);
    expect(left(before, 7)).toMatchObject({ kind: "left" });
    expect(left({ ...after, next: after.next + 1 }, 7)).toEqual(left(before, 7));
    expect(left({ ...after, next: after.next + 1 }, after.next)).toMatchObject({ kind: "remove" });
    const absurd = left(before, SERIALS_BELIEVED);
    expect(absurd).toMatchObject({ kind: "left", because: expect.stringContaining("so high") });
  });

  it("is still unproven where its name has no numbers and no instance by now", () => {
    const is = (over: Partial<Evidence>): boolean =>
      isStillUnproven("acme.web.1", records({ instances: [], locations: [], serials: new Map(), ...over }));
    const made = new Map([["acme.web", skipBeyond({ next: 1, gap: undefined, skipped: [] }, 1)]]);
    expect([is({}), is({ instances: [anInstance()] }), is({ serials: made })]).toEqual([true, false, false]);
  });

  it("is left to people where a recovery skipped its number, or may have", () => {
    const serials = new Map([["acme.web", { next: 1_010, gap: { from: 4, to: 1_008 }, skipped: [] }]]);
    const recovered = records({ instances: [], locations: [], serials, serialFloor: 1_000 });
    const kind = (instanceId: string) => judge(seen({ instanceId }), recovered)?.kind;
    expect(kind("acme.web.3")).toBe("remove");
    expect(kind("acme.web.4")).toBe("left");
    expect(kind("acme.web.1007")).toBe("left");
    expect(kind("acme.web.1008")).toBe("remove");
    expect(kind("other.web.999")).toBe("left");
    expect(kind("other.web.1000")).toBe("unproven");
  });

  it("is removed after a recovery though it is newer, where its instance was placed elsewhere", () => {
    expect(judge(seen({ epoch: 3 }), records({ serialFloor: 1_000 }))).toMatchObject({ kind: "remove" });
    const nowhere = records({ serialFloor: 1_000, locations: [] });
    expect(judge(seen({ epoch: 3 }), nowhere)).toMatchObject({ kind: "left" });
    const over = records({ serialFloor: 1_000, locations: [aLocation({ epoch: 2, nodeId: "node-2", state: "lost" })] });
    expect(judge(seen({ epoch: 3 }), over)).toMatchObject({ kind: "left" });
  });
});

describe("a report", () => {
  it("is also asked for what it was told to run but no row is of, unless that is ending", () => {
    const statuses = [seen({ epoch: 2 }), seen({ instanceId: "acme.web.2", state: "stopping" })];
    const { judged } = examine({ ...report(), statuses }, records({ locations: [] }), 5);
    expect(judged).toMatchObject([{ status: { epoch: 2 }, verdict: { kind: "restore" } }]);
    expect(namedInstances({ ...report(seen()), statuses })).toEqual(["acme.web.1", "acme.web.2"]);
  });

  it("shows only in full what its node was not told", () => {
    const evidence = records({ locations: [aLocation({ epoch: 2 })] });
    expect(examine(report(), evidence, 5).unheard).toMatchObject([{ epoch: 2 }]);
    expect(examine({ ...report(), full: false }, evidence, 5).unheard).toEqual([]);
  });
});

describe("the brake", () => {
  it.each([
    [3, 3, false],
    [4, 4, true],
    [4, 30, false],
    [10, 30, false],
    [11, 30, true],
  ])("with %i unexplained of %i on a node is %s", (unproven, onNode, holds) => {
    const elsewhere = { nodeId: "node-2", unproven: 0, seen: 100 };
    expect(brakeOn([{ nodeId: "node-1", unproven, seen: onNode }, elsewhere])).toEqual({
      fleet: false,
      nodes: new Set(holds ? ["node-1"] : []),
    });
  });

  it("holds everywhere where the whole fleet has too many, however few each node has", () => {
    const counts = [1, 2, 3, 4].map(number => ({ nodeId: `node-${number}`, unproven: 2, seen: 3 }));
    expect(brakeOn(counts)).toEqual({ fleet: true, nodes: new Set() });
  });
});
