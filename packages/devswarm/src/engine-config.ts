import { join } from "node:path";
import { fleetAddresses } from "./names.ts";
import type { NodeNames } from "./names.ts";

/**
 * The address pool of the overlay networks of the fleet's swarm; clear of the fleet's subnet and of
 * the nodes' bridges.
 */
export const overlayPool = { base: "10.200.0.0/16", size: 24 } as const;

/**
 * The daemon.json of one node. Paths under /run are the node's own: it has a private /run.
 * `majorVersion` is the engine's; from 23 on the containerd image store has to be refused, so that
 * a data-root stays readable by both.
 */
export function engineConfig(node: NodeNames, subnetNumber: number, majorVersion: number): Record<string, unknown> {
  const { bridge, registry } = fleetAddresses(subnetNumber);
  return {
    "data-root": join(node.dataDir, "docker"),
    "exec-root": "/run/docker",
    pidfile: "/run/docker.pid",
    hosts: ["unix:///run/docker.sock", `unix://${node.socket}`],
    group: "root",
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "cgroup-parent": `/${node.scope}/containers`,
    "storage-driver": "overlay2",
    "insecure-registries": [registry],
    "default-address-pools": [{ base: "10.201.0.0/16", size: 24 }],
    dns: [bridge],
    "live-restore": false,
    "max-concurrent-downloads": 6,
    ...(majorVersion >= 23 ? { features: { "containerd-snapshotter": false } } : {}),
  };
}
