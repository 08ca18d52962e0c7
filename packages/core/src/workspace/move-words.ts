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

/** What does not move, a sentence each. */
export function moveLeaves({ config }: Connector): readonly string[] {
  const { url } = config.resources.specs.database;
  return [
    "rules, schemas, devices and their secrets stay where they are: in the records",
    "files stay at the half that ends, since a pod has an S3 server of its own; take them along by skep file get and put",
    "sockets are ended at the cut-over, connect again by the same address, and are told of a gap",
    "what rules remember of devices begins anew",
    "commands that wait at the first broker for devices that are away are not delivered",
    ...(url === undefined ? [] : ["its database is its own, and stays where it is"]),
  ];
}
