import { parseNodeSubject } from "@skep/api/subjects.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import { createAlarmWindow } from "./alarm-window.ts";
import type { LoopPorts } from "./ports.ts";

/**
 * Compares what a message says of its sender with the subject that it came on: the bus holds a node
 * to its own.
 */
export interface Senders {
  /**
   * Whether the message comes from the node that it names. A false one is counted, and said
   * now and then.
   */
  isGenuine(subject: string, claimed: NodeId): boolean;
  /** How many were dropped since the start: false ones, and those of revoked nodes. */
  dropped(): number;
  close(): void;
}

/**
 * Makes it, with nothing said yet. What a revoked node says is dropped without a word: that was
 * said already.
 */
export function createSenders(
  { store, clock, log }: Pick<LoopPorts, "store" | "clock" | "log">,
  isRevoked: (nodeId: NodeId) => boolean = () => false,
): Senders {
  const alarms = createAlarmWindow(clock, leftOut =>
    log.error("node.impersonated", `${leftOut} more messages named another node than their sender.`, { leftOut }),
  );
  let count = 0;

  function alarm(sender: NodeId, claimed: NodeId): void {
    const pair = `${sender} ${claimed}`;
    if (!alarms.isNew(pair)) return;
    const sentence =
      `A message on the subject of node ${sender} calls itself node ${claimed.slice(0, 128)}: it is dropped. ` +
      `Look at ${sender}, and revoke its key if it is not yours any more: skep node revoke ${sender}`;
    const decision: Decision = {
      ...{ at: clock.now(), kind: "node.impersonated", sentence, nodeId: sender },
      ...{ tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined },
    };
    log.error("node.impersonated", sentence, { nodeId: sender, claimed });
    store.saveDecisions([decision]).catch((error: unknown) => {
      // It is said again with the next message.
      alarms.forget(pair);
      log.debug("decision.unsaved", "An alarm could not be recorded.", { error });
    });
  }

  return {
    isGenuine: (subject, claimed) => {
      const sender = parseNodeSubject(subject)?.nodeId;
      if (sender === claimed) {
        if (!isRevoked(claimed)) return true;
        count += 1;
        return false;
      }
      count += 1;
      alarm(sender ?? "unknown", claimed);
      return false;
    },
    dropped: () => count,
    close: () => alarms.close(),
  };
}
