import { expect, test } from "vitest";
import {
  fixedPortIssues,
  isReservedPort,
  parsePortRanges,
  reservedCount,
  reservedWithin,
} from "../model/host-ports.ts";
import type { ReleasedPort } from "../model/instance.ts";
import { aContainer, aLocation, aNode, aSpec, aWorld } from "../testing/builders.ts";
import { fleetOf } from "./fleet-of-world.ts";
import { needOf } from "./need.ts";
import { placeBatch } from "./place.ts";

const NOW = 1_000;

/** The host ports that one instance after the other gets on a node of the given range. */
function portsGiven(over: {
  readonly range?: readonly [number, number];
  readonly released?: readonly Partial<ReleasedPort>[];
  readonly placements?: number;
  readonly count?: number;
  readonly hostPort?: number;
  readonly held?: number;
}): readonly (number | undefined)[] {
  const [portFrom, portTo] = over.range ?? [20_000, 20_003];
  const node = aNode();
  const port = { containerPort: 80, protocol: "tcp" as const, hostPort: over.hostPort };
  const world = aWorld({
    nodes: [aNode({ capacity: { ...node.capacity, portFrom, portTo } })],
    releasedPorts: (over.released ?? []).map(one => ({
      ...{ nodeId: node.id, protocol: "tcp" as const, hostPort: 20_000, deploymentId: "globex.shop", freeAt: NOW + 1 },
      ...one,
    })),
    locations:
      over.held === undefined ? [] : [aLocation({ ports: [{ ...port, container: "app", hostPort: over.held }] })],
    placements: over.placements ?? 0,
  });
  const need = needOf("acme", "acme.web", aSpec({ containers: [aContainer({ ports: [port] })] }));
  const requests = Array.from({ length: over.count ?? 1 }, (_, slot) => ({
    ...{ need, slot, exclude: undefined, instanceId: `acme.web.${slot}` },
  }));
  const { placed, refused } = placeBatch(fleetOf(world, NOW), requests);
  return [...placed.map(one => one.ports[0]!.hostPort), ...refused.map(() => undefined)];
}

test("ports go round: the next placement begins behind the last, and comes to the first again at the end", () => {
  expect(portsGiven({ placements: 1, count: 4 })).toEqual([20_002, 20_003, 20_000, 20_001]);
  expect(portsGiven({ placements: 1, held: 20_002 })).toEqual([20_003]);
});

test("a port waits out its quarantine, and nobody gets it although no other is left", () => {
  const range = [20_000, 20_000] as const;
  expect(portsGiven({ range, released: [{}] })).toEqual([undefined]);
  expect(portsGiven({ range, released: [{ freeAt: NOW }] })).toEqual([20_000]);
  expect(portsGiven({ range, released: [{ protocol: "udp" }] })).toEqual([20_000]);
  expect(portsGiven({ range, released: [{ nodeId: "another" }] })).toEqual([20_000]);
});

test("a fixed port waits for everybody but the deployment that had it", () => {
  const released = [{ hostPort: 8080 }];
  expect(portsGiven({ hostPort: 8080, released })).toEqual([undefined]);
  expect(portsGiven({ hostPort: 8080, released: [{ hostPort: 8080, deploymentId: "acme.web" }] })).toEqual([8080]);
  expect(portsGiven({ hostPort: 8080, released: [{ hostPort: 8080, deploymentId: "acme.web" }], held: 8080 })).toEqual([
    undefined,
  ]);
  // Once it is taken, it is no longer anybody's in waiting.
  const own = [{ hostPort: 8080, deploymentId: "acme.web" }];
  expect(portsGiven({ hostPort: 8080, released: own, count: 2 })).toEqual([8080, undefined]);
});

test("reserved ports are passed over in a node's range, counted as taken, and never fixed", () => {
  const given = portsGiven({ range: [7_699, 7_711], count: 4 });
  expect(new Set(given)).toEqual(new Set([7_699, 7_710, 7_711, undefined]));
  expect(portsGiven({ range: [7_700, 7_709] })).toEqual([undefined]);
  expect(portsGiven({ hostPort: 2377 })).toEqual([undefined]);
  for (const port of [22, 80, 443, 1023, 2375, 2376, 2377, 4222, 4789, 5432, 7700, 7701, 7702, 7946])
    expect(isReservedPort(port), String(port)).toBe(true);
  for (const port of [1024, 1883, 8080, 20_000, 65_535]) expect(isReservedPort(port), String(port)).toBe(false);
});

test("the count of reserved ports is that of their list, for any range", () => {
  const edges = [0, 1, 1023, 1024, 2375, 2376, 2377, 5432, 7700, 7709, 65_535, 70_000];
  for (const from of edges)
    for (const to of edges)
      expect(reservedCount({ from, to }), `${from}-${to}`).toBe(reservedWithin({ from, to }).length);
  const all = Array.from({ length: 70_000 }, (_, port) => port).filter(isReservedPort);
  expect(all).toEqual(reservedWithin({ from: 0, to: 69_999 }));
});

test("a port can be fixed where the operator lists it", () => {
  const spec = aSpec({ containers: [aContainer({ ports: [{ containerPort: 80, protocol: "tcp", hostPort: 8080 }] })] });
  expect(fixedPortIssues(spec, [], "SKEP_FIXED_PORTS")).toMatchObject([
    { path: "containers[0].ports[0].hostPort", advice: expect.stringContaining("SKEP_FIXED_PORTS") },
  ]);
  expect(fixedPortIssues(spec, parsePortRanges("8000-8100")!, "SKEP_FIXED_PORTS")).toEqual([]);
  expect(parsePortRanges("")).toEqual([]);
  expect(parsePortRanges("9000, 8080-8081")).toEqual([
    { from: 9000, to: 9000 },
    { from: 8080, to: 8081 },
  ]);
  for (const wrong of ["22", "1000-2000", "7700", "9000-8000", "x", "70000", "8000-9999999"])
    expect(parsePortRanges(wrong), wrong).toBeUndefined();
});
