import type { Connector, Mode } from "./connector.ts";

/** What a move does, in its order, a sentence each. */
export function moveSteps(to: Mode, bytes: number | undefined): readonly string[] {
  const size = bytes === undefined ? "of a size that its host has not said" : `${(bytes / 1e6).toFixed(1)} MB`;
  const target =
    to === "standalone"
      ? "a deployment of its own begins: a host, a broker and a database, with volumes on one node"
      : "a shared host begins with it, at the shared broker and the shared database";
  return [
    target,
    `its messages and dead letters are copied (${size}), while devices go on sending`,
    "each message is stored in both databases before it is acknowledged",
    "the keys of both databases are compared; where any is missing it goes back and names them",
    "gates send its devices to the other broker, which keeps what they send",
    "what is left at the first broker is read out; then nobody reads for a second or two, and then the other host does",
    "after a minute in which both databases are written, what came since is compared, and the first half ends",
  ];
}

/** What a workspace has that does not move with it. */
export interface LeftBehind {
  /** Its files; `undefined` where its host has not said. */
  readonly files: { readonly count: number; readonly bytes: number } | undefined;
  /** Devices that were there once and are not connected. */
  readonly devicesAway: number;
}

/** Why a move does not begin: files would be left that nobody said may stay. */
export function filesLeft({ id, config }: Connector, { files }: LeftBehind): string | undefined {
  // Both halves open a store of the tenant's own.
  if (config.resources.specs.files !== undefined || files === undefined || files.count === 0) return undefined;
  return (
    `The files of workspace ${id} (${sizeOf(files)}) do not move: save them first with skep file get, then move it ` +
    "with --leave-files, and bring them back with skep file put."
  );
}

function sizeOf({ count, bytes }: { readonly count: number; readonly bytes: number }): string {
  return `${count} ${count === 1 ? "file" : "files"}, ${(bytes / 1e6).toFixed(1)} MB`;
}

/** What does not move, a sentence each. */
export function moveLeaves({ id, config }: Connector, to: Mode, left: LeftBehind): readonly string[] {
  const { database, files: store } = config.resources.specs;
  const { url } = database;
  const where = to === "standalone" ? "the storage of the shared hosts" : `volume files of the pod ws_${id}`;
  const files = left.files === undefined ? "its files, of which its host has not said how many," : sizeOf(left.files);
  return [
    "rules, schemas, devices and their secrets stay where they are: in the records",
    store === undefined
      ? `${files} stay in ${where}; a move back finds them there`
      : "its files are in an S3 server of its own, and stay there",
    "sockets are ended at the cut-over, connect again by the same address, and are told of a gap",
    "what rules remember of devices begins anew",
    `commands that wait at the first broker for devices that are away are not delivered (${left.devicesAway} are away now)`,
    ...(url === undefined ? [] : ["its database is its own, and stays where it is"]),
  ];
}
