import { aNode } from "@skep/core/testing/builders.ts";
import type { Node } from "@skep/core/model/node.ts";
import { describe, expect, it } from "vitest";
import type { NodeRecord } from "../store/store.ts";
import { assertDrainKeepsPlatform } from "./drain-guard.ts";

describe("a drain that would end Skep itself", () => {
  const manager = (id: string, over: Partial<Omit<Node, "capacity">> = {}): NodeRecord =>
    record({ id, hostname: id, role: "manager", liveness: "ready", ...over });
  const worker = record({ id: "w1", hostname: "w1", role: "worker" });
  const drain = (...nodes: readonly [NodeRecord, ...NodeRecord[]]) => {
    return () => assertDrainKeepsPlatform(nodes, nodes[0]);
  };

  it.each([
    ["the node of the database", [manager("m1", { labels: { "postgres.replica": "1" } }), manager("m2")]],
    ["the only manager", [manager("m1"), worker]],
    ["the last manager that takes work", [manager("m1"), manager("m2", { availability: "drain" })]],
    ["the last manager whose agent is heard", [manager("m1"), manager("m2", { liveness: "down" })]],
  ] as const)("is refused for %s, with the way back", (_, nodes) => {
    expect(drain(...nodes)).toThrow(
      expect.objectContaining({ code: "failed_precondition", reason: "DRAIN_ENDS_PLATFORM" }),
    );
    expect(drain(...nodes)).toThrow("`docker node update --availability active m1`");
  });

  it.each([
    ["a worker, even beside one manager", [worker, manager("m1")]],
    ["one of two managers", [manager("m1"), manager("m2")]],
    [
      "a node whose label says that it has no database",
      [manager("m1", { labels: { "postgres.replica": "0" } }), manager("m2")],
    ],
  ] as const)("is no drain of %s", (_, nodes) => {
    expect(drain(...nodes)).not.toThrow();
  });
});

function record(over: Parameters<typeof aNode>[0]): NodeRecord {
  return { node: aNode(over), seenAt: undefined, instances: 0, swarmState: "ready" };
}
