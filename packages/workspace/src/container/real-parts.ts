import type { RuleSet } from "@skep/core/rules/rule-set.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Random } from "@skep/kit/random.ts";
import { openChannel } from "../channel/channel.ts";
import type { Publisher, PublisherSettings } from "../channel/publisher.ts";
import { openPublisher } from "../channel/publisher.ts";
import type { Connections } from "../database/connection.ts";
import { openDatabase } from "../database/database.ts";
import type { EventServer } from "../events/server.ts";
import type { FileHost } from "../files/file-host.ts";
import type { Shared } from "../resources/shared.ts";
import { createRules } from "../rules/rules.ts";
import { BATCH } from "./assemble.ts";
import type { PartFactories } from "./factories.ts";

/** Where the engines of a process are, and what its containers share of them. */
export interface Engines {
  readonly mongoUrl: string;
  readonly connections: Connections;
  /** Hosts of the platform's own network that a tenant's own database may be on. */
  readonly allowedDatabaseHosts: readonly string[];
  /** The broker; its client id is the publisher's, which all containers share. */
  readonly mqtt: PublisherSettings;
  readonly publishers: Shared<Publisher>;
  readonly events: EventServer;
  /** Absent where there is no file storage; each file is in all of these regions. */
  readonly files?: { readonly host: FileHost; readonly regions: readonly string[] };
  readonly clock: Clock;
  readonly random: Random;
}

/** Devices of a workspace of which rules remember something at once. */
const MOST_DEVICES = 10_000;

/** The parts of a container on real engines; `rules` answers those that hold at that moment. */
export function realParts(engines: Engines, rules: () => RuleSet, databasePool: number): PartFactories {
  const { clock, random, mqtt } = engines;
  return {
    database: ({ connector }) => {
      const { url, size } = connector.config.resources.specs.database;
      return openDatabase({
        ...{ workspaceId: connector.id, url: url ?? engines.mongoUrl, megabytes: size, clock },
        ...(url === undefined ? {} : { allowedHosts: engines.allowedDatabaseHosts }),
        ...{ poolSize: databasePool, connections: engines.connections },
      });
    },
    files: async ({ connector }) => engines.files?.host.open({ id: connector.id, regions: engines.files.regions }),
    channel: async ({ connector, mayRead }) => {
      const { instance, release } = await engines.publishers.acquire("broker", async () => openPublisher(mqtt));
      const { url, username, password, ca } = mqtt;
      return openChannel({
        ...{ workspaceId: connector.id, url, username, password, ...(ca === undefined ? {} : { ca }) },
        ...{ batch: BATCH.most, publisher: instance, release, mayRead, clock, random },
      });
    },
    rules: async ({ connector, mayRead }, actions) =>
      createRules({ workspaceId: connector.id, clock, actions, mostDevices: MOST_DEVICES, mayRead }, rules()),
    events: ({ connector, limits }) =>
      engines.events.open({ id: connector.id, secret: connector.access.secret, limits }),
  };
}
