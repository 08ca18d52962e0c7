import type { PortSpec } from "@skep/core/model/deployment.ts";
import type { Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import type { Spot } from "./tree.ts";
import { readInteger, readText, readWord } from "./values.ts";

const ADVICE = 'Write "8080" (the scheduler picks the node\'s port), "8000:8080" (a fixed one) or the long form';

/** `ports`: what the container listens on, and the node's port where one is fixed. */
export function readPorts(spot: Spot, problems: Problems): readonly PortSpec[] {
  if (spot.kind !== "list") {
    problems.refuse(spot, "`ports` is no list", ADVICE);
    return [];
  }
  return spot.items.flatMap(item =>
    item.kind === "map" ? readLongPort(item, problems) : readShortPort(item, problems),
  );
}

/** `expose`: what the container listens on; the scheduler picks the node's port. */
export function readExpose(spot: Spot, problems: Problems): readonly PortSpec[] {
  const items = spot.kind === "list" ? spot.items : [spot];
  return items.flatMap(item => {
    const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp))?$/.exec(item.kind === "scalar" ? String(item.value) : "");
    const range = match === null ? undefined : ports(match[1] ?? "", match[2]);
    if (range === undefined) {
      problems.refuse(item, "this is no port", 'Write a number from 1 to 65535, like "8080" or "5353/udp"');
      return [];
    }
    return range.map(containerPort => ({ containerPort, protocol: protocolOf(match?.[3]), hostPort: undefined }));
  });
}

function readShortPort(spot: Spot, problems: Problems): readonly PortSpec[] {
  const text = readText(spot, problems);
  if (text === undefined) return [];
  const match = /^(?:(?:(.+):)?(\d+(?:-\d+)?)?:)?(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(text);
  const [, address, published, from = "", to, protocol = "tcp"] = match ?? [];
  const inside = match === null ? undefined : ports(from, to);
  const [hostFrom = "", hostTo] = published?.split("-") ?? [];
  const outside = published === undefined ? [] : ports(hostFrom, hostTo);
  if (inside === undefined || outside === undefined || (outside.length > 0 && outside.length !== inside.length)) {
    problems.refuse(spot, `\`${text}\` is no port`, ADVICE);
    return [];
  }
  if (address !== undefined) refuseAddress(spot, address, problems);
  if (protocol !== "tcp" && protocol !== "udp") {
    problems.refuse(spot, `the protocol \`${protocol}\` is not known`, "Write tcp or udp");
    return [];
  }
  return inside.map((containerPort, index) => ({ containerPort, protocol, hostPort: outside[index] }));
}

function readLongPort(spot: Spot, problems: Problems): readonly PortSpec[] {
  let target: number | undefined;
  let published: number | undefined;
  let protocol: "tcp" | "udp" = "tcp";
  const none = { problem: "it has no effect", advice: "Remove it" };
  readSection(
    spot,
    {
      name: "a port",
      keys: {
        target: value => (target = readInteger(value, problems, 1, 65_535)),
        published: value => (published = readInteger(value, problems, 1, 65_535)),
        protocol: value => (protocol = readWord(value, problems, ["tcp", "udp"]) ?? "tcp"),
        // Both words mean the same here: a port of each node on which an instance runs.
        mode: value => readWord(value, problems, ["host", "ingress"]),
        host_ip: value => refuseAddress(value, readText(value, problems) ?? "", problems),
      },
      ignored: { name: none, app_protocol: none },
    },
    problems,
  );
  if (target !== undefined) return [{ containerPort: target, protocol, hostPort: published }];
  const asked = spot.kind === "map" && spot.entries.has("target");
  if (!asked) problems.refuse(spot, "the port has no `target`", "Write `target: 8080`, the port inside the container");
  return [];
}

function refuseAddress(spot: Spot, address: string, problems: Problems): void {
  problems.refuse(spot, `a port cannot be bound to the address \`${address}\` of the node`, "Leave the address out");
}

function protocolOf(word: string | undefined): "tcp" | "udp" {
  return word === "udp" ? "udp" : "tcp";
}

/** The ports from the first to the last; `undefined` where they are none. */
function ports(from: string, to: string | undefined): readonly number[] | undefined {
  const first = Number(from);
  const last = Number(to ?? from);
  if (first < 1 || last > 65_535 || last < first || last - first > 200) return undefined;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
