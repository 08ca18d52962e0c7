import type { Node, TenantsOnManagers } from "@skep/core/model/node.ts";
import { isGlobal } from "@skep/core/model/mode.ts";
import type { Plan } from "@skep/core/world/plan.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Platform } from "./platform.ts";

/** A quarter of the seeds have the default; in the others managers are nodes like any other. */
export function tenantsOnManagers(platform: Platform): TenantsOnManagers {
  return platform.chance("tenants on managers").happens(0.25) ? "avoid" : "allow";
}

/** A scheduler that heard a node so lately has no reason to doubt it. */
const SURELY_READY_MS = 1_500;
/** A node with so few instances and ports has room for any other instance of the workload. */
const SURELY_ROOM = { instances: 7, ports: 25 };

/**
 * Judges one scheduler's placements: a tenant gets onto a manager only where no worker could take
 * it, and the decision says so. It goes by the world that the scheduler loaded last and counts
 * only workers that surely had room, so it may miss a case and never finds one that is none.
 */
export class ControlRule {
  readonly #platform: Platform;
  #world: World | undefined;
  #ready: readonly Node[] = [];

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The scheduler has read this world; `silentMs` is how long it has not heard a node's agent. */
  loaded(world: World, silentMs: (nodeId: string) => number): void {
    this.#world = world;
    this.#ready = world.nodes.filter(
      node =>
        node.role === "worker" &&
        node.availability === "active" &&
        node.liveness === "ready" &&
        silentMs(node.id) < SURELY_READY_MS,
    );
  }

  /** The scheduler is about to commit this. */
  broken({ changes }: Plan): string | undefined {
    const world = this.#world;
    if (world === undefined || tenantsOnManagers(this.#platform) === "allow") return undefined;
    const places = changes.filter(change => change.kind === "place");
    const roomy = this.#ready.filter(({ id }) => {
      const there = world.locations.filter(one => one.nodeId === id);
      const added = places.filter(one => one.nodeId === id);
      const waiting = world.releasedPorts.filter(one => one.nodeId === id).length;
      const ports = [...there, ...added].reduce((sum, one) => sum + one.ports.length, waiting);
      return there.length + added.length <= SURELY_ROOM.instances && ports <= SURELY_ROOM.ports;
    });
    for (const { instanceId, nodeId, because } of places) {
      if (world.nodes.find(node => node.id === nodeId)?.role !== "manager") continue;
      if (!because.endsWith("a node of the control plane, and no other node can take this"))
        return `${instanceId} is placed on the manager ${nodeId}, and nothing says why: ${because}`;
      const other = roomy.find(node => this.#couldTake(world, instanceId, node.id));
      if (other !== undefined) return `${instanceId} is placed on the manager ${nodeId}, though ${other.id} has room`;
    }
    return undefined;
  }

  /** Volumes and the most per node bind an instance, and where it was before it may have failed. */
  #couldTake(world: World, instanceId: string, nodeId: string): boolean {
    const instance = world.instances.find(one => one.id === instanceId);
    const spec = world.releases.find(
      one => one.deploymentId === instance?.deploymentId && one.number === instance.release,
    )?.spec;
    if (spec === undefined || spec.placement.maxPerNode !== undefined || isGlobal(spec)) return false;
    if (spec.containers.some(container => container.volumes.length > 0)) return false;
    return !world.locations.some(one => one.instanceId === instanceId && one.nodeId === nodeId);
  }
}
