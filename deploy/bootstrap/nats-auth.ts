/** A user of the bus. */
export type NatsUser = "scheduler" | "agent" | "operator";

/**
 * Which subjects a user may publish to and subscribe to; everything else is refused by the server.
 */
interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/**
 * Each user's own subjects, as packages/api/src/subjects.ts names them. Inboxes are each user's own
 * too, so that no user reads another's answers.
 */
const permissions: Readonly<Record<NatsUser, Permissions>> = {
  scheduler: {
    publish: ["skep.v1.>", "_INBOX_scheduler.>", "_INBOX_agent.>"],
    subscribe: ["skep.v1.>", "_INBOX_scheduler.>"],
  },
  agent: {
    publish: [
      "skep.v1.beat.*",
      "skep.v1.report.*",
      "skep.v1.fetch.*",
      "skep.v1.spec.*",
      "skep.v1.lease.*",
      "skep.v1.swarm",
      "_INBOX_scheduler.>",
    ],
    subscribe: ["skep.v1.assign.*", "skep.v1.ask.*", "_INBOX_agent.>"],
  },
  operator: {
    publish: ["_INBOX_operator.>"],
    subscribe: ["skep.v1.>", "_INBOX_operator.>"],
  },
};

/** The users of the bus. */
export const natsUsers = Object.keys(permissions) as readonly NatsUser[];

/** What nats.conf includes: the users with their passwords and subjects. */
export function natsAuth(passwords: Readonly<Record<NatsUser, string>>): string {
  const users = natsUsers.map(user => {
    const { publish, subscribe } = permissions[user];
    const rules = `publish: { allow: ${JSON.stringify(publish)} }, subscribe: { allow: ${JSON.stringify(subscribe)} }`;
    return `    { user: ${user}, password: ${JSON.stringify(passwords[user])}, permissions: { ${rules} } }`;
  });
  return `authorization {\n  timeout: 5\n  users: [\n${users.join("\n")}\n  ]\n}\n`;
}
