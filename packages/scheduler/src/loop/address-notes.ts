import type { Decision } from "@skep/core/model/decision.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { LoopPorts } from "./ports.ts";

const MOST_SAID = 1_000;

/** Notes that a word about a node's address is not the one that is used. */
export type NoteAddress = (nodeId: NodeId, word: string, used: string) => void;

/** Makes it; each difference is said once. */
export function createAddressNotes({ store, clock, log }: Pick<LoopPorts, "store" | "clock" | "log">): NoteAddress {
  const said = new Set<string>();
  return (nodeId, word, used) => {
    const key = `${nodeId} ${word} ${used}`;
    if (word === "" || used === "" || word === used || said.has(key) || said.size >= MOST_SAID) return;
    said.add(key);
    const sentence =
      `Node ${nodeId} is reached at ${used}, as the Swarm's list says, and not at ${word}, which its agent said or ` +
      "which stood there before. If nodes cannot reach it there, let it join the Swarm with --advertise-addr.";
    const nobody = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined };
    const decision: Decision = { ...nobody, at: clock.now(), kind: "node.address", nodeId, sentence };
    log.warn("node.address", sentence, { nodeId, word, used });
    store.saveDecisions([decision]).catch(() => void said.delete(key));
  };
}
