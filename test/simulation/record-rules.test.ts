import { describe, expect, test } from "vitest";
import { aContainer, aLocation, aNode, anInstance, aRelease, aSpec, aWorld } from "@skep/core/testing/builders.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import { brokenRecordRule, brokenRouteRule } from "./record-rules.ts";

describe("The rules of the records", () => {
  const port = { container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_000 } as const;
  const one = anInstance({ id: "acme.web.1", epoch: 2 });
  const other = anInstance({ id: "acme.web.2", epoch: 1 });
  const at = (over: Parameters<typeof aLocation>[0]) => aLocation({ epoch: 2, ...over });

  test("are content with one instance per port, within capacity", () => {
    const world = aWorld({ nodes: [aNode()], instances: [one], locations: [at({ ports: [port] })] });
    expect(brokenRecordRule(world)).toBeUndefined();
  });

  test("find a port that is given twice, but not one that an ended location had", () => {
    const locations = (state: "running" | "stopped") => [
      at({ ports: [port] }),
      aLocation({ instanceId: other.id, ports: [port], state }),
    ];
    const world = { nodes: [aNode()], instances: [one, other] };
    expect(brokenRecordRule(aWorld({ ...world, locations: locations("running") }))).toMatch(
      /port 20000\/tcp of node-1/,
    );
    expect(brokenRecordRule(aWorld({ ...world, locations: locations("stopped") }))).toBeUndefined();
  });

  test("find a node with more instances, or more reserved, than it has", () => {
    const full = aNode({ capacity: { instances: 0 } });
    expect(brokenRecordRule(aWorld({ nodes: [full], instances: [one], locations: [at({})] }))).toMatch(/takes 0/);
    const resources = { ...DEFAULT_RESOURCES, reserveCpuMillis: 5_000 };
    const releases = [aRelease({ spec: aSpec({ containers: [aContainer({ resources })] }) })];
    const world = aWorld({ nodes: [aNode()], instances: [one], locations: [at({})], releases });
    expect(brokenRecordRule(world)).toMatch(/5000 cpu millis reserved of 4000/);
  });

  test("find a copy that is ahead of its instance, or recorded twice", () => {
    const world = (...locations: readonly ReturnType<typeof aLocation>[]) =>
      aWorld({ nodes: [aNode()], instances: [one], locations });
    expect(brokenRecordRule(world(aLocation({ epoch: 1 }), at({})))).toBeUndefined();
    expect(brokenRecordRule(world(aLocation({ epoch: 3 })))).toMatch(/ahead/);
    expect(brokenRecordRule(world(at({}), at({ nodeId: "node-2" })))).toMatch(/twice/);
  });

  test("find a route that reaches somebody else's container", () => {
    const world = aWorld({ nodes: [aNode()], instances: [one], locations: [at({ ports: [port] })] });
    const running = { nodeId: "node-1", instanceId: one.id, epoch: 2, hostPorts: [20_000] };
    expect(brokenRouteRule(world, [running])).toBeUndefined();
    expect(brokenRouteRule(world, [])).toBeUndefined();
    expect(brokenRouteRule(world, [{ ...running, instanceId: other.id }])).toMatch(/reaches acme.web.2@2/);
    expect(brokenRouteRule(world, [{ ...running, epoch: 1 }])).toMatch(/reaches acme.web.1@1/);
  });
});
