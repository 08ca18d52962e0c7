import type { Connector, ResourceLimits } from "./connector.ts";

/** Bounds that a workspace is given while it runs (R134); what is absent stays as it is. */
export interface WantedResources {
  /** Connections to its database. */
  readonly poolSize: number | undefined;
  /** Megabytes that its database may grow to. */
  readonly maxSize: number | undefined;
  readonly limits: { readonly [Name in keyof ResourceLimits]: number | undefined };
}

interface Bounded {
  readonly connector: Connector;
  readonly databasePool: number;
}

/**
 * The parts of a workspace that have bounds, with these. A bound that stands twice in its connector
 * is set twice, since of the two the lower holds.
 */
export function withResources<T extends Bounded>(workspace: T, { poolSize, maxSize, limits }: WantedResources): T {
  const { connector, databasePool } = workspace;
  const { access, config } = connector;
  const { specs } = config.resources;
  const { sockets, events, channels } = limits;
  const ratelimits = {
    sockets: sockets ?? specs.ratelimits.sockets,
    events: events ?? specs.ratelimits.events,
    channels: channels ?? specs.ratelimits.channels,
  };
  const database = { ...specs.database, size: maxSize ?? specs.database.size };
  return {
    ...workspace,
    databasePool: poolSize ?? databasePool,
    connector: {
      ...connector,
      access: {
        ...access,
        ratelimits: { sockets: sockets ?? access.ratelimits.sockets, events: events ?? access.ratelimits.events },
      },
      config: { ...config, resources: { ...config.resources, specs: { ...specs, database, ratelimits } } },
    },
  };
}
