import { existsSync, mkdirSync, readdirSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, runOk } from "./command.ts";
import { fleetAddresses, nodeAddress, nodeHardwareAddress } from "./names.ts";
import type { FleetNames, NodeNames } from "./names.ts";
import { runRoot } from "./settings.ts";

// Where `ip netns` keeps namespaces by name; it mounts the directory when the first one is made.
const namespaceDir = "/run/netns";
const madeMark = join(runRoot, "made-netns");

async function ip(lines: readonly string[], namespace?: string): Promise<void> {
  const where = namespace === undefined ? [] : ["-n", namespace];
  await runOk(["ip", ...where, "-batch", "-"], { input: lines.join("\n") });
}

/**
 * The first N for which 10.77.N.0/24 meets no address and no route of this host. Throws an Error
 * when all 256 are taken.
 */
export async function freeSubnetNumber(preferred?: number): Promise<number> {
  const routes = JSON.parse(await runOk(["ip", "-4", "-json", "route", "show", "table", "all"])) as readonly {
    dst?: string;
  }[];
  const taken = new Set<number>();
  for (const { dst } of routes) {
    const [, second, third, bits] = /^10\.(\d+)\.(\d+)\.\d+(?:\/(\d+))?$/.exec(dst ?? "") ?? [];
    // Wider routes than /16 (a company's whole 10.0.0.0/8, say) lose against our /24 and are no
    // obstacle.
    if (second !== "77" || Number(bits ?? 32) < 16) continue;
    const first = Number(third);
    const count = Number(bits ?? 32) >= 24 ? 1 : 2 ** (24 - Number(bits));
    for (let each = first; each < first + count; each += 1) taken.add(each);
  }
  const candidates = [
    ...(preferred === undefined ? [] : [preferred]),
    ...Array.from({ length: 256 }, (_, each) => each),
  ];
  const free = candidates.find(each => !taken.has(each));
  if (free === undefined)
    throw new Error("Every subnet 10.77.0.0/24 to 10.77.255.0/24 is in use on this host; take a fleet down first.");
  return free;
}

/**
 * Remembers that /run/netns was not there before the fleets. The caller holds the lock of the
 * subnets, as for the next one.
 */
export function claimNamespaceDir(): void {
  if (existsSync(namespaceDir)) return;
  mkdirSync(runRoot, { recursive: true });
  writeFileSync(madeMark, "");
}

/** Removes /run/netns again when the fleets brought it and nobody's namespace is in it. */
export async function releaseNamespaceDir(): Promise<void> {
  if (!existsSync(madeMark) || namespacesWithPrefix("").length > 0) return;
  rmSync(madeMark);
  await run(["umount", namespaceDir]);
  try {
    rmdirSync(namespaceDir);
  } catch {
    // Somebody made a namespace meanwhile: the directory is theirs now.
  }
}

/** Makes the fleet's namespace with its bridge, and the host's own link into it. */
export async function createFleetNetwork(names: FleetNames, subnetNumber: number): Promise<void> {
  const { bridge, host } = fleetAddresses(subnetNumber);
  await runOk(["ip", "netns", "add", names.networkNamespace]);
  await ip(
    [
      "link set lo up",
      "link add br0 type bridge forward_delay 0",
      `address add ${bridge}/24 dev br0`,
      "link set br0 up",
    ],
    names.networkNamespace,
  );
  await ip([
    `link add ${names.hostLink} type veth peer name host netns ${names.networkNamespace}`,
    `address add ${host}/24 dev ${names.hostLink}`,
    `link set ${names.hostLink} up`,
  ]);
  await ip(["link set host master br0 up"], names.networkNamespace);
}

/**
 * Makes a node's namespace and its link into the bridge, with an address and a hardware address
 * that follow from its index.
 */
export async function createNodeNetwork(
  names: FleetNames,
  node: NodeNames,
  where: { readonly subnetNumber: number; readonly index: number; readonly isCut: boolean },
): Promise<void> {
  await runOk(["ip", "netns", "add", node.scope]);
  await ip(
    [
      `link add ${node.node} type veth peer name eth0 netns ${node.scope}`,
      `link set ${node.node} master br0 ${where.isCut ? "down" : "up"}`,
    ],
    names.networkNamespace,
  );
  await ip(
    [
      "link set lo up",
      `link set eth0 address ${nodeHardwareAddress(where.subnetNumber, where.index)}`,
      `address add ${nodeAddress(where.subnetNumber, where.index)}/24 dev eth0`,
      "link set eth0 up",
    ],
    node.scope,
  );
}

/** Pulls a node's cable (`isUp: false`) or plugs it in again. */
export async function setNodeLink(names: FleetNames, node: NodeNames, isUp: boolean): Promise<void> {
  await ip([`link set ${node.node} ${isUp ? "up" : "down"}`], names.networkNamespace);
}

/**
 * Removes a node's namespace and with it everything that was in it; the rest of the fleet sees its
 * cable gone.
 */
export async function removeNodeNetwork(names: FleetNames, node: NodeNames): Promise<void> {
  await run(["ip", "-n", names.networkNamespace, "link", "delete", node.node]);
  await removeNamespace(node.scope);
}

/** Removes every namespace and host link whose name begins with the fleet's prefix. */
export async function removeFleetNetwork(names: FleetNames): Promise<void> {
  for (const namespace of namespacesWithPrefix(names.prefix)) await removeNamespace(namespace);
  if (await linkExists(names.hostLink)) await run(["ip", "link", "delete", names.hostLink]);
  // The kernel takes a namespace apart in the background; the host's link goes with it.
  for (let attempt = 0; attempt < 100 && (await linkExists(names.hostLink)); attempt += 1) {
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** The names of the network namespaces of this host that begin with `prefix`. */
export function namespacesWithPrefix(prefix: string): readonly string[] {
  try {
    return readdirSync(namespaceDir).filter(name => name.startsWith(prefix));
  } catch {
    return [];
  }
}

async function removeNamespace(name: string): Promise<void> {
  if (!namespacesWithPrefix(name).includes(name)) return;
  await runOk(["ip", "netns", "delete", name]);
}

async function linkExists(name: string): Promise<boolean> {
  return (await run(["ip", "link", "show", "dev", name])).code === 0;
}
