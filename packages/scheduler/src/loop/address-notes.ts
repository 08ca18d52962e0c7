import type { Decision } from "@skep/core/model/decision.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { createAlarmWindow } from "./alarm-window.ts";
import type { LoopPorts } from "./ports.ts";

/** Notes that a word about a node's address is not the one that is used. */
export interface AddressNotes {
  tell(nodeId: NodeId, word: string, used: string): void;
  close(): void;
}

/** Makes it; each difference is said once in a window of alarms. */
export function createAddressNotes({ store, clock, log }: Pick<LoopPorts, "store" | "clock" | "log">): AddressNotes {
  const alarms = createAlarmWindow(clock, leftOut =>
    log.warn("node.address", `${leftOut} more words about the addresses of nodes were not used.`, { leftOut }),
  );
  const tell = (nodeId: NodeId, word: string, used: string): void => {
    const key = `${nodeId} ${word} ${used}`;
    if (word === "" || used === "" || word === used || !alarms.isNew(key)) return;
    const sentence =
      `Node ${nodeId} is reached at ${used}, as the Swarm's list says, and not at ${word}, which its agent said or ` +
      "which stood there before. If nodes cannot reach it there, let it join the Swarm with --advertise-addr.";
    const nobody = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined };
    const decision: Decision = { ...nobody, at: clock.now(), kind: "node.address", nodeId, sentence };
    log.warn("node.address", sentence, { nodeId, word, used });
    store.saveDecisions([decision]).catch(() => alarms.forget(key));
  };
  return { tell, close: () => alarms.close() };
}
