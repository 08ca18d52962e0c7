import { BOUNDS, MOST } from "@skep/core/model/bounds.ts";
import type { PortSpec } from "@skep/core/model/deployment.ts";
import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import type { Spot } from "./spots.ts";
import { readInteger, readText, readWord } from "./values.ts";

const ADVICE = 'Write "8080" (the scheduler picks the node\'s port), "8000:8080" (a fixed one) or the long form';

/** A port with its place, and whether it says itself that each node answers by itself. */
export interface ReadPort {
  readonly port: PortSpec;
  readonly place: Place;
  readonly mode: "host" | "ingress" | undefined;
}

/** `ports`: what the container listens on, and the node's port where one is fixed. */
export function readPorts(spot: Spot, problems: Problems): readonly ReadPort[] {
  if (spot.kind !== "list") {
    problems.refuse(spot, "`ports` is no list", ADVICE);
    return [];
  }
  return spot.items.flatMap(item =>
    item.kind === "map" ? readLongPort(item, problems) : readShortPort(item, problems),
  );
}

/** `expose`: the TCP ports that the container listens on. Nothing publishes them. */
export function readExpose(spot: Spot, problems: Problems): readonly number[] {
  const items = spot.kind === "list" ? spot.items : [spot];
  return items.flatMap(item => {
    const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(item.kind === "scalar" ? String(item.value) : "");
    const range = match === null ? undefined : rangeOf(match[1] ?? "", match[2]);
    if (range === undefined) {
      problems.refuse(item, "this is no port", 'Write a number from 1 to 65535, like "8080" or "5353/udp"');
      return [];
    }
    return (match?.[3] ?? "tcp") === "tcp" && range.from === range.to ? [range.from] : [];
  });
}

/**
 * One entry for each port and protocol of a container, as the agent publishes them: a container's
 * port has one port of the node.
 */
export function onePerPort(ports: readonly ReadPort[], problems: Problems): readonly PortSpec[] {
  const found = new Map<string, PortSpec>();
  for (const { port, place } of ports) {
    const key = `${port.containerPort}/${port.protocol}`;
    const before = found.get(key);
    if (before === undefined) found.set(key, port);
    else if (before.hostPort === undefined) found.set(key, port);
    else if (port.hostPort !== undefined && port.hostPort !== before.hostPort)
      problems.refuse(
        place,
        `port ${key} is published at ${before.hostPort} already`,
        "Keep one of them; `ports: !override` in a later file leaves out those of the earlier",
      );
  }
  return [...found.values()];
}

function readShortPort(spot: Spot, problems: Problems): readonly ReadPort[] {
  const text = readText(spot, problems);
  if (text === undefined) return [];
  const match = /^(?:(?:(.+):)?(\d+(?:-\d+)?)?:)?(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(text);
  const [, address, published, from = "", to, protocol = "tcp"] = match ?? [];
  const inside = match === null ? undefined : rangeOf(from, to);
  const [hostFrom, hostTo] = published?.split("-") ?? [];
  const outside = hostFrom === undefined ? undefined : rangeOf(hostFrom, hostTo);
  const isPaired = published === undefined || (outside !== undefined && sizeOf(outside) === sizeOf(inside));
  if (inside === undefined || (!isPaired && !(outside !== undefined && sizeOf(inside) === 1))) {
    problems.refuse(spot, `\`${text}\` is no port`, ADVICE);
    return [];
  }
  if (!isPaired) {
    // Docker takes any one port of the range that is free on the node.
    problems.refuse(spot, "a port cannot be chosen out of a range", "Fix one port, or leave the node's ports out");
    return [];
  }
  if (address !== undefined) refuseAddress(spot, address, problems);
  if (protocol !== "tcp" && protocol !== "udp") {
    problems.refuse(spot, `the protocol \`${protocol}\` is not known`, "Write tcp or udp");
    return [];
  }
  if (sizeOf(inside) > MOST.ports) {
    problems.refuse(
      spot,
      `it publishes ${sizeOf(inside)} ports, and a container publishes at most ${MOST.ports}`,
      "Publish fewer: let the program use a smaller range",
    );
    return [];
  }
  return Array.from({ length: sizeOf(inside) }, (_, index) => ({
    port: {
      containerPort: inside.from + index,
      protocol,
      hostPort: outside === undefined ? undefined : outside.from + index,
    },
    place: spot,
    mode: undefined,
  }));
}

function readLongPort(spot: Spot, problems: Problems): readonly ReadPort[] {
  let target: number | undefined;
  let published: number | undefined;
  let protocol: "tcp" | "udp" = "tcp";
  let mode: ReadPort["mode"];
  const none = { problem: "it has no effect", advice: "Remove it" };
  readSection(
    spot,
    {
      name: "a port",
      keys: {
        target: value => (target = readInteger(value, problems, BOUNDS.port)),
        published: value => (published = readInteger(value, problems, BOUNDS.port)),
        protocol: value => (protocol = readWord(value, problems, ["tcp", "udp"]) ?? "tcp"),
        mode: value => (mode = readWord(value, problems, ["host", "ingress"])),
        host_ip: value => refuseAddress(value, readText(value, problems) ?? "", problems),
      },
      ignored: { name: none, app_protocol: none },
    },
    problems,
  );
  if (target !== undefined)
    return [{ port: { containerPort: target, protocol, hostPort: published }, place: spot, mode }];
  const asked = spot.kind === "map" && spot.entries.has("target");
  if (!asked) problems.refuse(spot, "the port has no `target`", "Write `target: 8080`, the port inside the container");
  return [];
}

function refuseAddress(spot: Spot, address: string, problems: Problems): void {
  // The address of all interfaces is what a port has without one.
  if (address === "0.0.0.0") return;
  problems.refuse(spot, `a port cannot be bound to the address \`${address}\` of the node`, "Leave the address out");
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function sizeOf(range: Range | undefined): number {
  return range === undefined ? 0 : range.to - range.from + 1;
}

/** The ports from the first to the last; `undefined` where they are none. */
function rangeOf(first: string, last: string | undefined): Range | undefined {
  const [from, to] = [Number(first), Number(last ?? first)];
  return from >= BOUNDS.port.least && to <= BOUNDS.port.most && to >= from ? { from, to } : undefined;
}
