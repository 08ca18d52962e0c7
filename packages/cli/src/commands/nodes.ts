import { Availability, Liveness, NodeRole, NodeSchema } from "@skep/api/gen/skep/v1/node_pb.ts";
import type { Node } from "@skep/api/gen/skep/v1/node_pb.ts";
import { colourState } from "../output/colour.ts";
import { byHostname } from "../output/by-hostname.ts";
import { enumWord } from "../output/enum-word.ts";
import { listJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { bytes, cores } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import type { Session } from "../session/open.ts";
import { allPages } from "../session/pages.ts";
import type { Setup } from "./command.ts";

/** `skep nodes`. */
export const nodes: Setup = (command, io) => {
  examples(command, [
    ["skep nodes", "liveness, availability, load and labels of each"],
    ["skep nodes -o json", "everything that is known of them"],
  ]);
  act(command, io, async session => {
    const found = await allPages(
      pageToken => session.api.nodes.listNodes({ pageSize: 500, pageToken }),
      page => page.nodes,
    );
    print(
      session,
      () => listJson(NodeSchema, found),
      () => renderNodes(session, found),
    );
  });
};

/** Nodes as a table. */
export function renderNodes({ io }: Session, found: readonly Node[]): string {
  const rows = found.toSorted(byHostname).map(node => [
    node.hostname,
    colourState(io, enumWord(Liveness, node.liveness)),
    colourState(io, enumWord(Availability, node.availability)),
    enumWord(NodeRole, node.role),
    String(node.instances),
    `${share(node.load?.cpuShare)} of ${cores(node.capacity?.cpuMillis ?? 0)}`,
    `${share(node.load?.memoryShare)} of ${bytes(Number(node.capacity?.memoryBytes ?? 0n))}`,
    node.address,
    node.block,
    Object.entries(node.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(" "),
  ]);
  return renderTable(
    [
      { heading: "NODE" },
      { heading: "LIVENESS" },
      { heading: "AVAILABILITY" },
      { heading: "ROLE" },
      { heading: "INSTANCES", align: "right" },
      { heading: "CPU" },
      { heading: "MEMORY" },
      { heading: "ADDRESS" },
      { heading: "BLOCK" },
      { heading: "LABELS" },
    ],
    rows,
    io.isTty ? io.width : undefined,
  );
}

function share(value: number | undefined): string {
  return value === undefined ? "?" : `${Math.round(value * 100)}%`;
}
