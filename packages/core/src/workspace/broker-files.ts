/**
 * Who may do what at a broker behind gates, the second wall behind them. A gate gives each
 * connection the device's user name as client id, so that the pattern holds each to its own topics
 * although all of them are one user. What is stored is told below `_skep`, by hosts only.
 */
export const BROKER_ACCESS = `pattern write %c/#
pattern read %c/#

user gate
topic read _skep/#

user host
topic read +/devices/#
topic write +/devices/+/commands/#
topic write _skep/#
`;

/**
 * Bytes of the largest message. A broker drops a larger one and acknowledges it all the same: a
 * gate takes no packet that is larger.
 */
export const MOST_MESSAGE_BYTES = 262_144;

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
    `message_size_limit ${MOST_MESSAGE_BYTES}`,
    "persistent_client_expiration 7d",
    "",
  ].join("\n");
}
