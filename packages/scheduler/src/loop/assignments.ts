import { deploymentOf, tenantOf } from "@skep/core/model/instance-id.ts";
import { encodeAssignmentWithin } from "@skep/api/codec/assignment.ts";
import type { Unreadable } from "@skep/api/codec/envelope.ts";
import type { Volume } from "@skep/core/model/volume.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Node, NodeId } from "@skep/core/model/node.ts";
import { assignedByNode, assignmentOf, type Assigned } from "@skep/core/world/assignment-of.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import { withReceipt } from "../store/receipts.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts } from "./ports.ts";
import type { Removals } from "./removals.ts";

/** What a leader has told the nodes in its term. */
export interface Assignments {
  /**
   * Tells every node whose recorded revision it has not been told yet; answers how many that were.
   */
  tell(world: World): number;
  /** Tells the node once more with the next `tell`, because it may have missed it. */
  again(nodeId: NodeId): void;
  /** Whether the node was last told only some of its removals, for want of room. */
  leftRemovals(nodeId: NodeId): boolean;
  /** The revision that the node was last told, in this term. */
  told(nodeId: NodeId): number | undefined;
}

/**
 * Makes an empty one for a term: a new leader tells every node once. `say` records what a person
 * has to know.
 */
export function createAssignments(
  ports: Pick<LoopPorts, "bus" | "log" | "clock">,
  { term, identity }: Pick<Leadership, "term" | "identity">,
  removals: Removals,
  say: (decisions: readonly Decision[]) => void,
): Assignments {
  const { bus, log, clock } = ports;
  const told = new Map<NodeId, number>();
  const withoutRoom = new Set<NodeId>();
  const alarmed = new Set<string>();
  const unsent = new Map<NodeId, number>();

  /** Said once per copy and term: the message is made anew with each change of the node. */
  function alarm(node: Node, leftOut: readonly Unreadable[]): void {
    const news = leftOut.filter(one => !alarmed.has(keyOf(one)));
    for (const one of news) {
      alarmed.add(keyOf(one));
      log.error("assignment.left-out", `An instance cannot be told to ${node.hostname}.`, { nodeId: node.id, ...one });
    }
    if (news.length > 0) say(news.map(one => leftOutDecision(node, one, clock.now())));
  }

  function publish(node: Node, assigned: readonly Assigned[], volumes: readonly Volume[]): void {
    const unsigned = assignmentOf(node, { ...identity, term }, assigned, removals.of(node.id), volumes);
    const assignment = withReceipt(unsigned, identity.receiptKey);
    const { bytes, leftOut, removalsLeft } = encodeAssignmentWithin(assignment, bus.maxPayload());
    bus.publish(nodeSubject("assign", node.id), bytes);
    told.set(node.id, node.assignmentRevision);
    if (removalsLeft > 0) withoutRoom.add(node.id);
    else withoutRoom.delete(node.id);
    alarm(node, leftOut);
  }

  return {
    tell: world => {
      if (!bus.connected() || !removals.isRead()) return 0;
      const due = world.nodes.filter(node => told.get(node.id) !== node.assignmentRevision);
      if (due.length === 0) return 0;
      const assigned = assignedByNode(world, new Set(due.map(node => node.id)));
      let count = 0;
      for (const node of due) {
        try {
          publish(node, assigned.get(node.id) ?? [], world.volumes);
          count += 1;
        } catch (error) {
          // The node counts as not told, and the others are told all the same.
          const fields = { nodeId: node.id, revision: node.assignmentRevision, error };
          const isNews = unsent.get(node.id) !== node.assignmentRevision;
          unsent.set(node.id, node.assignmentRevision);
          if (isNews)
            log.error("assignment.unsendable", `The assignment of node ${node.hostname} cannot be sent.`, fields);
        }
      }
      return count;
    },
    again: nodeId => void told.delete(nodeId),
    leftRemovals: nodeId => withoutRoom.has(nodeId),
    told: nodeId => told.get(nodeId),
  };
}

function keyOf(one: { readonly instanceId: string; readonly epoch: number }): string {
  return `${one.instanceId} ${one.epoch}`;
}

function leftOutDecision(node: Node, { instanceId, epoch, because }: Unreadable, at: number): Decision {
  const sentence = `${instanceId} cannot be told to ${node.hostname}: ${because}. Publish fewer ports, or raise NATS's max_payload.`;
  const deploymentId = deploymentOf(instanceId);
  const tenantId = tenantOf(deploymentId);
  return { at, kind: "assignment.left-out", tenantId, deploymentId, instanceId, nodeId: node.id, epoch, sentence };
}
