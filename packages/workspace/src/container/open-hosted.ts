import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { systemClock } from "@skep/kit/clock.ts";
import type { Life } from "@skep/kit/lifecycle.ts";
import type { Log } from "@skep/kit/log.ts";
import { systemRandom } from "@skep/kit/random.ts";
import type { Publisher } from "../channel/publisher.ts";
import type { HostConfig } from "../config.ts";
import { createConnections } from "../database/connection.ts";
import { listenForWorkspaces } from "../data/listen.ts";
import { createServed } from "../data/served.ts";
import { dataServices } from "../data/services.ts";
import { createRedisSharing } from "../events/redis-sharing.ts";
import { createEventServer } from "../events/server.ts";
import { createFileHost } from "../files/file-host.ts";
import { fileRegionsOf } from "../files/regions.ts";
import type { ContainerFactory } from "../host/container.ts";
import { createShared } from "../resources/shared.ts";
import { createHostedContainers, type LoadRules } from "./hosted.ts";
import { createOrchestrator } from "./orchestrator.ts";
import { realParts, type Engines } from "./real-parts.ts";

/** What a host runs workspaces with. */
export interface HostedContainers {
  /** Where sockets and data are served. */
  readonly eventsPort: number;
  readonly factory: (loadRules: LoadRules) => ContainerFactory;
}

/**
 * Opens what the containers of a host share: the socket server, the clients and the publisher. All
 * of it ends with the process's life.
 */
export async function openHostedContainers(config: HostConfig, log: Log, life: Life): Promise<HostedContainers> {
  const workspaces = createServed();
  const listener = await listenForWorkspaces({ port: config.eventsPort, workspaces, routes: dataServices(), log });
  life.stack.defer(() => listener.close());
  const sharing = config.redisUrl === undefined ? undefined : createRedisSharing({ url: config.redisUrl });
  if (sharing !== undefined) life.stack.defer(() => sharing.close());
  const events = createEventServer({
    http: listener.sockets,
    cameFor: listener.cameFor,
    trustedProxies: listOf(config.trustedProxies),
    ...(sharing === undefined ? {} : { sharing }),
  });
  life.stack.defer(() => events.close());
  const files = openFiles(config, log, life);
  const ca = config.mqttCaFile === "" ? undefined : await readFile(config.mqttCaFile, "utf8");
  const engines: Engines = {
    mongoUrl: config.mongoUrl,
    connections: createConnections(),
    allowedDatabaseHosts: listOf(config.allowedDatabaseHosts),
    mqtt: {
      ...{ url: config.mqttUrl, username: config.mqttUsername, password: config.mqttPassword ?? "" },
      ...{ clientId: `skep-publisher-${randomBytes(6).toString("hex")}`, ...(ca === undefined ? {} : { ca }) },
    },
    publishers: createShared<Publisher>(publisher => publisher.close()),
    ...{ events, clock: systemClock, random: systemRandom, ...(files === undefined ? {} : { files }) },
  };
  const orchestrator = createOrchestrator({ clock: systemClock, log });
  life.stack.defer(() => orchestrator.close());
  log.info("events.listening", "Sockets and data are served.", { eventsPort: listener.port });
  return {
    eventsPort: listener.port,
    factory: loadRules =>
      createHostedContainers({
        ...{ clock: systemClock, random: systemRandom, log, loadRules, orchestrator, workspaces },
        messagesPerSecond: config.messagesPerSecond === 0 ? undefined : config.messagesPerSecond,
        factories: (rules, databasePool) => realParts(engines, rules, databasePool),
      }),
  };
}

function openFiles(config: HostConfig, log: Log, life: Life): Engines["files"] {
  const regions = fileRegionsOf(config);
  if (regions.length === 0) {
    log.warn("files.off", "No file storage is set, so workspaces have no files; set SKEP_S3_URL and its key.");
    return undefined;
  }
  const host = createFileHost({ regions });
  life.stack.defer(() => host.close());
  return { host, regions: regions.map(({ name }) => name) };
}

function listOf(text: string): readonly string[] {
  return text.split(",").flatMap(one => (one.trim() === "" ? [] : [one.trim()]));
}
