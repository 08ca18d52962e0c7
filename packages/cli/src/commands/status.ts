import { timestampMs } from "@bufbuild/protobuf/wkt";
import { GetStatusResponseSchema } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import type { GetStatusResponse, Replica } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { colour } from "../output/colour.ts";
import { messageJson, print } from "../output/print.ts";
import { renderFields } from "../output/table.ts";
import { count, duration } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import type { Session } from "../session/open.ts";
import type { Setup } from "./command.ts";

/** `skep status`. */
export const status: Setup = (command, io) => {
  examples(command, [
    ["skep status", "who leads, how many nodes and instances, and what is wrong"],
    ["skep status -o json", "the same for a program"],
  ]);
  act(command, io, async session => {
    const found = await session.api.platform.getStatus({});
    print(
      session,
      () => messageJson(GetStatusResponseSchema, found),
      () => renderStatus(session, found),
    );
  });
};

function renderStatus(session: Session, found: GetStatusResponse): string {
  const { io } = session;
  const leader = found.leader === undefined ? "nobody" : `${found.leader.holder} (term ${found.leader.term})`;
  const replicas = found.replicas.map(
    replica => `${replica.name} ${replica.version}${replica.leading ? ", leads" : ""}${silence(replica, found)}`,
  );
  return renderFields([
    ["Platform", `${session.url}, answered by ${found.replica} ${found.version}`],
    ["Records", found.incarnation],
    ["Leader", leader],
    ["Schedulers", replicas.join("\n") || found.replica],
    ["Nodes", words(found.nodes) || "none"],
    ["Instances", words(found.instances) || "none"],
    ["Deployments", `${found.deployments} of ${count(found.tenants, "tenant")}`],
    ...(found.orphans.length === 0
      ? []
      : [
          ["Left alone", `${count(found.orphans.length, "thing")} without a record: \`skep ps -A\``] as [
            string,
            string,
          ],
        ]),
    ...(found.frozen
      ? [["Frozen", colour(io, "bad", "too many nodes are silent at once: nothing is moved")] as [string, string]]
      : []),
    ...found.warnings.map((warning): [string, string] => ["Warning", colour(io, "busy", warning)]),
  ]);
}

/** They tell of themselves every 5 s, and stand in the list for a minute after the last word. */
const SILENT_MS = 12_000;

function silence({ seenAt }: Replica, { at }: GetStatusResponse): string {
  const silentMs = seenAt === undefined || at === undefined ? 0 : timestampMs(at) - timestampMs(seenAt);
  return silentMs < SILENT_MS ? "" : `, silent for ${duration(silentMs)}`;
}

function words(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, amount]) => amount > 0)
    .map(([word, amount]) => `${amount} ${word}`)
    .join(", ");
}
