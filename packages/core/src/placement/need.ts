import { deploymentIdOf } from "../model/instance-id.ts";
import { footprint } from "../model/deployment.ts";
import type { DeploymentId, DeploymentSpec, Strategy } from "../model/deployment.ts";
import type { Resources } from "../model/resources.ts";
import { DEFAULT_SETTINGS } from "../world/world.ts";
import type { TenantId } from "../model/tenant.ts";
import { canonicalText, hashText } from "../converge/spec-hash.ts";
import { LARGE_SPEC_BYTES } from "../model/assignment.ts";
import { isGlobal } from "../model/mode.ts";
import { mountKey, volumesOf, type MountedVolume } from "../model/volume.ts";
import { parseConstraint, unreadableConstraint } from "../model/constraint.ts";
import type { Constraint } from "../model/constraint.ts";

/** A container port that wants a host port, in the order of the spec. */
export interface PortNeed {
  readonly container: string;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp";
  /** The only host port that will do, or `undefined` for any of the node's range. */
  readonly hostPort: number | undefined;
}

/** What one instance asks of a node; the same for all instances of a release. */
export interface Need {
  readonly tenantId: TenantId;
  readonly deploymentId: DeploymentId;
  readonly strategy: Strategy;
  readonly constraints: readonly Constraint[];
  /** Reserved thousandths of a core; what the cpu filter counts. */
  readonly cpuMillis: number;
  /**
   * What the memory filter counts: of each container the bytes that it reserves, or the share of
   * its limit that may not be overcommitted, whichever is more.
   */
  readonly memoryBytes: number;
  /**
   * Whether it is a limit that makes `memoryBytes` what it is; such a limit counts by one over
   * this.
   */
  readonly limitCountsBy: number | undefined;
  /**
   * What it is expected to use until it is measured: its reservation, or a quarter of its limit.
   */
  readonly expected: { readonly cpuMillis: number; readonly memoryBytes: number };
  /** Its limits; what a tenant's quota counts. */
  readonly limit: { readonly cpuMillis: number; readonly memoryBytes: number };
  readonly ports: readonly PortNeed[];
  /** How many host ports of the node's range it takes, per protocol. */
  readonly anyPorts: { readonly tcp: number; readonly udp: number };
  /** How many of the ports are fixed. */
  readonly fixedPorts: number;
  readonly maxPerNode: number | undefined;
  /** The spec where it is too large to be carried; a node holds equal ones of a deployment once. */
  readonly largeSpec: { readonly key: string; readonly bytes: number } | undefined;
  /** Deployments of the same tenant that must not be on the same node. */
  readonly avoid: readonly DeploymentId[];
  /** The volumes it mounts. */
  readonly volumes: readonly MountedVolume[];
  /** Whether each slot is a node's: then no other node takes it. */
  readonly isGlobal: boolean;
  /**
   * Equal for needs that every filter and score treats alike as far as the spec goes; needs that
   * look at their own deployment (spread, maxPerNode, anti-affinity, a large spec, volumes) carry
   * its id in it.
   */
  readonly signature: string;
}

// A container without a reservation still uses something; without an estimate a whole batch would
// land on the one node that happens to be idlest by a hair.
const EXPECTED_SHARE_OF_LIMIT = 4;

/**
 * Derives from a spec what placement has to know. Constraints that cannot be read are satisfied by
 * no node.
 */
export function needOf(
  tenantId: TenantId,
  deploymentId: DeploymentId,
  spec: DeploymentSpec,
  memoryOvercommit: number = DEFAULT_SETTINGS.memoryOvercommit,
): Need {
  const { strategy, maxPerNode, antiAffinity } = spec.placement;
  const constraints = spec.placement.constraints.map(text => {
    const parsed = parseConstraint(text, "");
    return parsed.ok ? parsed.constraint : unreadableConstraint(text);
  });
  const resources = spec.containers.map(container => container.resources);
  const sum = (of: (resources: (typeof spec.containers)[number]["resources"]) => number): number =>
    resources.reduce((total, one) => total + of(one), 0);
  const shareOf = (one: Resources): number => Math.ceil(one.memoryBytes / memoryOvercommit);
  const ports = spec.containers.flatMap(container =>
    container.ports.map(port => ({ container: container.name, ...port })),
  );
  const any = (protocol: "tcp" | "udp"): number =>
    ports.filter(port => port.hostPort === undefined && port.protocol === protocol).length;
  const fixed = ports.filter(port => port.hostPort !== undefined).map(port => `${port.hostPort}/${port.protocol}`);
  const need = {
    tenantId,
    deploymentId,
    strategy,
    constraints,
    cpuMillis: sum(one => one.reserveCpuMillis),
    memoryBytes: sum(one => Math.max(one.reserveMemoryBytes, shareOf(one))),
    limitCountsBy: resources.some(one => shareOf(one) > one.reserveMemoryBytes) ? memoryOvercommit : undefined,
    expected: {
      cpuMillis: sum(one => one.reserveCpuMillis || one.cpuMillis / EXPECTED_SHARE_OF_LIMIT),
      memoryBytes: sum(one => one.reserveMemoryBytes || one.memoryBytes / EXPECTED_SHARE_OF_LIMIT),
    },
    limit: footprint(spec),
    ports,
    anyPorts: { tcp: any("tcp"), udp: any("udp") },
    fixedPorts: fixed.length,
    maxPerNode,
    largeSpec: largeSpecOf(deploymentId, spec),
    avoid: antiAffinity.map(name => deploymentIdOf(tenantId, name)),
    volumes: volumesOf(tenantId, spec),
    isGlobal: isGlobal(spec),
  };
  const looksAtItself =
    need.isGlobal ||
    strategy === "spread" ||
    maxPerNode !== undefined ||
    antiAffinity.length + fixed.length + need.volumes.length > 0;
  const own = looksAtItself ? deploymentId : "";
  const signature = [
    strategy,
    constraints
      .map(constraint => constraint.text)
      .sort()
      .join("&"),
    need.cpuMillis,
    need.memoryBytes,
    need.expected.cpuMillis,
    need.expected.memoryBytes,
    need.anyPorts.tcp,
    need.anyPorts.udp,
    fixed.sort().join(","),
    own,
    need.largeSpec?.key ?? "",
    need.volumes.map(one => `${mountKey(one)}${one.isExternal ? "!" : ""}`).join(","),
    need.isGlobal,
  ].join("|");
  return { ...need, signature };
}

function largeSpecOf(deploymentId: DeploymentId, spec: DeploymentSpec): Need["largeSpec"] {
  const text = canonicalText(spec);
  const bytes = utf8Length(text);
  return bytes <= LARGE_SPEC_BYTES ? undefined : { key: `${deploymentId} ${hashText(text)}`, bytes };
}

/** Its JSON is never shorter than what is sent of it. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // A surrogate is one half of four bytes.
    if (unit > 0x7f) length += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return length;
}
