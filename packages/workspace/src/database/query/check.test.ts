import { BSONRegExp, Code, DBRef, Long } from "mongodb";
import { describe, expect, test } from "vitest";
import { filterIssues, pipelineIssues } from "./check.ts";

const paths = (issues: readonly { readonly path: string }[]): readonly string[] => issues.map(issue => issue.path);

/** An object nested so deep. */
function nested(levels: number, inner: unknown = 1): unknown {
  return levels === 0 ? inner : { a: nested(levels - 1, inner) };
}

describe("A filter may run", () => {
  test.each([
    {},
    { deviceId: "d1", at: { $gte: new Date(0), $lt: new Date(9) } },
    { $or: [{ "value.temperature": { $gt: 20 } }, { category: { $in: ["status", null] } }] },
    { type: { $regex: "^loc", $options: "i" } },
    { type: { $not: { $regex: "^loc" } } },
    { "value.list": { $elemMatch: { $gt: 1, $lt: 5 } } },
    { "value.list": { $elemMatch: { a: 1, $or: [{ b: 2 }] } } },
    { $expr: { $gt: ["$receivedAt", { $add: ["$at", 1000] }] } },
    { value: { a: { b: 1 } }, "value.n": Long.fromNumber(5) },
  ])("%j", filter => {
    expect(filterIssues(filter)).toEqual([]);
  });
});

describe("A filter is refused, with the part and its place", () => {
  test.each<readonly [unknown, string]>([
    [{ $where: "this.a == 1" }, "filter.$where"],
    [{ $or: [{ a: 1 }, { $where: "sleep(1000)" }] }, "filter.$or[1].$where"],
    [{ a: { $elemMatch: { $where: "1" } } }, "filter.a.$elemMatch.$where"],
    [{ a: { $not: { $where: "1" } } }, "filter.a.$not.$where"],
    [{ a: { $gt: 1, $where: "1" } }, "filter.a.$where"],
    [{ a: { $elemMatch: { $gt: 1, b: { $where: "1" } } } }, "filter.a.$elemMatch.b"],
    [{ $expr: { $function: { body: "x", args: [], lang: "js" } } }, "filter.$expr.$function"],
    [{ $expr: { $eq: ["$$USER_ROLES", []] } }, "filter.$expr.$eq[0]"],
    [{ $expr: { $map: { input: "$a", in: 1 } } }, "filter.$expr.$map"],
    [{ $text: { $search: "a" } }, "filter.$text"],
    [{ $comment: "a" }, "filter.$comment"],
    [{ $and: "a" }, "filter.$and"],
    [{ a: { $near: [1, 2] } }, "filter.a.$near"],
    [{ a: { $in: [{ $where: "1" }] } }, "filter.a.$in[0].$where"],
    [{ a: /(a+)+$/ }, "filter.a"],
    [{ a: new BSONRegExp("(a+)+$") }, "filter.a"],
    [{ a: { $in: [/a/] } }, "filter.a.$in[0]"],
    [{ a: { $regex: /a/ } }, "filter.a.$regex"],
    [{ a: { $regex: "a".repeat(201) } }, "filter.a.$regex"],
    [{ a: { $regex: "a", $options: "g" } }, "filter.a.$options"],
    [{ a: new Code("1") }, "filter.a"],
    [{ a: new DBRef("b", "c" as never) }, "filter.a"],
    [{ a: new Map() }, "filter.a"],
    [{ a: () => 1 }, "filter.a"],
    [[], "filter"],
    ["a", "filter"],
    [null, "filter"],
  ])("%j", (filter, path) => {
    expect(paths(filterIssues(filter))).toEqual([path]);
  });

  test("where it is too deep or too large", () => {
    expect(filterIssues(nested(18))).toEqual([]);
    expect(filterIssues(nested(30))[0]?.problem).toContain("more than 20 levels");
    expect(filterIssues({ a: { $in: Array.from({ length: 1_900 }, (_, at) => at) } })).toEqual([]);
    expect(filterIssues({ a: { $in: Array.from({ length: 2_100 }, (_, at) => at) } })[0]?.problem).toContain(
      "2000 parts",
    );
  });

  test("and is not looked at any further then", () => {
    const filter = { $and: [...Array.from({ length: 2_100 }, () => ({ a: 1 })), { $where: "1" }] };
    expect(paths(filterIssues(filter))).toHaveLength(1);
  });

  test("with twenty refusals at most", () => {
    const filter = { $and: Array.from({ length: 100 }, () => ({ $where: "1" })) };
    expect(filterIssues(filter)).toHaveLength(20);
  });
});

