import { aLocation, aNode } from "@skep/core/testing/builders.ts";
import { expect, it } from "vitest";
import { aRoute } from "../store/testing/records.ts";
import { createEdgeConfig } from "./edge-config.ts";

const node = aNode();
const route = aRoute();
const location = aLocation({
  nodeId: node.id,
  ...{ deploymentId: route.deploymentId, release: route.release, state: "running", health: "healthy" },
  ports: [{ container: route.container, containerPort: route.targetPort, protocol: "tcp", hostPort: 20_001 }],
});
const rows = { routes: [route], locations: [location], nodes: [node] };

it("is the one of the last read while the rows are the very same", () => {
  const configOf = createEdgeConfig();
  expect(configOf({ routes: [route], locations: [location], nodes: [node] })).toBe(configOf(rows));
});

it.each([
  ["a location", { ...rows, locations: [{ ...location, state: "failed" as const }] }],
  ["a node", { ...rows, nodes: [{ ...node, address: "10.9.9.9" }] }],
  ["a route", { ...rows, routes: [{ ...route, rule: "Host(`other.example`)" }] }],
  ["the number of locations", { ...rows, locations: [] }],
  ["the number of routes", { ...rows, routes: [] }],
])("is another one once %s is another", (_, changed) => {
  const configOf = createEdgeConfig();
  const before = configOf(rows);
  const after = configOf(changed);
  expect(after.version).not.toBe(before.version);
  expect(after).toEqual(createEdgeConfig()(changed));
});
