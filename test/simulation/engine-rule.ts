import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import type { MemoryContainer } from "@skep/agent/engine/memory-container.ts";

/**
 * Watches what one agent does to its engine, against every assignment that was ever sent to its node, delivered or
 * not: it may make only what it was told to run, and end only what it was told to stop or to remove, what a newer copy of
 * the same instance has replaced, and containers of a pod that have to be made anew. Nothing here is ever unwell.
 */
export class EngineRule {
  readonly #nodeId: string;
  readonly #run = new Map<string, Set<number>>();
  readonly #stop = new Map<string, Set<number>>();

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  /** An assignment left a scheduler for this node. */
  sent(assignment: Told): void {
    for (const { instanceId, epoch, desired } of assignment.instances) {
      note(desired === "run" ? this.#run : this.#stop, instanceId, epoch);
    }
    for (const { instanceId, epoch } of assignment.removals) note(this.#stop, instanceId, epoch);
  }

  /** The agent is about to make a container of this instance. */
  brokenByMaking(instanceId: string, epoch: number): string | undefined {
    if (this.#run.get(instanceId)?.has(epoch)) return undefined;
    return `${this.#nodeId} makes ${instanceId}@${epoch}, which no assignment told it to run`;
  }

  /** The agent is about to stop or remove this container. */
  brokenByEnding(container: MemoryContainer): string | undefined {
    if (container.state !== "running") return undefined;
    const { identity } = container;
    if (identity === undefined) return `${this.#nodeId} ends ${container.name}, which is none of ours`;
    const { instanceId, epoch, role } = identity;
    if (this.#stop.get(instanceId)?.has(epoch)) return undefined;
    const told = [...(this.#run.get(instanceId) ?? [])];
    if ([...told, ...(this.#stop.get(instanceId) ?? [])].some(other => other > epoch)) return undefined;
    // A pod's containers are made anew when their sandbox is another one, and a sandbox when it has lost its own.
    const isPod = role === "sandbox" || container.joins !== undefined;
    if (isPod && told.includes(epoch)) return undefined;
    return `${this.#nodeId} ends ${instanceId}@${epoch}, which nobody told it to end`;
  }
}

/** What an assignment tells: the specs play no part here. */
type Told = Pick<Assignment, "removals"> & {
  readonly instances: readonly Pick<AssignedInstance, "instanceId" | "epoch" | "desired">[];
};

function note(map: Map<string, Set<number>>, instanceId: string, epoch: number): void {
  map.set(instanceId, (map.get(instanceId) ?? new Set()).add(epoch));
}
