/** What goes through a workspace. */
export type { DeadLetter, Message, MessageDocument, WorkspaceEvent } from "./message.ts";
/** What a container is made of. */
export type { Channel, Database, Events, Part, PartHealth, PartName, Processed, Rules } from "./parts.ts";
/** Sockets: a Socket.IO server with a namespace for each workspace. */
export { createEventServer, type EventServer, type EventServerOptions } from "./events/server.ts";
/** The events of one workspace there. */
export type { EventWorkspace, WorkspaceEvents } from "./events/workspace-events.ts";
/** Lets several hosts tell the events of one workspace. */
export { createRedisSharing, type RedisSharingOptions } from "./events/redis-sharing.ts";
/** A process that runs workspaces, and what it needs of them. */
export type { ContainerFactory, ReadLease, RunningContainer } from "./host/container.ts";
export { createHost, type Host, type HostDeps } from "./host/create-host.ts";
export { HOST_SETTINGS, readHostConfig, type HostConfig } from "./config.ts";
export { serveHost } from "./serve.ts";
/** What a database rejects with for documents that it can never store. */
export { UnstorableError } from "./unstorable.ts";
/** The database of a workspace, and the clients that databases share. */
export { createConnections, type Connections } from "./database/connection.ts";
export {
  openDatabase,
  type DatabaseChange,
  type DatabaseOptions,
  type WorkspaceDatabase,
} from "./database/database.ts";

/** A workspace in this process (R49..R73). */
export { Container, type ContainerPorts, type ContainerStats, type ContainerStatus } from "./container/container.ts";
/** How the parts of a container are made. */
export type { PartContext, PartFactories, ScalableDatabase } from "./container/factories.ts";
/** The parts of a container on real engines. */
export { realParts, type WorkspaceContent } from "./container/real-parts.ts";
/** Where those are, and what the containers of a process share of them. */
export { openEngines, type Engines, type EngineSettings } from "./container/engines.ts";
/** The containers of this process (R104..R106). */
export { MCS, SHARED, healthOf, manageContainer, type ContainerHealth } from "./container/registry.ts";
/** Effects, jobs and alerts (R97..R103). */
export { createOrchestrator, type Effect, type EffectData, type Orchestrator } from "./container/orchestrator.ts";
/** The channel of a workspace (R28..R31). */
export { openChannel, type ChannelOptions, type WorkspaceChannel } from "./channel/channel.ts";
/** Publishes to a broker. */
export { openPublisher, type Publisher, type PublisherSettings } from "./channel/publisher.ts";
/** Files: S3 buckets that the workspaces of a process share. */
export {
  createFileHost,
  DEFAULT_QUOTA,
  type FileHost,
  type FileHostOptions,
  type FileWorkspace,
} from "./files/file-host.ts";
/** The files of one workspace there. */
export type { FileInfo, FilePage, FileRange, ListRequest, UploadOptions, WorkspaceFiles } from "./files/files.ts";
/** Whether two databases have the same messages, which a move between modes asks. */
export { compareDatabases } from "./database/compare.ts";
/** What gives the keys of a database for that. */
export type { KeyPages, KeyWindow } from "./database/keys.ts";
/** Posts what rules say to addresses of the tenant. */
export { createWebhooks, type WebhookOptions, type Webhooks } from "./rules/webhook.ts";
/** Where they go. */
export type { WebhookTarget } from "./rules/webhook-posting.ts";
/** How they go, and what may be registered. */
export { createHttpPost, type HttpPost } from "./rules/webhook-post.ts";
export { webhookIssues } from "@skep/server/webhook-address.ts";
/** Resolves names that tenants give, and leads nobody inside. */
export { guardedLookup } from "./guarded-lookup.ts";
