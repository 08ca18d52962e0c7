/// <reference lib="esnext.disposable" preserve="true" />
import { SERVICES } from "@skep/api/services.ts";
import { permissionOf } from "@skep/api/permissions.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { HostingChange } from "@skep/core/workspace/host.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createHandlers } from "@skep/scheduler/api/handlers.ts";
import { createTestPlatform, LEADER } from "@skep/scheduler/api/testing/platform.ts";
import { createHostTokens } from "@skep/scheduler/join/host-tokens.ts";
import { startServer } from "@skep/server/server.ts";
import { expect, it, vi } from "vitest";
import { readHostConfig } from "./config.ts";
import { createTestContainers } from "./host/testing/containers.ts";
import { serveHost } from "./serve.ts";

const SECRET = "the-secret-of-the-hosts";
const someone = { actor: "someone", idempotencyKey: undefined };

/** Real schedulers' handlers behind a real gate and port, and a host that dials them. */
async function setting(secret = SECRET) {
  const stack = new AsyncDisposableStack();
  const platform = createTestPlatform();
  const { authenticate } = createHostTokens({ store: platform.store, clock: systemClock, serviceSecret: SECRET });
  const log = createRecordingLog();
  const server = await startServer({
    ...{ port: 0, host: "127.0.0.1", services: SERVICES, log, ready: {}, auth: { authenticate, permissionOf } },
    routes: createHandlers(platform.deps),
  });
  stack.defer(() => server.close(500));
  const containers = createTestContainers(systemClock);
  const life = { stack: new AsyncDisposableStack(), signal: new AbortController().signal, stop: () => undefined };
  const config = readHostConfig({
    // The first one is none: nobody listens there.
    ...{ SKEP_URL: `http://127.0.0.1:1,http://127.0.0.1:${server.port}`, SKEP_HOST_SECRET: secret },
    ...{ SKEP_NODE_ID: "node-1", SKEP_PROBE_PORT: "0", SKEP_HOST_ADDRESS: "host-1.example" },
  });
  await serveHost(config, log, life, { eventsPort: 7_704, factory: () => containers });
  stack.use(life.stack);
  const probePort = log.lines.find(line => line.event === "host.listening")?.fields["probePort"] as number;
  const readiness = async (): Promise<number> => (await fetch(`http://127.0.0.1:${probePort}/readyz`)).status;
  return { stack, platform, containers, life, log, readiness };
}

it("enrols, reports, runs what it is given over HTTP/2, and gives it away as it ends", async () => {
  const { stack, platform, containers, life, log, readiness } = await setting();
  await using _ = stack;
  const { store } = platform;
  const hosts = async () => (await store.loadHosting()).hosts;
  await vi.waitFor(async () => expect(await hosts()).toMatchObject([{ nodeId: "node-1", most: 200 }]), 5_000);
  await vi.waitFor(async () => expect(await readiness()).toBe(200), 5_000);

  await store.createTenant(aTenant(), someone);
  const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "least-loaded" } as const;
  await store.createWorkspace({ ...wanted, connector: aConnector({ id: "fleet" }) }, someone, 0);
  const hostId = (await hosts())[0]!.id;
  const commit = async (change: HostingChange): Promise<void> => {
    const lease = await store.takeLease(...LEADER);
    await store.commitHosting({ changes: [change], silenced: new Map(), gone: [], lost: [] }, lease, 0);
    platform.deps.wake("it changed");
  };
  const of = { workspaceId: "fleet", epoch: 1, because: "" };
  await commit({ ...of, kind: "place", hostId, placement: 1 });
  await vi.waitFor(() => expect(containers.reading()).toEqual(["fleet@1"]), 5_000);

  const ending = life.stack.disposeAsync();
  await vi.waitFor(async () => expect(await hosts()).toMatchObject([{ availability: "drain" }]), 5_000);
  await commit({ ...of, kind: "stop" });
  await vi.waitFor(
    async () => expect((await store.loadHosting()).locations).toMatchObject([{ state: "stopped" }]),
    5_000,
  );
  await commit({ ...of, kind: "forget" });
  await ending;
  expect(containers.all.map(one => one.isClosed)).toEqual([true]);
  expect(JSON.stringify(log.lines)).not.toContain(SECRET);
});

it("is let in with no other secret, says so, and is not ready", async () => {
  const { stack, platform, log, readiness } = await setting("another-secret-than-theirs");
  await using _ = stack;
  const said = () => log.lines.filter(line => line.event === "loop.failed").map(line => line.fields["loop"]);
  await vi.waitFor(() => expect(said()).toEqual(["enrol"]), 5_000);
  expect(await readiness()).toBe(503);
  expect((await platform.store.loadHosting()).hosts).toEqual([]);
});
