import { RecoverResponseSchema, RecoveryAction } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import type { RecoverResponse, RecoveredNode } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { colour, type Mood } from "../output/colour.ts";
import { byHostname } from "../output/by-hostname.ts";
import { enumWord } from "../output/enum-word.ts";
import { messageJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { act, examples } from "../session/act.ts";
import type { Session } from "../session/open.ts";
import type { Setup } from "./command.ts";

interface Options {
  readonly yes?: boolean;
}

/** `skep recover`. */
export const recover: Setup = (command, io) => {
  examples(command.option("--yes", "do it; without it nothing is changed"), [
    ["skep recover", "what the agents hold, and what would become of it"],
    ["skep recover --yes", "adopt it, and let the agents obey again"],
  ]);
  act(command, io, async (session, { yes = false }: Options) => {
    const { platform } = session.api;
    const preview = await platform.recover({});
    const found = yes ? await platform.recover({ confirm: true, incarnation: preview.incarnation }) : preview;
    print(
      session,
      () => messageJson(RecoverResponseSchema, found),
      () => renderRecovery(session, found),
    );
  });
};

function renderRecovery({ io }: Session, found: RecoverResponse): string {
  const width = io.isTty ? io.width : undefined;
  const nodes = renderTable(
    ["NODE", "WORKS BY", "TERM", "REVISION"].map(heading => ({ heading })),
    found.nodes
      .toSorted(byHostname)
      .map(node => [node.hostname, worksBy(node), String(node.term), String(node.revision)]),
  );
  const items = renderTable(
    ["INSTANCE", "EPOCH", "NODE", "ACTION", "BECAUSE"].map(heading => ({ heading })),
    found.items
      .toSorted(byHostname)
      .map(item => [
        item.instanceId,
        String(item.epoch),
        item.hostname,
        colour(io, TONES[item.action] ?? "busy", enumWord(RecoveryAction, item.action)),
        item.because,
      ]),
    width,
  );
  const volumes = renderTable(
    ["VOLUME", "SERIAL", "NODE", "RECORD", "BECAUSE"].map(heading => ({ heading })),
    found.volumes.map(one => [
      `${one.owner}/${one.name}`,
      String(one.serial),
      one.hostname,
      one.action === RecoveryAction.ADOPT ? colour(io, "busy", "adopt") : colour(io, "bad", "drop"),
      one.because,
    ]),
    width,
  );
  const silent = found.nodes.filter(node => !node.answered).map(node => node.hostname);
  return [
    found.unrecovered === "" ? "The records are those of the fleet.\n" : `${found.unrecovered}\n`,
    nodes,
    found.items.length === 0 ? "Nothing runs.\n" : items,
    ...(found.volumes.length === 0
      ? []
      : [volumes, "Only records of volumes change: no data is removed, and a dropped record has none.\n"]),
    ...(silent.length === 0
      ? []
      : [`Not heard: ${silent.join(", ")}. What runs there is judged when they are back; see \`skep ps -A\`.\n`]),
    ...(found.deployments.length === 0 ? [] : [`Made again or changed: ${found.deployments.join(", ")}.\n`]),
    found.revoked.length === 0
      ? "These records know no revoked node. Revoke again each node that was revoked since: `skep node revoke NODE`.\n"
      : `Revoked by these records: ${found.revoked.join(", ")}. Revoke again what is missing: \`skep node revoke NODE\`.\n`,
    found.newIncarnation === ""
      ? `Nothing was changed. ${wayOn(found)}; new instances are then numbered from ${found.serialFloor}.\n`
      : `Recovered as ${found.newIncarnation}, in place of ${found.incarnation}. Agents obey within seconds.\n`,
  ].join("\n");
}

/**
 * What `--yes` would do. What silent nodes hold is not known, so nobody can say that it is
 * nothing.
 */
function wayOn({ unrecovered, nodes, items, volumes, deployments }: RecoverResponse): string {
  const changes = volumes.length + deployments.length + items.filter(one => one.action !== RecoveryAction.KEEP).length;
  return unrecovered === "" && changes === 0 && nodes.every(node => node.answered)
    ? "Nothing has to be: `skep recover --yes` would only begin new records of the same"
    : "`skep recover --yes` writes it";
}

const TONES: Readonly<Record<RecoveryAction, Mood>> = {
  [RecoveryAction.UNSPECIFIED]: "busy",
  [RecoveryAction.KEEP]: "good",
  [RecoveryAction.ADOPT]: "busy",
  [RecoveryAction.REMOVE]: "bad",
  [RecoveryAction.LEAVE]: "bad",
};

function worksBy(node: RecoveredNode): string {
  if (!node.answered) return `no answer: ${node.because}`;
  return node.incarnation === "" ? "nothing yet" : node.incarnation;
}
