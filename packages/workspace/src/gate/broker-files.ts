import { pbkdf2Sync, randomBytes } from "node:crypto";

/** What the broker's own users show. */
export interface BrokerSecrets {
  /** Of the gates, which speak for devices. */
  readonly gate: string;
  /** Of the hosts, which read for workspaces and send commands. */
  readonly host: string;
}

/**
 * Who may do what at the broker, the second wall behind the gate. A gate gives each connection the
 * device's user name as client id, so that the pattern holds each to its own topics although all of
 * them are one user.
 */
export const BROKER_ACCESS = `pattern write %c/#
pattern read %c/#

user host
topic read +/devices/#
topic write +/devices/+/commands/#
`;

/** Mosquitto's password file. It never changes as devices come and go, so nothing is read anew. */
export function brokerPasswords({ gate, host }: BrokerSecrets): string {
  return [`gate:${hash(gate)}`, `host:${hash(host)}`, ""].join("\n");
}

const ITERATIONS = 101;

function hash(password: string): string {
  const salt = randomBytes(12);
  const digest = pbkdf2Sync(password, salt, ITERATIONS, 64, "sha512");
  return `$7$${ITERATIONS}$${salt.toString("base64")}$${digest.toString("base64")}`;
}

/**
 * Lines of mosquitto.conf for a broker behind gates, whose files are in `directory`. Its queues are
 * bounded by bytes: a number would drop what a workspace that is away has not read.
 */
export function brokerConfig(directory: string): string {
  return [
    "allow_anonymous false",
    `password_file ${directory}/passwords`,
    `acl_file ${directory}/access`,
    "max_queued_messages 0",
    "max_queued_bytes 268435456",
    "max_inflight_messages 0",
    "message_size_limit 262144",
    "persistent_client_expiration 7d",
    "",
  ].join("\n");
}
