import type { RuleSet } from "@skep/core/rules/rule-set.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { openChannel, sessionOf } from "../channel/channel.ts";
import { endSession, leaveSession } from "../channel/leave-session.ts";
import type { ReaderSettings } from "../channel/settings.ts";
import { DEFAULT_POOL } from "../database/connection.ts";
import { openDatabase } from "../database/database.ts";
import { openOwnFiles } from "../files/own-files.ts";
import { createRules } from "../rules/rules.ts";
import { createWebhooks } from "../rules/webhook.ts";
import type { WebhookTarget } from "../rules/webhook-posting.ts";
import { BATCH } from "./assemble.ts";
import { acquirePublisher, type Engines } from "./engines.ts";
import type { PartFactories } from "./factories.ts";

/** What a workspace has beside its connector; the calls answer what holds at that moment. */
export interface WorkspaceContent {
  readonly rules?: () => RuleSet;
  /** By the names that rules say. */
  readonly webhooks?: () => ReadonlyMap<string, WebhookTarget>;
  /** Connections that it may have to its database. */
  readonly databasePool?: number;
}

/** Devices of a workspace of which rules remember something at once. */
const MOST_DEVICES = 10_000;
const NO_RULES: RuleSet = { rules: [], schemas: new Map() };

/** The parts of a container on real engines. */
export function realParts(engines: Engines, content: WorkspaceContent = {}): PartFactories {
  const { clock, random, mqtt } = engines;
  const { rules = () => NO_RULES, webhooks = () => new Map(), databasePool = DEFAULT_POOL } = content;
  const session = (workspaceId: WorkspaceId): ReaderSettings => {
    const { url, username, password, ca } = mqtt;
    const where = { url, username, password, ...(ca === undefined ? {} : { ca }) };
    return sessionOf({ workspaceId, ...where, batch: BATCH.most });
  };
  return {
    database: ({ connector }) => {
      const { url, size, retentionDays } = connector.config.resources.specs.database;
      return openDatabase({
        ...{ workspaceId: connector.id, url: url ?? engines.mongoUrl, megabytes: size, clock },
        ...(url === undefined ? {} : { allowedHosts: engines.allowedDatabaseHosts }),
        ...{ poolSize: databasePool, connections: engines.connections },
        ...(retentionDays === undefined ? {} : { retentionDays }),
      });
    },
    files: async ({ connector: { id, config } }) => {
      const own = config.resources.specs.files;
      if (own !== undefined) return openOwnFiles(id, own, engines.allowedDatabaseHosts);
      return engines.files?.host.openSoon({ id, regions: engines.files.regions });
    },
    channel: async ({ connector, mayRead }) => {
      const { instance, release } = await acquirePublisher(engines);
      const { url, username, password, ca } = mqtt;
      return openChannel({
        ...{ workspaceId: connector.id, url, username, password, ...(ca === undefined ? {} : { ca }) },
        ...{ batch: BATCH.most, publisher: instance, release, mayRead, clock, random },
      });
    },
    subscribe: ({ connector }) => leaveSession(session(connector.id), clock),
    unsubscribe: ({ connector }) => endSession(session(connector.id), clock),
    rules: async ({ connector, mayRead }, actions) => {
      const posting = createWebhooks({ clock, random, ...engines.webhooks }, webhooks());
      const options = { workspaceId: connector.id, clock, actions, mostDevices: MOST_DEVICES, mayRead };
      return createRules({ ...options, webhooks: posting }, rules());
    },
    events: ({ connector, limits }) =>
      engines.events.open({ id: connector.id, secret: connector.access.secret, limits }),
  };
}
