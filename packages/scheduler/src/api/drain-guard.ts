import { SkepError } from "@skep/core/error.ts";
import { DATABASE_LABEL } from "@skep/core/model/node.ts";
import type { NodeRecord } from "../store/store.ts";

/**
 * Keeps a drain from ending Skep itself. Swarm moves the stack's own tasks off a drained node too:
 * the database has no other node, and the bus has none but managers that take work. Without
 * them nobody can be asked to activate the node again.
 * @throws SkepError `failed_precondition` `DRAIN_ENDS_PLATFORM` where one of them would be lost.
 */
export function assertDrainKeepsPlatform(nodes: readonly NodeRecord[], { node }: NodeRecord): void {
  const hasOtherManager = nodes.some(
    ({ node: other }) => other.id !== node.id && other.role === "manager" && takesWork(other),
  );
  const lost =
    node.labels[DATABASE_LABEL] === "1"
      ? `has Skep's database (label ${DATABASE_LABEL}=1), which no other node can run`
      : node.role === "manager" && !hasOtherManager
        ? "is the only manager that takes work, and Skep's bus runs on managers"
        : undefined;
  if (lost === undefined) return;
  throw new SkepError(
    "failed_precondition",
    "DRAIN_ENDS_PLATFORM",
    `${node.hostname} ${lost}: drained, Skep stops, and then only ` +
      `\`docker node update --availability active ${node.hostname}\` on a manager brings it back. ` +
      `\`skep pause ${node.hostname}\` keeps new work off it; \`skep drain --force\` drains it all the same.`,
    { details: { nodeId: node.id } },
  );
}

function takesWork({ availability, liveness }: NodeRecord["node"]): boolean {
  return availability === "active" && liveness === "ready";
}
