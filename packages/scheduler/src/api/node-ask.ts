import { encodeAsk } from "@skep/api/codec/ask.ts";
import type { NodeChange } from "@skep/api/codec/ask.ts";
import { decodeAskReply } from "@skep/api/codec/ask-reply.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { SkepError } from "@skep/core/error.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { BusError } from "@skep/kit/bus.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { NodeRecord } from "../store/store.ts";

const ASK_TIMEOUT_MS = 10_000;

/**
 * Has a manager's agent change a Swarm node through its engine, and answers what the Swarm then
 * says of it. Managers are asked one after the other until one answers; the change says what shall
 * be, so asking twice does no harm.
 * @throws SkepError `unavailable` where no manager's agent answers, or what the engine said.
 */
export async function changeNode(
  bus: Bus,
  nodes: readonly NodeRecord[],
  nodeId: NodeId,
  change: NodeChange,
): Promise<Pick<NodeRecord["node"], "availability" | "labels"> | undefined> {
  const managers = nodes
    .filter(({ node }) => node.role === "manager")
    // One that beats answers at once; the others are asked all the same, for the belief may be old.
    .toSorted((a, b) => Number(b.node.liveness === "ready") - Number(a.node.liveness === "ready"));
  const tried: string[] = [];
  for (const { node } of managers) {
    try {
      const ask = encodeAsk({ kind: "node", nodeId, change });
      const reply = decodeAskReply(await bus.request(nodeSubject("ask", node.id), ask, { timeoutMs: ASK_TIMEOUT_MS }));
      if (reply.kind === "error") throw refused(reply.error, node.hostname);
      return reply.kind === "node" ? reply.node : undefined;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      tried.push(`${node.hostname} (${error.code === "timeout" ? "no answer" : "not connected"})`);
    }
  }
  throw new SkepError(
    "unavailable",
    "NO_MANAGER_AGENT",
    `No agent on a manager could be asked to change the node: ${tried.length === 0 ? "no manager is known" : tried.join(", ")}. ` +
      "Try again, or use `docker node update` on a manager.",
  );
}

function refused(error: SkepError, hostname: string): SkepError {
  const message = `The engine of ${hostname} refused the change: ${error.message}`;
  return new SkepError(error.code, error.reason, message, { details: error.details, cause: error });
}
