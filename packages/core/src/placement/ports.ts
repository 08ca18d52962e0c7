import type { PortBinding } from "../model/instance.ts";
import type { Capacity } from "../model/node.ts";
import type { Need } from "./need.ts";

/** The host ports of one node that are taken, per protocol. */
export interface PortBook {
  readonly tcp: Set<number>;
  readonly udp: Set<number>;
  /** No port of the range below this one is free: where the search for the lowest free one begins. */
  readonly from: { tcp: number; udp: number };
  /** How many ports of the range are taken. */
  readonly inRange: { tcp: number; udp: number };
}

/** A book in which every port is free. */
export function emptyPortBook(capacity: Capacity): PortBook {
  return {
    tcp: new Set(),
    udp: new Set(),
    from: { tcp: capacity.portFrom, udp: capacity.portFrom },
    inRange: { tcp: 0, udp: 0 },
  };
}

/** Notes that a port is taken; twice is as good as once. */
export function takePort(book: PortBook, capacity: Capacity, protocol: "tcp" | "udp", port: number): void {
  const taken = book[protocol];
  if (taken.has(port)) return;
  taken.add(port);
  if (port >= capacity.portFrom && port <= capacity.portTo) book.inRange[protocol] += 1;
}

/** Whether the node has every fixed port of the need free, and enough of its range besides. */
export function hasPorts(book: PortBook | undefined, capacity: Capacity, need: Need): boolean {
  const size = capacity.portTo - capacity.portFrom + 1;
  if (need.fixedPorts === 0) {
    return (book?.inRange.tcp ?? 0) + need.anyPorts.tcp <= size && (book?.inRange.udp ?? 0) + need.anyPorts.udp <= size;
  }
  const wanted = { tcp: need.anyPorts.tcp, udp: need.anyPorts.udp };
  const seen = new Set<string>();
  for (const { hostPort, protocol } of need.ports) {
    if (hostPort === undefined) continue;
    if (book?.[protocol].has(hostPort)) return false;
    const key = `${hostPort}/${protocol}`;
    if (seen.has(key)) return false;
    seen.add(key);
    if (hostPort >= capacity.portFrom && hostPort <= capacity.portTo) wanted[protocol] += 1;
  }
  return (book?.inRange.tcp ?? 0) + wanted.tcp <= size && (book?.inRange.udp ?? 0) + wanted.udp <= size;
}

/** Takes the ports of a need: the fixed ones as they are, for the others the lowest free port of the range. */
export function bindPorts(book: PortBook, capacity: Capacity, need: Need): PortBinding[] {
  for (const { hostPort, protocol } of need.ports)
    if (hostPort !== undefined) takePort(book, capacity, protocol, hostPort);
  return need.ports.map(({ container, containerPort, protocol, hostPort }) => {
    if (hostPort !== undefined) return { container, containerPort, protocol, hostPort };
    let port = book.from[protocol];
    while (book[protocol].has(port)) port += 1;
    book.from[protocol] = port + 1;
    takePort(book, capacity, protocol, port);
    return { container, containerPort, protocol, hostPort: port };
  });
}
