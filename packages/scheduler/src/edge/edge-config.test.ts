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
const reach = { workspaceId: "fleet", address: "10.0.0.7", port: 7_704, isServed: true };
const rows = { routes: [route], locations: [location], nodes: [node], workspaces: [reach] };

it("is the one of the last read while the rows are the very same", () => {
  const configOf = createEdgeConfig();
  expect(configOf({ routes: [route], locations: [location], nodes: [node], workspaces: [{ ...reach }] })).toBe(
    configOf(rows),
  );
});

it("is the one of the last read while rows are replaced by what no route says", () => {
  const configOf = createEdgeConfig();
  const replaced = {
    ...rows,
    locations: [{ ...location, message: "ready", changedAt: location.changedAt + 1 }],
    nodes: [{ ...node, hostname: "renamed" }],
  };
  expect(configOf(replaced)).toBe(configOf(rows));
});

const another = { ...node, id: `${node.id}-2` };
const newer = { ...location, epoch: location.epoch + 1, ports: [{ ...location.ports[0]!, hostPort: 20_002 }] };

it.each([
  ["a location", { ...rows, locations: [{ ...location, state: "failed" as const }] }],
  ["a node", { ...rows, nodes: [{ ...node, address: "10.9.9.9" }] }],
  ["a route", { ...rows, routes: [{ ...route, rule: "Host(`other.example`)" }] }],
  ["a node's liveness", { ...rows, nodes: [{ ...node, liveness: "down" as const }] }],
  ["a node's id", { ...rows, nodes: [another] }],
  ["a location's node", { ...rows, locations: [{ ...location, nodeId: another.id }] }],
  ["a location's desire", { ...rows, locations: [{ ...location, desired: "retire" as const }] }],
  ["a location's health", { ...rows, locations: [{ ...location, health: "unhealthy" as const }] }],
  ["a location's deployment", { ...rows, locations: [{ ...location, deploymentId: "other" }] }],
  ["a location's ports", { ...rows, locations: [{ ...location, ports: newer.ports }] }],
  ["the number of locations", { ...rows, locations: [] }],
  ["the address of a workspace's host", { ...rows, workspaces: [{ ...reach, address: "10.0.0.8" }] }],
  ["the port of a workspace's host", { ...rows, workspaces: [{ ...reach, port: 7_705 }] }],
  ["whether a workspace is served", { ...rows, workspaces: [{ ...reach, isServed: false }] }],
  ["the number of workspaces", { ...rows, workspaces: [] }],
  ["the number of routes", { ...rows, routes: [] }],
])("is another one once %s is another", (_, changed) => {
  const configOf = createEdgeConfig();
  const before = configOf(rows);
  const after = configOf(changed);
  expect(after.version).not.toBe(before.version);
  expect(after).toEqual(createEdgeConfig()(changed));
});

it("is another one once locations are of another instance, epoch or release", () => {
  const both = { ...rows, locations: [location, newer] };
  const older = { ...rows, locations: [location, { ...newer, epoch: location.epoch - 1 }] };
  const foreign = { ...rows, locations: [location, { ...newer, instanceId: `${location.instanceId}-2` }] };
  const versionsOf = (reads: readonly (typeof rows)[]): readonly string[] => {
    const configOf = createEdgeConfig();
    return reads.map(read => configOf(read).version);
  };
  const fresh = (read: typeof rows): string => createEdgeConfig()(read).version;
  expect(versionsOf([both, older])).toEqual([fresh(both), fresh(older)]);
  expect(versionsOf([both, foreign])).toEqual([fresh(both), fresh(foreign)]);
  expect(new Set([both, older, foreign].map(fresh)).size).toBe(3);

  const routes = [route, aRoute({ ...route, release: route.release + 1, targetPort: 9_999 })];
  const first = { ...rows, routes };
  const second = { ...first, locations: [{ ...location, release: route.release + 1 }] };
  expect(versionsOf([first, second])).toEqual([fresh(first), fresh(second)]);
  expect(fresh(first)).not.toBe(fresh(second));
});

it("is another one for another domain of workspaces", () => {
  const configOf = createEdgeConfig();
  const [everywhere, there] = [configOf(rows), configOf(rows, "iot.example.com")];
  expect(there.version).not.toBe(everywhere.version);
  expect(there.text).toContain("Host(`iot.example.com`) && PathPrefix(`/ws/fleet/`)");
  expect(configOf(rows, "iot.example.com")).toBe(there);
});
