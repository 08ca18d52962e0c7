import { aConnector } from "@skep/core/testing/connector.ts";
import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createServed } from "../data/served.ts";
import { createRules } from "../rules/rules.ts";
import { createTwinDatabase } from "../testing/twin-database.ts";
import type { PartContext, PartFactories } from "./factories.ts";
import { createHostedContainers, type HostedOptions } from "./hosted.ts";
import { createOrchestrator } from "./orchestrator.ts";

const workspace = (over: Partial<AssignedWorkspace> = {}): AssignedWorkspace => ({
  ...{ id: "fleet", epoch: 3, desired: "run", connector: aConnector({ id: "fleet" }), version: 1, restarts: 0 },
  ...{ databasePool: 10, rulesVersion: 0, ...over },
});

/** A host of twins, and what it did in its order. */
function host(over: Partial<HostedOptions> = {}, database: object = {}) {
  const clock = createVirtualClock(1_000);
  const log = createRecordingLog();
  const did: string[] = [];
  const contexts: PartContext[] = [];
  const twin = createTwinDatabase();
  const part = (name: string) => ({
    health: () => ({ isConnected: true, lastError: "" }),
    counts: () => ({}),
    close: async () => void did.push(`close ${name}`),
  });
  const factories: PartFactories = {
    database: async context => {
      did.push("open database");
      contexts.push(context);
      return { ...part("database"), ...twin, setDatabase: async () => undefined, ...database } as never;
    },
    channel: async () => ({
      ...part("channel"),
      ...{
        acknowledge: () => undefined,
        isCurrent: () => true,
        pause: () => undefined,
        publish: async () => undefined,
        begin: () => undefined,
      },
    }),
    files: async () => undefined,
    subscribe: async () => void did.push("subscribe"),
    rules: async ({ connector: { id } }, actions) => {
      const made = createRules(
        { workspaceId: id, clock, actions, mostDevices: 10, mayRead: () => true },
        { schemas: new Map(), rules: [] },
      );
      return { ...made, set: rules => (did.push("set rules"), made.set(rules)) };
    },
    events: async () => ({ ...part("events"), emit: () => undefined, setLimits: () => undefined }),
  };
  const workspaces = createServed();
  const containers = createHostedContainers({
    ...{ clock, log, random: () => 0.5, workspaces, messagesPerSecond: undefined, register: () => undefined },
    loadRules: async () => {
      did.push("load rules");
      return { rulesVersion: 2, records: [], webhooks: new Map() };
    },
    orchestrator: createOrchestrator({ clock, log }),
    removeData: async () => void did.push("remove data"),
    factories: () => factories,
    ...over,
  });
  const start = (wanted: Partial<AssignedWorkspace> = {}) =>
    containers.start(workspace(wanted), { mayRead: () => true, changed: () => undefined });
  return { did, contexts, workspaces, start };
}

it("removes the data of a dropped workspace, and runs nothing of it", async () => {
  const { did, start } = host();
  const removed = await start({ removesData: true });
  expect([did, removed.counts()]).toEqual([["remove data"], { "data.removed": 1 }]);
});

it("opens no channel for a half that stands by", async () => {
  const { did, start } = host();
  const standby = await start({ role: "standby" });
  await standby.close();
  expect(did.filter(one => one.includes("channel"))).toEqual([]);
  expect(did[0]).toBe("open database");
});

it("begins anew where a restart was asked for, and not once it is to end", async () => {
  const { did, start } = host();
  const opened = (): number => did.filter(one => one === "open database").length;
  const container = await start();
  await container.update(workspace({ restarts: 1 }));
  expect(opened()).toBe(2);
  const updating = container.update(workspace({ restarts: 2 }));
  await container.close();
  await updating;
  expect(opened()).toBe(2);
});

it("asks for rules where there are newer ones, and gives them to who applies them once", async () => {
  const { did, start } = host();
  const container = await start();
  await container.update(workspace({ databasePool: 11 }));
  expect(did).toEqual(["open database"]);
  await container.update(workspace({ rulesVersion: 2 }));
  await container.update(workspace({ rulesVersion: 2, databasePool: 12 }));
  expect(did).toEqual(["open database", "load rules", "set rules"]);
  await container.close();
});

it("is found from outside where its database can be asked, until it ends", async () => {
  const blind = host();
  await (await blind.start()).close();
  const twin = await blind.start();
  expect(blind.workspaces.get("fleet")).toBeUndefined();
  const { workspaces, start } = host({}, { messages: {} });
  const container = await start();
  expect(workspaces.get("fleet")).toMatchObject({ id: "fleet", epoch: 3 });
  await Promise.all([container.close(), twin.close()]);
  expect(workspaces.get("fleet")).toBeUndefined();
});

it.each([
  ["a shared one whose record says nothing has the host's bound", 5, workspace(), 5],
  ["one whose record says something has that", 5, withSpecs({ messagesPerSecond: 9 }), 9],
  ["one that has its host to itself has none", 5, withSpecs({}, "standalone"), undefined],
  ["where the host has none there is none", undefined, workspace(), undefined],
] as const)("of messages a second %s (R17)", async (_, messagesPerSecond, wanted, bound) => {
  const { contexts, start } = host({ messagesPerSecond });
  await (await start(wanted)).close();
  expect(contexts[0]?.connector.config.resources.specs.messagesPerSecond).toBe(bound);
});

function withSpecs(specs: { readonly messagesPerSecond?: number }, mode: "shared" | "standalone" = "shared") {
  return workspace({ connector: aConnector({ id: "fleet" }, {}, specs, mode) });
}