describe("A pipeline", () => {
  test("may group, shape, sort and count", () => {
    const pipeline = [
      { $match: { category: "telemetry" } },
      { $unwind: "$value.list" },
      { $set: { t: { $round: [{ $avg: ["$value.a", "$value.b"] }, 1] }, who: { $literal: "$none" } } },
      { $group: { _id: { d: "$deviceId", day: { $dateTrunc: { date: "$at", unit: "day" } } }, n: { $sum: 1 } } },
      { $setWindowFields: { sortBy: { n: 1 }, output: { rank: { $rank: {} } } } },
      { $facet: { a: [{ $count: "n" }], b: [{ $sort: { n: -1 } }, { $limit: 3 }] } },
      { $replaceWith: "$$ROOT" },
    ];
    expect(pipelineIssues(pipeline)).toEqual([]);
  });

  test.each<readonly [unknown, string]>([
    [[{ $out: "messages" }], "pipeline[0].$out"],
    [[{ $out: { db: "ws_other", coll: "messages" } }], "pipeline[0].$out"],
    [[{ $match: {} }, { $merge: { into: "messages" } }], "pipeline[1].$merge"],
    [[{ $lookup: { from: "messages", pipeline: [], as: "a" } }], "pipeline[0].$lookup"],
    [[{ $graphLookup: {} }], "pipeline[0].$graphLookup"],
    [[{ $unionWith: "messages" }], "pipeline[0].$unionWith"],
    [[{ $collStats: {} }], "pipeline[0].$collStats"],
    [[{ $currentOp: {} }], "pipeline[0].$currentOp"],
    [[{ $listSessions: {} }], "pipeline[0].$listSessions"],
    [[{ $indexStats: {} }], "pipeline[0].$indexStats"],
    [[{ $match: { $where: "1" } }], "pipeline[0].$match.$where"],
    [[{ $facet: { a: [{ $out: "b" }] } }], "pipeline[0].$facet.a[0].$out"],
    [[{ $facet: { a: [{ $facet: { b: [] } }] } }], "pipeline[0].$facet.a[0].$facet"],
    [[{ $group: { _id: 1, a: { $accumulator: {} } } }], "pipeline[0].$group.a.$accumulator"],
    [[{ $project: { a: { $function: {} } } }], "pipeline[0].$project.a.$function"],
    [[{ $project: { a: { $reduce: {} } } }], "pipeline[0].$project.a.$reduce"],
    [[{ $set: { a: { $concatArrays: ["$a", "$a"] } } }], "pipeline[0].$set.a.$concatArrays"],
    [[{ $set: { a: { $let: { vars: {}, in: 1 } } } }], "pipeline[0].$set.a.$let"],
    [[{ $set: { a: "$$USER_ROLES.db" } }], "pipeline[0].$set.a"],
    [[{ $set: { a: new Code("1") } }], "pipeline[0].$set.a"],
    [[{ $set: { a: { $literal: { $out: 1 } } } }], "pipeline[0].$set.a.$literal.$out"],
    [[{ $sort: { a: { $meta: "textScore" } } }], "pipeline[0].$sort"],
    [[{ $limit: "a" }], "pipeline[0].$limit"],
    [[{ $count: "$a" }], "pipeline[0].$count"],
    [[{ $match: {}, $out: "a" }], "pipeline[0]"],
    [[{}], "pipeline[0]"],
    ["a", "pipeline"],
    [{ aggregate: 1 }, "pipeline"],
    [Array.from({ length: 21 }, () => ({ $match: {} })), "pipeline"],
  ])("is refused: %j", (pipeline, path) => {
    expect(paths(pipelineIssues(pipeline))).toEqual([path]);
  });
});
