import type { SwarmNodes } from "@skep/api/codec/swarm.ts";
import type { Beats } from "./beats.ts";
import { createAlarmWindow } from "./alarm-window.ts";
import type { LoopPorts } from "./ports.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { NodeRecord } from "../store/store.ts";

/**
 * How long the recorded managers have to say something before another node's list is taken.
 */
const MANAGERS_SILENT_MS = 60_000;

/**
 * Whether a node may tell the Swarm's list: the records have it as a manager, or no recorded
 * manager has sent anything within the last minute. The second lets the first list in, and that of
 * a Swarm that was formed anew from one of its workers. The node has to be a manager by its own
 * list, too.
 */
export function believes({ managerNodeId, nodes }: SwarmNodes, known: readonly NodeRecord[], beats: Beats): boolean {
  if (!nodes.some(one => one.nodeId === managerNodeId && one.role === "manager")) return false;
  const managers = known.filter(({ node, swarmState }) => node.role === "manager" && swarmState !== "removed");
  if (managers.some(({ node }) => node.id === managerNodeId)) return true;
  return !managers.some(({ node }) => beats.silentMs(node.id) < MANAGERS_SILENT_MS);
}

/** Says that a node's list was not believed. */
export interface Disbelief {
  tell(list: SwarmNodes): void;
  close(): void;
}

/** Makes it; a node that goes on telling one is said now and then. */
export function createDisbelief({ store, clock, log }: LoopPorts): Disbelief {
  const alarms = createAlarmWindow(clock, leftOut =>
    log.error("swarm.disbelieved", `${leftOut} more lists of the Swarm's nodes were dropped.`, { leftOut }),
  );
  const tell = ({ managerNodeId: nodeId }: SwarmNodes): void => {
    if (!alarms.isNew(nodeId)) return;
    const sentence =
      `Node ${nodeId} tells a list of the Swarm's nodes, and by the records it is no manager: the list is dropped. ` +
      "Look at the node; if it has just become a manager, a manager that is known will say so.";
    const nobody = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined };
    const decision: Decision = { ...nobody, at: clock.now(), kind: "swarm.disbelieved", nodeId, sentence };
    log.error("swarm.disbelieved", sentence, { nodeId });
    store.saveDecisions([decision]).catch(() => alarms.forget(nodeId));
  };
  return { tell, close: () => alarms.close() };
}
