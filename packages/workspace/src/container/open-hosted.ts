import { readFile } from "node:fs/promises";
import { systemClock } from "@skep/kit/clock.ts";
import type { Life } from "@skep/kit/lifecycle.ts";
import type { Log } from "@skep/kit/log.ts";
import { systemRandom } from "@skep/kit/random.ts";
import type { HostConfig } from "../config.ts";
import { createJournal, type Journal } from "../data/journal.ts";
import { listenForWorkspaces } from "../data/listen.ts";
import { createServed } from "../data/served.ts";
import { dataServices } from "../data/services.ts";
import { createRedisSharing } from "../events/redis-sharing.ts";
import { createEventServer } from "../events/server.ts";
import { fileRegionsOf } from "../files/regions.ts";
import type { ContainerFactory } from "../host/container.ts";
import { createFindPeer } from "../move/peer.ts";
import { createHostedContainers, type LoadRules } from "./hosted.ts";
import { createOrchestrator } from "./orchestrator.ts";
import { openEngines, type EngineSettings } from "./engines.ts";
import { realParts } from "./real-parts.ts";
import { removeData } from "./remove-data.ts";

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
export async function openHostedContainers(
  config: HostConfig,
  log: Log,
  life: Life,
  journal: Journal = createJournal(log, Date.now),
): Promise<HostedContainers> {
  const workspaces = createServed();
  const routes = dataServices({ clock: systemClock, journal });
  const listener = await listenForWorkspaces({ port: config.eventsPort, workspaces, routes, log });
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
  const engines = openEngines({ ...(await engineSettings(config, log)), events });
  life.stack.defer(() => engines.close());
  const orchestrator = createOrchestrator({ clock: systemClock, log });
  life.stack.defer(() => orchestrator.close());
  log.info("events.listening", "Sockets and data are served.", { eventsPort: listener.port });
  return {
    eventsPort: listener.port,
    factory: loadRules =>
      createHostedContainers({
        ...{ clock: systemClock, random: systemRandom, log, loadRules, orchestrator, workspaces },
        findPeer: createFindPeer(systemClock),
        messagesPerSecond: config.messagesPerSecond === 0 ? undefined : config.messagesPerSecond,
        factories: content => realParts(engines, content),
        removeData: (connector, lease) => removeData(engines, connector, lease),
      }),
  };
}

async function engineSettings(config: HostConfig, log: Log): Promise<Omit<EngineSettings, "events">> {
  const { mongoUrl, mqttUrl, mqttUsername, mqttPassword, mqttCaFile } = config;
  const fileRegions = fileRegionsOf(config);
  if (fileRegions.length === 0)
    log.warn("files.off", "No file storage is set, so workspaces have no files; set SKEP_S3_URL and its key.");
  return {
    ...{ mongoUrl, mqttUrl, mqttUsername, fileRegions },
    ...(mqttPassword === undefined ? {} : { mqttPassword }),
    ...(mqttCaFile === "" ? {} : { mqttCa: await readFile(mqttCaFile, "utf8") }),
    allowedDatabaseHosts: listOf(config.allowedDatabaseHosts),
    allowedWebhookHosts: listOf(config.allowedWebhookHosts),
  };
}

function listOf(text: string): readonly string[] {
  return text.split(",").flatMap(one => (one.trim() === "" ? [] : [one.trim()]));
}
