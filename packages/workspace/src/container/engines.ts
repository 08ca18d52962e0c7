import { randomBytes } from "node:crypto";
import { systemClock, type Clock } from "@skep/kit/clock.ts";
import { systemRandom, type Random } from "@skep/kit/random.ts";
import { writeToStream } from "mqtt-packet";
import { openPublisher, type Publisher, type PublisherSettings } from "../channel/publisher.ts";
import { createConnections, type Connections } from "../database/connection.ts";
import type { EventServer } from "../events/server.ts";
import type { FileRegion } from "../files/bucket.ts";
import { createFileHost, type FileHost } from "../files/file-host.ts";
import { guardedLookup } from "../guarded-lookup.ts";
import { createShared, type Shared } from "../resources/shared.ts";
import { createHttpPost, type Post } from "../rules/webhook-post.ts";

/** Where the engines of a process are. */
export interface EngineSettings {
  readonly mongoUrl: string;
  /** Hosts inside that a tenant's own database or S3 server may be on. */
  readonly allowedDatabaseHosts?: readonly string[];
  readonly mqttUrl: string;
  /** As whom messages are read and published; nobody by default. */
  readonly mqttUsername?: string;
  readonly mqttPassword?: string;
  /** Certificates that are trusted there instead of the machine's, PEM. */
  readonly mqttCa?: string;
  /** Sockets are told by it; it stays its owner's. */
  readonly events: EventServer;
  /** Where files are; without one there are none. */
  readonly fileRegions?: readonly FileRegion[];
  /** Hosts of the platform's own network that webhooks may go to, also by plain HTTP. */
  readonly allowedWebhookHosts?: readonly string[];
}

/** The engines of a process, and what its containers share of them. */
export interface Engines {
  readonly mongoUrl: string;
  readonly connections: Connections;
  readonly allowedDatabaseHosts: readonly string[];
  /** The broker; its client id is the publisher's, which all containers share. */
  readonly mqtt: PublisherSettings;
  readonly publishers: Shared<Publisher>;
  readonly events: EventServer;
  /** Absent where there is no file storage; each file is in all of these regions. */
  readonly files?: { readonly host: FileHost; readonly regions: readonly string[] };
  readonly webhooks: { readonly post: Post; readonly allowedHosts: readonly string[] };
  readonly clock: Clock;
  readonly random: Random;
  /** Ends what no container holds; they are to be dropped before. */
  close(): Promise<void>;
}

/** Makes them. Nothing is connected before a container needs it. */
export function openEngines(settings: EngineSettings): Engines {
  const { mongoUrl, mqttUrl, mqttUsername = "", mqttPassword = "", mqttCa, events } = settings;
  const { allowedDatabaseHosts = [], fileRegions = [], allowedWebhookHosts = [] } = settings;
  // Else the first packet builds a table of all numbers of 16 bits: 12 MB, and 30 ms as the first
  // workspace is begun.
  writeToStream.cacheNumbers = false;
  const files = fileRegions.length === 0 ? undefined : createFileHost({ regions: fileRegions });
  const http = createHttpPost(guardedLookup(allowedWebhookHosts));
  return {
    ...{ mongoUrl, allowedDatabaseHosts, events, connections: createConnections() },
    mqtt: {
      ...{ url: mqttUrl, username: mqttUsername, password: mqttPassword },
      ...{
        clientId: `skep-publisher-${randomBytes(6).toString("hex")}`,
        ...(mqttCa === undefined ? {} : { ca: mqttCa }),
      },
    },
    publishers: createShared<Publisher>(publisher => publisher.close()),
    ...(files === undefined ? {} : { files: { host: files, regions: fileRegions.map(({ name }) => name) } }),
    webhooks: { post: http.post, allowedHosts: allowedWebhookHosts },
    ...{ clock: systemClock, random: systemRandom },
    close: async () => {
      http.close();
      await files?.close();
    },
  };
}

/** The connection that publishes, which the containers of a process share. */
export function acquirePublisher({ publishers, mqtt }: Engines): ReturnType<Shared<Publisher>["acquire"]> {
  return publishers.acquire("broker", async () => openPublisher(mqtt));
}
