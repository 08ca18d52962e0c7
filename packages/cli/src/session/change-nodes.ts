import { NodeSchema } from "@skep/api/gen/skep/v1/node_pb.ts";
import type { Node } from "@skep/api/gen/skep/v1/node_pb.ts";
import { listJson } from "../output/print.ts";
import { newKey } from "./change.ts";
import type { Session } from "./open.ts";

/** Makes the same change to each named node, one after the other, and says so for each. */
export async function changeNodes(
  session: Session,
  names: readonly string[],
  change: (request: {
    readonly nodeId: string;
    readonly idempotencyKey: string;
  }) => Promise<{ readonly node?: Node | undefined }>,
  say: (hostname: string, node: Node | undefined) => string,
): Promise<void> {
  const changed: Node[] = [];
  for (const nodeId of names) {
    const { node } = await change({ nodeId, idempotencyKey: newKey() });
    if (node !== undefined) changed.push(node);
    if (!session.json) session.io.out(`${say(node?.hostname ?? nodeId, node)}\n`);
  }
  if (session.json) session.io.out(`${JSON.stringify(listJson(NodeSchema, changed), undefined, 2)}\n`);
}
