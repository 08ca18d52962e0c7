import { isReservedPort, reservedCount } from "../model/host-ports.ts";
import type { PortBinding } from "../model/instance.ts";
import type { Capacity } from "../model/node.ts";
import type { DeploymentId } from "../model/deployment.ts";
import type { Need } from "./need.ts";

type Protocol = "tcp" | "udp";

/** The host ports of one node that are taken, per protocol. */
export interface PortBook {
  readonly tcp: Set<number>;
  readonly udp: Set<number>;
  /**
   * Of those, the ones that only wait out their quarantine, by protocol and port: whose they were.
   */
  readonly waiting: Map<string, DeploymentId>;
  /** How many ports of the range are taken or reserved. */
  readonly inRange: { tcp: number; udp: number };
}

/** How many ports of a node's range are reserved. */
export function reservedOf({ portFrom, portTo }: Capacity): number {
  return reservedCount({ from: portFrom, to: portTo });
}

/** A book in which every port is free but the reserved ones. */
export function emptyPortBook(capacity: Capacity): PortBook {
  const reserved = reservedOf(capacity);
  return { tcp: new Set(), udp: new Set(), waiting: new Map(), inRange: { tcp: reserved, udp: reserved } };
}

/** Notes that a port is taken; twice is as good as once. */
export function takePort(book: PortBook, capacity: Capacity, protocol: Protocol, port: number): void {
  const taken = book[protocol];
  if (taken.has(port)) {
    book.waiting.delete(`${protocol} ${port}`);
    return;
  }
  taken.add(port);
  if (port >= capacity.portFrom && port <= capacity.portTo && !isReservedPort(port)) book.inRange[protocol] += 1;
}

/**
 * Notes that a port waits out its quarantine: nobody gets it but the deployment that had it, where
 * it asks for it.
 */
export function quarantinePort(
  book: PortBook,
  capacity: Capacity,
  protocol: Protocol,
  port: number,
  deploymentId: DeploymentId,
): void {
  if (book[protocol].has(port)) return;
  takePort(book, capacity, protocol, port);
  book.waiting.set(`${protocol} ${port}`, deploymentId);
}

/**
 * Whether the node has every fixed port of the need free, and enough of its range besides. A node
 * without a book has all free but `reserved` ports of its range.
 */
export function hasPorts(book: PortBook | undefined, capacity: Capacity, reserved: number, need: Need): boolean {
  const size = capacity.portTo - capacity.portFrom + 1;
  const tcp = book === undefined ? reserved : book.inRange.tcp;
  const udp = book === undefined ? reserved : book.inRange.udp;
  if (need.fixedPorts === 0) return tcp + need.anyPorts.tcp <= size && udp + need.anyPorts.udp <= size;
  const wanted = { tcp: need.anyPorts.tcp, udp: need.anyPorts.udp };
  const seen = new Set<string>();
  for (const { hostPort, protocol } of need.ports) {
    if (hostPort === undefined) continue;
    if (isReservedPort(hostPort)) return false;
    const isOwn = book?.waiting.get(`${protocol} ${hostPort}`) === need.deploymentId;
    if (book?.[protocol].has(hostPort) === true && !isOwn) return false;
    const key = `${hostPort}/${protocol}`;
    if (seen.has(key)) return false;
    seen.add(key);
    if (!isOwn && hostPort >= capacity.portFrom && hostPort <= capacity.portTo) wanted[protocol] += 1;
  }
  return tcp + wanted.tcp <= size && udp + wanted.udp <= size;
}

/**
 * Takes the ports of a need: the fixed ones as they are, for the others the next free ones of the
 * range. Each placement begins to search elsewhere, by its running number, so that a port comes
 * round again as late as the range allows.
 */
export function bindPorts(book: PortBook, capacity: Capacity, need: Need, placement: number): PortBinding[] {
  for (const { hostPort, protocol } of need.ports)
    if (hostPort !== undefined) takePort(book, capacity, protocol, hostPort);
  const size = capacity.portTo - capacity.portFrom + 1;
  let at = placement % size;
  return need.ports.map(({ container, containerPort, protocol, hostPort }) => {
    if (hostPort !== undefined) return { container, containerPort, protocol, hostPort };
    while (book[protocol].has(capacity.portFrom + at) || isReservedPort(capacity.portFrom + at)) at = (at + 1) % size;
    const port = capacity.portFrom + at;
    takePort(book, capacity, protocol, port);
    return { container, containerPort, protocol, hostPort: port };
  });
}
