import type { Issue } from "../error.ts";
import type { DeploymentSpec } from "./deployment.ts";

/** Host ports from one to another, both included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Where a node or the platform answers: a tenant that got one could pass for it. */
const RESERVED: readonly PortRange[] = [
  // Only root may listen below 1024: what stands there is the machine's.
  { from: 0, to: 1023 },
  // Docker's engine and Swarm.
  { from: 2375, to: 2377 },
  { from: 4789, to: 4789 },
  { from: 7946, to: 7946 },
  // NATS: clients, monitoring, cluster.
  { from: 4222, to: 4222 },
  { from: 6222, to: 6222 },
  { from: 8222, to: 8222 },
  // The registry and Postgres.
  { from: 5000, to: 5000 },
  { from: 5432, to: 5432 },
  // Skep's API, routes and probes.
  { from: 7700, to: 7709 },
];

/** 1 at each reserved port: placement asks for every port that it gives. */
const IS_RESERVED = new Uint8Array(65_536);
for (const { from, to } of RESERVED) IS_RESERVED.fill(1, from, to + 1);

/** Whether no instance may ever have the host port. */
export function isReservedPort(port: number): boolean {
  return IS_RESERVED[port] === 1;
}

/** How many ports of a range are reserved. Ranges of `RESERVED` do not overlap. */
export function reservedCount({ from, to }: PortRange): number {
  let count = 0;
  for (const one of RESERVED) count += Math.max(0, Math.min(to, one.to) - Math.max(from, one.from) + 1);
  return count;
}

/** Reserved ports within a range, in order. */
export function reservedWithin({ from, to }: PortRange): readonly number[] {
  const within = RESERVED.flatMap(one => {
    const [first, last] = [Math.max(from, one.from), Math.min(to, one.to)];
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  });
  return within.toSorted((a, b) => a - b);
}

/**
 * What is wrong with the host ports that a spec fixes: each has to be one that the operator lets
 * people fix.
 */
export function fixedPortIssues(
  spec: DeploymentSpec,
  allowed: readonly PortRange[],
  setting: string,
): readonly Issue[] {
  return spec.containers.flatMap((container, index) =>
    container.ports.flatMap(({ hostPort }, at): Issue[] => {
      if (hostPort === undefined || allowed.some(({ from, to }) => hostPort >= from && hostPort <= to)) return [];
      return [
        {
          path: `containers[${index}].ports[${at}].hostPort`,
          problem: `the host port ${hostPort} cannot be fixed here`,
          advice: `leave the host port out, and the scheduler picks one; an operator can allow it with ${setting}`,
        },
      ];
    }),
  );
}

/** Reads `8080,9000-9010`; `undefined` where a part is no range of ports that may be given. */
export function parsePortRanges(text: string): readonly PortRange[] | undefined {
  const ranges: PortRange[] = [];
  for (const part of text.split(",").map(one => one.trim())) {
    if (part === "") continue;
    const [, first = "", last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    const range = { from: Number(first), to: Number(last) };
    if (first === "" || range.from > range.to || range.to > 65_535 || reservedWithin(range).length > 0)
      return undefined;
    ranges.push(range);
  }
  return ranges;
}
