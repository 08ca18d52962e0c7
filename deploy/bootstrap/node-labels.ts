import type { Manager } from "./manager.ts";

/** The part of a Swarm node that decides about its labels. */
interface SwarmNode {
  readonly ID: string;
  readonly Spec: { readonly Labels?: Readonly<Record<string, string>>; readonly Role: "manager" | "worker" };
  readonly Description: { readonly Hostname: string };
}

/**
 * Labels the nodes as the stack wants them, where nobody has yet: `postgres.replica=1` on one
 * manager, because the database's volume stays on its node; `compute=true` on every node without a
 * label `compute`. Returns what it changed.
 */
export async function ensureNodeLabels(manager: Manager): Promise<readonly string[]> {
  const nodes = (await manager.get<readonly SwarmNode[]>("/nodes")).toSorted((a, b) =>
    a.Description.Hostname.localeCompare(b.Description.Hostname),
  );
  const changes: string[] = [];
  const label = async (node: SwarmNode, text: string): Promise<void> => {
    await manager.docker(["node", "update", "--label-add", text, node.ID]);
    changes.push(`${node.Description.Hostname}: ${text}`);
  };
  const database = nodes.find(node => node.Spec.Role === "manager");
  const isChosen = nodes.some(node => node.Spec.Labels?.["postgres.replica"] !== undefined);
  if (!isChosen && database !== undefined) await label(database, "postgres.replica=1");
  for (const node of nodes) if (node.Spec.Labels?.["compute"] === undefined) await label(node, "compute=true");
  return changes;
}
