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

const AS = "as project/name, deployment/name, or the name alone where it is the tenant's";

interface RemoveOptions {
  readonly node?: string;
  readonly serial?: string;
  readonly force?: boolean;
}

/** `skep volume`. */
export const volume: Setup = (command, io) => {
  examples(command, [
    ["skep volume list", "every volume, the node that holds it, and what uses it"],
    ["skep volume show shop/data", "the volume `data` of the project or the deployment `shop`"],
    ["skep volume rm shop/data", "remove its data for ever"],
    ["skep volume rm shop/data --serial 5", "of two on one node, as after a restored database, the one of that serial"],
    ["skep volume rm shop/data --node node-2 --force", "node-2 is lost: what waits for it starts empty elsewhere"],
  ]);
  const list = command.command("list").alias("ls").summary("List volumes.").option("--all", "of every tenant");
  act(list, io, async (session, options: { readonly all?: boolean }) => {
    const tenantId = options.all === true ? "" : session.tenant;
    show(session, (await session.api.volumes.listVolumes({ tenantId })).volumes);
  });
  const one = command.command("show").summary("Show one volume.").argument("<volume>", AS);
  act(one, io, async (session, _options: object, called: string) => {
    const { volumes } = await find(session, called);
    show(session, volumes);
  });
  const remove = command
    .command("rm")
    .summary("Remove a volume and its data for ever.")
    .argument("<volume>", AS)
    .option("--node <NODE>", "the node that has it, by id or hostname")
    .option("--serial <NUMBER>", "which of several of that name on a node; the list shows them")
    .option("--force", "although the node is away: its data is given up, and what waits for it starts empty elsewhere");
  act(remove, io, async (session, options: RemoveOptions, called: string) => {
    const serial = parseSerial(options.serial);
    const { owner, name } = await find(session, called, serial);
    const of = { owner, name, node: options.node ?? "", force: options.force === true };
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

interface Found {
  readonly owner: string;
  readonly name: string;
  readonly volumes: readonly Volume[];
}

/**
 * `shop/data` is the volume `data` of the project `shop`, or of the deployment `shop` where that
 * has no project; `data` alone is the tenant's. Where a project and a deployment of one name have
 * one each, the serial tells which is meant.
 * @throws SkepError `not_found`; `failed_precondition` where two are called so.
 */
async function find(session: Session, called: string, serial = 0n): Promise<Found> {
  const at = called.lastIndexOf("/");
  const name = called.slice(at + 1);
  if (at === 0 || name === "")
    throw new SkepError("invalid_argument", "BAD_VOLUME", `"${called}" is no volume: write project/name.`);
  const owners = ownersOf(session, called.slice(0, Math.max(0, at)));
  const lists = await Promise.all(owners.map(owner => session.api.volumes.listVolumes({ owner })));
  const found = lists.flatMap(({ volumes }) => volumes.filter(one => one.name === name));
  const meant = new Set(found.filter(one => serial === 0n || one.serial === serial).map(one => one.owner));
  const [owner, other] = [...meant];
  if (owner === undefined)
    throw new SkepError("not_found", "VOLUME_NOT_FOUND", `There is no volume ${called}: \`skep volume list\`.`);
  if (other !== undefined) {
    const both = `${owner}/${name} and ${other}/${name}`;
    throw new SkepError("failed_precondition", "VOLUME_AMBIGUOUS", `Two volumes are called ${called}: write ${both}.`);
  }
  return { owner, name, volumes: found.filter(one => one.owner === owner) };
}

/** Whom a volume may belong to that is called so: a whole owner has its tenant in it. */
function ownersOf(session: Session, called: string): readonly string[] {
  if (called === "") return [session.tenant];
  if (/[./]/.test(called)) return [called];
  // The last is a tenant's own, as refusals name it.
  return [`${session.tenant}/${called}`, deploymentId(session, called), called];
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
    labelOf(session, volume),
    volume.nodeGone ? `${volume.nodeHostname} (has left)` : volume.nodeHostname,
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

/** As a person calls it, without the tenant where it is the session's own. */
function labelOf({ tenant }: Session, { owner, name }: Volume): string {
  if (owner === tenant) return name;
  const isOwn = owner.startsWith(`${tenant}.`) || owner.startsWith(`${tenant}/`);
  return `${isOwn ? owner.slice(tenant.length + 1) : owner}/${name}`;
}

function usedBy(session: Session, { instanceIds, deploymentIds, state }: Volume): string {
  if (instanceIds.length > 0) return instanceIds.map(id => shortName(session, id)).join(" ");
  if (state === VolumeState.LEFT) return "nobody: left behind when its node went away";
  const waiting = deploymentIds.map(id => shortName(session, id)).join(" ");
  return waiting === "" ? "nobody: no deployment mounts it" : `nobody now; ${waiting} mounts it`;
}
