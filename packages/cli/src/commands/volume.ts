import { timestampMs } from "@bufbuild/protobuf/wkt";
import { VolumeSchema, VolumeState } from "@skep/api/gen/skep/v1/volume_pb.ts";
import type { Volume } from "@skep/api/gen/skep/v1/volume_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { enumWord } from "../output/enum-word.ts";
import { listJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { duration } from "../output/words.ts";
import { shortName } from "../output/view.ts";
import { act, examples } from "../session/act.ts";
import { newKey } from "../session/change.ts";
import { deploymentId } from "../session/names.ts";
import type { Session } from "../session/open.ts";
import type { Setup } from "./command.ts";

interface RemoveOptions {
  readonly node?: string;
  readonly serial?: string;
  readonly force?: boolean;
}

/** `skep volume`. */
export const volume: Setup = (command, io) => {
  examples(command, [
    ["skep volume list", "every volume, the node that holds it, and what uses it"],
    ["skep volume show db/data", "one volume"],
    ["skep volume rm db/data", "remove its data for ever"],
    ["skep volume rm db/data --serial 5", "of two on one node, as after a restored database, the one of that serial"],
    ["skep volume rm db/data --node node-2 --force", "node-2 is lost: let db start anew and empty elsewhere"],
  ]);
  const list = command.command("list").alias("ls").summary("List volumes.").option("--all", "of every tenant");
  act(list, io, async (session, options: { readonly all?: boolean }) => {
    const tenantId = options.all === true ? "" : session.tenant;
    show(session, (await session.api.volumes.listVolumes({ tenantId })).volumes);
  });
  const one = command.command("show").summary("Show one volume.").argument("<volume>", "as deployment/name");
  act(one, io, async (session, _options: object, called: string) => {
    const { deployment, name } = parse(session, called);
    const { volumes } = await session.api.volumes.listVolumes({ deploymentId: deployment });
    const found = volumes.filter(volume => volume.name === name);
    if (found.length === 0)
      throw new SkepError("not_found", "VOLUME_NOT_FOUND", `There is no volume ${called}: \`skep volume list\`.`);
    show(session, found);
  });
  const remove = command
    .command("rm")
    .summary("Remove a volume and its data for ever.")
    .argument("<volume>", "as deployment/name")
    .option("--node <NODE>", "the node that has it, by id or hostname")
    .option("--serial <NUMBER>", "which of several of that name on a node; the list shows them")
    .option("--force", "although the node is away: its data is given up, and what waits for it starts empty elsewhere");
  act(remove, io, async (session, options: RemoveOptions, called: string) => {
    const { deployment, name } = parse(session, called);
    const of = { deploymentId: deployment, name, node: options.node ?? "", force: options.force === true };
    const serial = parseSerial(options.serial);
    const { volumes } = await session.api.volumes.deleteVolume({ ...of, serial, idempotencyKey: newKey() });
    print(
      session,
      () => listJson(VolumeSchema, volumes),
      () => `${called}: its data is removed${options.force === true ? ", or will be when its node returns" : ""}\n`,
    );
  });
};

/** Any that is there is meant by 0. */
function parseSerial(text = "0"): bigint {
  if (!/^\d{1,15}$/.test(text))
    throw new SkepError("invalid_argument", "BAD_SERIAL", `"${text}" is no serial: \`skep volume list\` shows them.`);
  return BigInt(text);
}

/** `db/data` is the volume `data` of the deployment `db`. */
function parse(session: Session, called: string): { readonly deployment: string; readonly name: string } {
  const at = called.indexOf("/");
  if (at < 1 || at === called.length - 1)
    throw new SkepError("invalid_argument", "BAD_VOLUME", `"${called}" is no volume: write deployment/name.`);
  return { deployment: deploymentId(session, called.slice(0, at)), name: called.slice(at + 1) };
}

function show(session: Session, volumes: readonly Volume[]): void {
  print(
    session,
    () => listJson(VolumeSchema, volumes),
    () => renderVolumes(session, volumes),
  );
}

function renderVolumes(session: Session, volumes: readonly Volume[]): string {
  const now = session.io.now();
  const age = (at: Volume["createdAt"]): string => (at === undefined ? "?" : duration(now - timestampMs(at)));
  const rows = volumes.map(volume => [
    `${shortName(session, volume.deploymentId)}/${volume.name}`,
    volume.nodeHostname,
    String(volume.serial),
    enumWord(VolumeState, volume.state),
    usedBy(session, volume),
    age(volume.createdAt),
    volume.instanceIds.length > 0 ? "now" : age(volume.usedAt),
  ]);
  return renderTable(
    ["VOLUME", "NODE", "SERIAL", "STATE", "USED BY", "AGE", "LAST USED"].map(heading => ({ heading })),
    rows,
    session.io.isTty ? session.io.width : undefined,
  );
}

function usedBy(session: Session, { instanceIds, hasDeployment }: Volume): string {
  if (instanceIds.length > 0) return instanceIds.map(id => shortName(session, id)).join(" ");
  return hasDeployment ? "nobody now" : "nobody: its deployment is gone";
}
