/** A user of the bus that NATS's own configuration knows; agents are let in by the schedulers. */
export type NatsUser = "scheduler" | "operator";

/** Public keys that the configuration names. */
export interface NatsKeys {
  /** Of the account key by which schedulers sign the users of agents. */
  readonly issuer: string;
  /** Of the key that may end connections, and nothing else of ours. */
  readonly system: string;
}

/**
 * Which subjects a user may publish to and subscribe to; everything else is refused by the server.
 */
interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/**
 * Each user's own subjects, as packages/api/src/subjects.ts names them; what an agent may do is
 * there, too. Inboxes are each user's own, so that no user reads another's answers.
 */
const permissions: Readonly<Record<NatsUser, Permissions>> = {
  scheduler: {
    publish: ["skep.v1.>", "_INBOX_scheduler.>", "_INBOX_node.>"],
    subscribe: ["skep.v1.>", "_INBOX_scheduler.>", "$SYS.REQ.USER.AUTH"],
  },
  operator: {
    publish: ["_INBOX_operator.>"],
    subscribe: ["skep.v1.>", "_INBOX_operator.>"],
  },
};

/** The users of the bus. */
export const natsUsers = Object.keys(permissions) as readonly NatsUser[];

/**
 * What nats.conf includes: the users with their passwords and subjects, whose signature lets agents
 * in, and the system account.
 */
export function natsAuth(passwords: Readonly<Record<NatsUser, string>>, keys: NatsKeys): string {
  const users = natsUsers.map(user => {
    const { publish, subscribe } = permissions[user];
    // A scheduler also answers NATS's own questions about logins, on subjects that only NATS names.
    const answers = user === "scheduler" ? ", allow_responses: true" : "";
    const rules = `publish: { allow: ${JSON.stringify(publish)} }, subscribe: { allow: ${JSON.stringify(subscribe)} }${answers}`;
    return `    { user: ${user}, password: ${JSON.stringify(passwords[user])}, permissions: { ${rules} } }`;
  });
  const known = JSON.stringify([...natsUsers, keys.system]);
  return (
    `accounts {\n  SYS: { users: [ { nkey: ${keys.system} } ] }\n}\nsystem_account: SYS\n` +
    `authorization {\n  timeout: 5\n  users: [\n${users.join("\n")}\n  ]\n` +
    `  auth_callout { issuer: ${keys.issuer}, auth_users: ${known} }\n}\n`
  );
}
