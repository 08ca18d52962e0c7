import { decodeAskReply, type AskReply } from "@skep/api/codec/ask-reply.ts";
import { encodeAsk, type HeldRest } from "@skep/api/codec/ask.ts";
import { collectHeld, type HeldPart } from "@skep/api/codec/held-parts.ts";
import { decodeHeld, type HeldState } from "@skep/api/codec/held.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Bus } from "@skep/kit/bus.ts";

const ASK_TIMEOUT_MS = 5_000;

/**
 * What an agent holds, in as many messages as it takes.
 * @throws the agent's error, or the bus's.
 */
export async function askHeld(bus: Bus, nodeId: NodeId): Promise<HeldState> {
  async function ask(rest?: HeldRest): Promise<AskReply> {
    const question = encodeAsk(rest === undefined ? { kind: "held" } : { kind: "held", rest });
    const reply = decodeAskReply(
      await bus.request(nodeSubject("ask", nodeId), question, { timeoutMs: ASK_TIMEOUT_MS }),
    );
    if (reply.kind === "error") throw reply.error;
    return reply;
  }

  async function askPart(snapshot: string, offset: number): Promise<HeldPart> {
    const reply = await ask({ snapshot, offset });
    if (reply.kind !== "held-part") throw new Error(`its agent answered with ${reply.kind}`);
    return reply.part;
  }

  const reply = await ask();
  if (reply.kind === "held") return reply.held;
  if (reply.kind === "held-part") return decodeHeld(await collectHeld(reply.part, askPart));
  throw new Error(`its agent answered with ${reply.kind}`);
}
