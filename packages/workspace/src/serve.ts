/// <reference lib="esnext.disposable" preserve="true" />
import { VERSION } from "@skep/api/gen/version.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { showConfig } from "@skep/kit/config.ts";
import { createHealthHandler, watchReadiness } from "@skep/kit/health.ts";
import { HTTP_LIMITS, listenHttp1 } from "@skep/kit/http-listener.ts";
import type { HostId } from "@skep/core/workspace/host.ts";
import type { Life } from "@skep/kit/lifecycle.ts";
import type { Log } from "@skep/kit/log.ts";
import { systemRandom } from "@skep/kit/random.ts";
import { randomBytes } from "node:crypto";
import { totalmem } from "node:os";
import { HOST_SETTINGS, type HostConfig } from "./config.ts";
import { createConnectApi } from "./host/connect-api.ts";
import type { HostedContainers } from "./container/open-hosted.ts";
import { createHost, type Host } from "./host/create-host.ts";
import { createLoadMeter } from "./host/load-meter.ts";
import { createWorkspaceLoads, type ProcessUsage } from "./host/workspace-loads.ts";
import { schedulersAt } from "./schedulers.ts";

/** How long a host that is told to end waits for its workspaces to be taken over. */
const DRAIN_MS = 6_000;

/**
 * Runs a host until the process is told to end: then it gives everything away, and what nobody took
 * in time is let go of.
 */
export async function serveHost(config: HostConfig, log: Log, life: Life, hosted: HostedContainers): Promise<void> {
  log.info("config.read", "The configuration is complete.", showConfig(HOST_SETTINGS, config));
  const { apiUrl, hostSecret } = config;
  const api = createConnectApi({ transports: schedulersAt(apiUrl), secret: hostSecret, clock: systemClock });
  let hostId: HostId = "";
  const host = createHost({
    ...{ clock: systemClock, log, random: systemRandom },
    containers: hosted.factory((workspaceId, signal) => api.loadRules(hostId, workspaceId, signal)),
    api: {
      ...api,
      enrol: async (identity, signal) => {
        const enrolled = await api.enrol(identity, signal);
        hostId = enrolled.hostId;
        return enrolled;
      },
    },
    newIdentity: () => randomBytes(32).toString("hex"),
    facts: {
      ...{ nodeId: config.nodeId, startedAt: Date.now(), version: VERSION, most: config.most },
      ...{ address: config.hostAddress, eventsPort: hosted.eventsPort },
      load: createLoadMeter(systemClock, memoryShare),
      loads: createWorkspaceLoads(systemClock, processUsage()),
    },
  });
  await listen(config, log, life, host);
  life.stack.defer(() => host.stop(DRAIN_MS));
  host.start();
}

/** What the process used of a core since it was asked last, and its memory; in per cent. */
function processUsage(): () => ProcessUsage {
  let [last, atMs] = [process.cpuUsage(), systemClock.monotonic()];
  return () => {
    const { user, system } = process.cpuUsage(last);
    const passedMs = Math.max(1, systemClock.monotonic() - atMs);
    [last, atMs] = [process.cpuUsage(), systemClock.monotonic()];
    return { cpu: Math.min(100, (user + system) / 10 / passedMs), memory: 100 * memoryShare() };
  };
}

/** Of what the container that this process is in may use. */
function memoryShare(): number {
  return process.memoryUsage.rss() / Math.min(process.constrainedMemory() || Infinity, totalmem());
}

async function listen(config: HostConfig, log: Log, life: Life, host: Host): Promise<void> {
  const ready = watchReadiness({
    schedulers: () => (host.isHeard() ? undefined : "no scheduler answers, so nothing is read"),
  });
  life.stack.defer(() => ready.close());
  const handle = createHealthHandler({ ready });
  const listener = await listenHttp1({ port: config.probePort, log, limits: HTTP_LIMITS }, (request, response) => {
    if (!handle(request, response)) response.writeHead(404).end();
  });
  life.stack.defer(() => listener.close(0));
  log.info("host.listening", "Health is served.", { probePort: listener.port });
}
