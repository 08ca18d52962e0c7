import type { Transport } from "@connectrpc/connect";
import { SkepError } from "@skep/core/error.ts";
import type { HostReport } from "@skep/core/workspace/host-report.ts";
import type { HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import { createConnectApi } from "@skep/workspace/host/connect-api.ts";
import { createHost, type Host } from "@skep/workspace/host/create-host.ts";
import type { HostApi } from "@skep/workspace/host/host-api.ts";
import type { Life } from "../life.ts";
import type { Platform } from "../platform.ts";
import { logOf } from "../processes.ts";
import { createServed, type ServedWorkspaces } from "@skep/workspace/data/served.ts";
import { containersOf, type Engines } from "./containers.ts";
import { peersOf } from "./peers.ts";
import { directTo } from "./direct.ts";

/** How the calls of one host travel. */
export interface HostWay {
  /** Nothing arrives at the schedulers. */
  isCut: boolean;
  /** Calls arrive, and their answers do not. */
  losesAnswers: boolean;
  /** What it is to run arrives so much later. */
  tellingMs: number;
  /** After each that comes, an older one comes once more. */
  isToldAgain: boolean;
  /** Share of calls that are lost on the way there, and as many on the way back. */
  drop: number;
  /** Calls take up to this long, each way. */
  delayMs: number;
  /** Nothing arrives at its broker. */
  isCutFromBroker: boolean;
  /** How long after that it notices. */
  noticesMs: number;
  /** How long it takes to let go of a workspace. */
  closeMs: number;
}

/** What a host is started with. */
export interface HostStart {
  readonly engines: Engines;
  readonly nodeId: string;
  /** The one workspace that it may run; `undefined` for a shared host. */
  readonly workspaceId: string | undefined;
  /** The process that has an address, of hosts that may have the other half of a workspace. */
  readonly processOf: (name: string, workspaceId: string) => SimHost | undefined;
}

/** A simulated host and its way to the schedulers. */
export interface SimHost {
  /** What of it is found from outside. */
  readonly workspaces: ServedWorkspaces;
  readonly host: Host;
  readonly way: HostWay;
  readonly life: Life;
}

/** Starts the real host with the real containers in a fresh life. */
export function startHost(platform: Platform, life: Life, given: HostStart): SimHost {
  const { engines, nodeId, workspaceId, processOf } = given;
  const workspaces = createServed();
  const way: HostWay = {
    ...{ isCut: false, losesAnswers: false, tellingMs: 0, isToldAgain: false, drop: 0, delayMs: 2 },
    ...{ isCutFromBroker: false, noticesMs: 0, closeMs: 20 },
  };
  const random = platform.random(`host ${life.name} ${platform.clock.now()}`);
  const log = logOf(platform, life);
  let identities = 0;
  const api = overWay(platform, life, way, workspaceId);
  const findPeer = peersOf(platform, life, way, processOf);
  const host = createHost({
    ...{ clock: life.clock, random, log, api },
    containers: containersOf(platform, { life, way, random, log, workspaces, findPeer }, engines),
    newIdentity: () => `${life.name} at ${platform.clock.now()} ${(identities += 1)}`.padEnd(40, "."),
    facts: {
      ...{ nodeId, startedAt: life.clock.now(), version: "simulated", most: 100 },
      ...{ address: life.name, eventsPort: 7_704 },
      load: () => ({ connections: 0, messagesPerSecond: 0, memoryShare: 0 }),
    },
  });
  host.start();
  return { host, way, life, workspaces };
}

/** The schedulers as one host reaches them: calls take their time and are lost either way. */
function overWay(platform: Platform, life: Life, way: HostWay, workspaceId: string | undefined): HostApi {
  const chance = platform.chance(`way of ${life.name} ${platform.clock.now()}`);
  const transports = platform.schedulers.map(name => directTo(platform, name));
  const api = createConnectApi({
    transports: transports as unknown as readonly [Transport, ...Transport[]],
    secret: undefined,
    clock: life.clock,
  });
  // What a process has sent is under way, whatever becomes of the process.
  const passes = async (clock: Pick<Life["clock"], "sleep">, extraMs = 0): Promise<void> => {
    await clock.sleep(1 + chance.between(0, way.delayMs) + extraMs);
    if (way.isCut || chance.happens(way.drop)) throw new SkepError("unavailable", "LOST", "The call was lost.");
  };
  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    await passes(platform.clock);
    const answer = await run();
    if (way.losesAnswers) await new Promise(() => undefined);
    await passes(life.clock);
    return answer;
  };
  let applied: HostReport | undefined;
  const judgeApplied = (report: HostReport): void => {
    const [before, now] = [applied?.applied, report.applied];
    if (applied?.hostId === report.hostId && before?.incarnation === now.incarnation && now.revision < before.revision)
      platform.violate(`${life.name} works by revision ${now.revision} after ${before.revision}: an older assignment`);
    applied = report;
  };
  return {
    // The secret that a pod's host shows says which workspace is its own.
    enrol: async (identity, signal) => ({ ...(await call(() => api.enrol(identity, signal))), workspaceId }),
    loadRules: (...args) => call(() => api.loadRules(...args)),
    report: (report, signal) => {
      judgeApplied(report);
      return call(() => api.report(report, signal));
    },
    attach: async function* (hostId, signal) {
      await passes(platform.clock);
      const told: HostAssignment[] = [];
      for await (const assignment of api.attach(hostId, signal)) {
        await passes(life.clock, way.tellingMs);
        yield assignment;
        if (way.isToldAgain && told.length > 0) yield chance.pick(told);
        told.push(assignment);
      }
    },
  };
}
