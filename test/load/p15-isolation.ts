import { setTimeout as sleep } from "node:timers/promises";
import { io, type Socket } from "socket.io-client";
import { aConnector } from "@skep/core/testing/connector.ts";
import { startDeviceFleet, storedNumbers, type DeviceFleet } from "../support/device-fleet.ts";
import { eventually } from "../support/eventually.ts";
import { startWorkspaceFleet } from "../support/workspace-fleet.ts";
import type { Measurement } from "./measurement.ts";
import { duration, significant, type Result } from "./result.ts";
import { median, quantile } from "./statistics.ts";

const GOAL = 1.5;
/** The tenant that is measured: so many devices, each at this pace. */
const QUIET = { devices: 50, everyMs: 250 };
/** What its neighbour may store in a second, and what its devices send. */
const LIMIT = 200;
const LOUD = { devices: 500, everyMs: 250 };
const ROUND_MS = 15_000;
/** What waits at the broker after a round goes on for a while, and is the neighbour's load too. */
const PAUSE_MS = 2_000;
const SECRET = "sk_live_0123456789";

/** A tenant's time from publish to socket, alone and beside one that sends ten times its limit. */
export const p15: Measurement = {
  name: "P15",
  title: "publish to socket, beside a neighbour at ten times its limit",
  run: async bench => {
    const fleet = await startWorkspaceFleet({ autosaveSeconds: 30 });
    bench.defer("the fleet of workspaces", () => fleet.close());
    const limits = { sockets: 10, events: 1_000, channels: 10 };
    const quiet = aConnector({}, { ratelimits: limits }, { ratelimits: limits });
    await fleet.createWorkspace("quiet", { access: quiet.access, config: quiet.config });
    const loud = aConnector({}, {}, { messagesPerSecond: LIMIT });
    await fleet.createWorkspace("loud", { config: loud.config });
    const quietDevices = await fleet.createDevices("quiet", QUIET.devices);
    const loudDevices = await fleet.createDevices("loud", LOUD.devices);
    const ear = await listen(fleet.hosts[0]?.eventsPort ?? 0);
    bench.defer("socket", async () => void ear.socket.disconnect());
    const sending = await startDeviceFleet(fleet.gatePort, quietDevices, QUIET.everyMs);
    bench.defer("devices", async () => sending.kill());
    await sending.goesOn(10 * QUIET.devices);

    const alone: number[] = [];
    const beside: number[] = [];
    let neighbours = 0;
    for (let round = 0; round < bench.rounds(4); round += 1) {
      alone.push(await ear.p99For(ROUND_MS));
      const neighbour = await startDeviceFleet(fleet.gatePort, loudDevices, LOUD.everyMs);
      try {
        await sleep(PAUSE_MS);
        const before = await published(neighbour);
        beside.push(await ear.p99For(ROUND_MS));
        neighbours += ((await published(neighbour)) - before) / (ROUND_MS / 1_000);
      } finally {
        neighbour.kill();
      }
      await sleep(PAUSE_MS);
    }
    const { acknowledged } = await sending.end();
    const stored = await eventually(async () => {
      const found = await storedNumbers(fleet.databaseOf("quiet"), quietDevices, acknowledged);
      if (found.missing > 0) throw new Error(`${found.missing} messages are not stored yet`);
      return found;
    });
    await sleep(PAUSE_MS);
    const unheard = stored.documents - ear.heard();
    bench.say(`alone p99 ${alone.map(duration).join(", ")}; beside ${beside.map(duration).join(", ")}`);
    bench.say(`the neighbour sent ${significant(neighbours / alone.length)}/s, and may store ${LIMIT}/s`);
    bench.say(`${stored.documents} messages stored, ${stored.doubled} doubled; events not heard: ${unheard}`);
    return judge(alone, beside, stored.missing + stored.doubled + unheard + ear.lost());
  },
};

async function published(devices: DeviceFleet): Promise<number> {
  return (await devices.count()).acknowledged.reduce((all, one) => all + one, 0);
}

interface Ear {
  readonly socket: Socket;
  /** The p99 of what is heard from now on, for so long. */
  p99For(ms: number): Promise<number>;
  heard(): number;
  lost(): number;
}

async function listen(port: number): Promise<Ear> {
  const socket = io(`http://127.0.0.1:${port}/ws/quiet`, {
    path: "/ws/quiet/socket.io",
    transports: ["websocket"],
    auth: { secret: SECRET },
  });
  const waits: number[] = [];
  let heard = 0;
  let lost = 0;
  socket.on("event", ({ data }: { readonly data: { readonly sentAt: number } }) => {
    heard += 1;
    waits.push(Date.now() - data.sentAt);
  });
  socket.on("lost", ({ count = 1 }: { readonly count?: number }) => void (lost += count));
  await eventually(() => {
    if (!socket.connected) throw new Error("the socket is not connected");
  });
  const answer = await socket.emitWithAck("subscribe", { filters: ["devices/+/telemetry/#"] });
  if (answer.ok !== true) throw new Error(`the socket may not subscribe: ${JSON.stringify(answer)}`);
  return {
    socket,
    p99For: async ms => {
      waits.length = 0;
      await sleep(ms);
      return quantile(waits, 0.99);
    },
    heard: () => heard,
    lost: () => lost,
  };
}

function judge(alone: readonly number[], beside: readonly number[], lost: number): Result {
  const ratio = median(beside) / median(alone);
  const holds = ratio <= GOAL && lost === 0;
  return {
    value: `p99:${duration(median(beside))},lost:${lost}`,
    baseline: `alone-p99:${duration(median(alone))}`,
    ratio,
    goal: `<=${GOAL},lost=0`,
    holds,
    because: holds
      ? undefined
      : "Devices, gate, broker, host and database of both tenants share the cores of this machine, and the gate lets a tenant publish beyond what it may store.",
  };
}
