import { encodeAssignment } from "@skep/api/codec/assignment.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { Node, NodeId } from "@skep/core/model/node.ts";
import { assignmentOf, type Assigned } from "../store/assignment.ts";
import type { LoopPorts } from "./ports.ts";
import type { Removals } from "./removals.ts";

/** What a leader has told the nodes in its term. */
export interface Assignments {
  /** Tells every node whose recorded revision it has not been told yet; answers how many that were. */
  tell(world: World): number;
  /** Tells the node once more with the next `tell`, because it may have missed it. */
  again(nodeId: NodeId): void;
  /** The revision that the node was last told, in this term. */
  told(nodeId: NodeId): number | undefined;
}

/** Makes an empty one for a term: a new leader tells every node once. */
export function createAssignments(
  ports: Pick<LoopPorts, "bus" | "log">,
  term: number,
  removals: Removals,
): Assignments {
  const { bus, log } = ports;
  const told = new Map<NodeId, number>();

  function publish(node: Node, assigned: readonly Assigned[]): void {
    const assignment = assignmentOf(node, term, assigned, removals.of(node.id));
    try {
      bus.publish(nodeSubject("assign", node.id), encodeAssignment(assignment));
    } catch (error) {
      // Said once per revision: without this the node would be tried again with each tick.
      const fields = { nodeId: node.id, revision: node.assignmentRevision, error };
      log.error("assignment.unsendable", `The assignment of node ${node.hostname} cannot be sent.`, fields);
    }
    told.set(node.id, node.assignmentRevision);
  }

  return {
    tell: world => {
      if (!bus.connected()) return 0;
      const due = world.nodes.filter(node => told.get(node.id) !== node.assignmentRevision);
      if (due.length === 0) return 0;
      const assigned = assignedByNode(world, new Set(due.map(node => node.id)));
      for (const node of due) publish(node, assigned.get(node.id) ?? []);
      return due.length;
    },
    again: nodeId => void told.delete(nodeId),
    told: nodeId => told.get(nodeId),
  };
}

function assignedByNode(world: World, wanted: ReadonlySet<NodeId>): ReadonlyMap<NodeId, readonly Assigned[]> {
  const instances = new Map(world.instances.map(instance => [instance.id, instance]));
  const specs = new Map(world.releases.map(release => [`${release.deploymentId} ${release.number}`, release.spec]));
  const byNode = new Map<NodeId, Assigned[]>();
  const add = (location: Location): void => {
    const instance = instances.get(location.instanceId);
    const spec = specs.get(`${location.deploymentId} ${location.release}`);
    if (instance === undefined || spec === undefined) return;
    const list = byNode.get(location.nodeId);
    if (list === undefined) byNode.set(location.nodeId, [{ location, instance, spec }]);
    else list.push({ location, instance, spec });
  };
  for (const location of world.locations) if (wanted.has(location.nodeId)) add(location);
  return byNode;
}
