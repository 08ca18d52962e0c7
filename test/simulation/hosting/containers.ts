import type { Log } from "@skep/kit/log.ts";
import type { Random } from "@skep/kit/random.ts";
import { openChannel, sessionOf, type WorkspaceChannel } from "@skep/workspace/channel/channel.ts";
import { leaveSession } from "@skep/workspace/channel/leave-session.ts";
import type { PartContext, PartFactories } from "@skep/workspace/container/factories.ts";
import { createHostedContainers } from "@skep/workspace/container/hosted.ts";
import { createOrchestrator, type Orchestrator } from "@skep/workspace/container/orchestrator.ts";
import type { ServedWorkspaces } from "@skep/workspace/data/served.ts";
import type { ContainerFactory } from "@skep/workspace/host/container.ts";
import type { Events } from "@skep/workspace/parts.ts";
import type { FindPeer } from "@skep/workspace/move/peer.ts";
import { createRules } from "@skep/workspace/rules/rules.ts";
import type { Life } from "../life.ts";
import type { Platform } from "../platform.ts";
import type { SimBroker } from "./broker.ts";
import type { SimDatabases } from "./databases.ts";
import type { HostRule, Reader } from "./host-rule.ts";
import type { HostWay } from "./hosts.ts";

/** What the containers of a host work on. */
export interface Engines {
  readonly broker: SimBroker;
  readonly databases: SimDatabases;
  readonly rule: HostRule;
}

/** A process of a host, as its containers see it. */
export interface HostProcess {
  readonly life: Life;
  readonly way: HostWay;
  readonly random: Random;
  readonly log: Log;
  readonly workspaces: ServedWorkspaces;
  readonly findPeer: FindPeer;
}

/** The real containers, on engines in memory. */
export function containersOf(platform: Platform, process: HostProcess, engines: Engines): ContainerFactory {
  const { life, random, log, workspaces, findPeer } = process;
  const { rule } = engines;
  const orchestrator: Orchestrator = createOrchestrator({ clock: life.clock, log });
  return {
    start: async (workspace, lease) => {
      const { id: workspaceId, epoch } = workspace;
      const madeAt = platform.database.records.workspaces.get(workspaceId)?.createdAt ?? 0;
      const reader: Reader = {
        ...{ life, workspaceId, epoch, madeAt },
        mayRead: () => lease.mayRead(),
      };
      rule.begins(reader);
      const containers = createHostedContainers({
        ...{ clock: life.clock, random, log, orchestrator, workspaces, findPeer, messagesPerSecond: undefined },
        loadRules: () => Promise.reject(new Error("nobody makes rules here")),
        removeData: () => Promise.resolve(),
        factories: () => partsOf(platform, process, engines, reader),
        // Many hosts are one process here.
        register: () => undefined,
      });
      try {
        const container = await containers.start(workspace, lease);
        const close = async (): Promise<void> => {
          await container.close();
          rule.ends(reader);
        };
        return { ...boundTo(container), close };
      } catch (error) {
        rule.ends(reader);
        throw error;
      }
    },
  };
}

type Running = Awaited<ReturnType<ContainerFactory["start"]>>;

function boundTo(one: Running): Omit<Running, "close"> {
  return {
    update: workspace => one.update(workspace),
    isHealthy: () => one.isHealthy(),
    lastError: () => one.lastError(),
    counts: () => one.counts(),
    move: () => one.move?.(),
  };
}

function partsOf(platform: Platform, process: HostProcess, engines: Engines, reader: Reader): PartFactories {
  const { life } = process;
  return {
    database: () => {
      const stores = (): void => engines.rule.reads(reader, "stores messages");
      return Promise.resolve(engines.databases.open(reader.workspaceId, life, stores));
    },
    files: () => Promise.resolve(undefined),
    channel: context => channelOf(platform, process, engines, reader, context),
    subscribe: async () => {
      const { broker } = engines;
      const { workspaceId } = reader;
      const quiet = (): void => undefined;
      await leaveSession(sessionOf({ workspaceId, ...BROKER }), life.clock, (_settings, _clock, events) =>
        broker.connect(workspaceId, { life, way: process.way, events }, quiet),
      );
    },
    rules: ({ connector, mayRead }, actions) =>
      Promise.resolve(
        createRules(
          { workspaceId: connector.id, clock: life.clock, actions, mostDevices: 10, mayRead },
          { rules: [], schemas: new Map() },
        ),
      ),
    events: () => Promise.resolve(NOBODY_LISTENS),
  };
}

/** The real channel, whose connections lead to the broker in memory. */
async function channelOf(
  platform: Platform,
  { life, way, random }: HostProcess,
  { broker, databases, rule }: Engines,
  reader: Reader,
  { mayRead }: PartContext,
): Promise<WorkspaceChannel> {
  const { workspaceId } = reader;
  return openChannel({
    ...{ workspaceId, ...BROKER },
    publisher: { publish: () => Promise.resolve(), isConnected: () => true, lastError: () => "" },
    // The slowest part of a container's end.
    release: () => life.clock.sleep(way.closeMs),
    ...{ mayRead, clock: life.clock, random },
    connect: (_settings, _clock, events) => {
      rule.reads(reader, "connects to the broker");
      return broker.connect(workspaceId, { life, way, events }, messages => {
        rule.reads(reader, `acknowledges ${messages.map(one => one.number).join(",")}`);
        const lost = messages.find(one => databases.count(workspaceId, one.number) === 0);
        if (lost !== undefined)
          platform.violate(`${life.name} acknowledges ${lost.number} of ${workspaceId}, which is not stored`);
      });
    },
  });
}

const BROKER = { url: "mqtt://broker", username: "host", password: "", batch: 1_000 } as const;

const NOBODY_LISTENS: Events = {
  emit: () => undefined,
  setLimits: () => undefined,
  health: () => ({ isConnected: true, lastError: "" }),
  counts: () => ({}),
  close: () => Promise.resolve(),
};
