import type { AssignedWorkspace } from "./host-assignment.ts";

/** A database takes no more connections of one client than these. */
const MOST_POOL = 500;
const MOST_SOCKETS = 100_000;
const MOST_MESSAGES = 1_000_000;

/**
 * A workspace with the room of so many instances. One host reads it whatever the number, since
 * two owners would store messages twice: an instance is a share of that host. What bounds the
 * workspace grows with the number: sockets at once, messages in a second, connections to its
 * database. What bounds each socket stays.
 */
export function scaled<T extends Pick<AssignedWorkspace, "connector" | "databasePool" | "instances">>(workspace: T): T {
  const { connector, databasePool, instances = 1 } = workspace;
  if (instances <= 1) return workspace;
  const { access, config } = connector;
  const { resources } = config;
  const { ratelimits, messagesPerSecond } = resources.specs;
  const times = (value: number, most: number): number => Math.max(value, Math.min(most, value * instances));
  const sockets = { sockets: times(ratelimits.sockets, MOST_SOCKETS) };
  const messages =
    messagesPerSecond === undefined ? {} : { messagesPerSecond: times(messagesPerSecond, MOST_MESSAGES) };
  const specs = { ...resources.specs, ratelimits: { ...ratelimits, ...sockets }, ...messages };
  return {
    ...workspace,
    databasePool: times(databasePool, MOST_POOL),
    connector: {
      ...connector,
      access: {
        ...access,
        ratelimits: { ...access.ratelimits, sockets: times(access.ratelimits.sockets, MOST_SOCKETS) },
      },
      config: { ...config, resources: { ...resources, specs } },
    },
  };
}
