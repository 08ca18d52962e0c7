import { setTimeout as sleep } from "node:timers/promises";
import { startDeviceFleet, storedNumbers } from "../support/device-fleet.ts";
import type { SentDevice } from "../support/device-fleet-process.ts";
import { eventually } from "../support/eventually.ts";
import { startWorkspaceFleet, type HostProcess, type WorkspaceFleet } from "../support/workspace-fleet.ts";
import type { Measurement } from "./measurement.ts";
import { duration, type Result } from "./result.ts";
import { median, quantile } from "./statistics.ts";

const GOAL_MS = 5_000;
/** A host that is silent reads nothing more after so long, and is not followed before. */
const LEASE_MS = 3_500;
const WORKSPACES = 20;
const DEVICES_EACH = 50;
const EVERY_MS = 1_000;
const LOOK_MS = 100;
const LONGEST_MS = 60_000;

/** From the death of a host until the next message of each of its workspaces is stored. */
export const p17: Measurement = {
  name: "P17",
  title: "host killed under load: each workspace's next message stored on another host",
  run: async bench => {
    const fleet = await startWorkspaceFleet({ hosts: 0, autosaveSeconds: 30 });
    bench.defer("the fleet of workspaces", () => fleet.close());
    const hosts = new Map<string, HostProcess>();
    for (let count = 0; count < 2; count += 1) await addHost(fleet, hosts);
    const ids = Array.from({ length: WORKSPACES }, (_, index) => `w${index}`);
    const devices: SentDevice[] = [];
    for (const id of ids) {
      await fleet.createWorkspace(id);
      devices.push(...(await fleet.createDevices(id, DEVICES_EACH)));
    }
    const sending = await startDeviceFleet(fleet.gatePort, devices, EVERY_MS);
    bench.defer("devices", async () => sending.kill());
    const took: number[] = [];
    const placed: number[] = [];
    const connected: number[] = [];
    for (let round = 0; round < bench.rounds(4); round += 1) {
      await sending.goesOn(3 * devices.length);
      for (const one of await killOne(fleet, hosts, ids)) {
        took.push(one.storedMs);
        placed.push(one.placedMs);
        connected.push(one.connectedMs);
      }
      await addHost(fleet, hosts);
    }
    await sending.goesOn(2 * devices.length);
    const { acknowledged } = await sending.end();
    const { missing, doubled, documents } = await whole(fleet, ids, devices, acknowledged);
    const [placedMs, connectedMs, storedMs] = [placed, connected, took].map(all => duration(median(all)));
    bench.say(
      `${took.length} workspaces lost their host; p50: placed anew after ${placedMs}, connected after ${connectedMs}, stored after ${storedMs}`,
    );
    bench.say(`${documents} messages stored; missing ${missing}, doubled ${doubled}`);
    return judge(took, missing, doubled);
  },
};

async function addHost(fleet: WorkspaceFleet, hosts: Map<string, HostProcess>): Promise<void> {
  const host = await fleet.startHost();
  const [, id = ""] = /"hostId":"([^"]+)"/.exec(host.child.output()) ?? [];
  hosts.set(id, host);
}

/**
 * When all were at another host, when one of them was connected to its database and the broker, and
 * when a message of it was stored, ms after the death.
 */
interface Followed {
  readonly placedMs: number;
  readonly connectedMs: number;
  readonly storedMs: number;
}

/** Kills the host that has most workspaces. Answers for each of them after how long it goes on. */
async function killOne(
  fleet: WorkspaceFleet,
  hosts: Map<string, HostProcess>,
  ids: readonly string[],
): Promise<readonly Followed[]> {
  const of = new Map<string, string[]>();
  for (const workspaceId of ids) {
    const { workspace } = await fleet.client.workspaces.getWorkspace({ workspaceId });
    const hostId = workspace?.location?.hostId ?? "";
    of.set(hostId, [...(of.get(hostId) ?? []), workspaceId]);
  }
  const [[hostId, concerned] = ["", []]] = [...of].toSorted((a, b) => b[1].length - a[1].length);
  hosts.get(hostId)?.child.process.kill("SIGKILL");
  hosts.delete(hostId);
  // What the dead one has sent to the database is there by then, and nobody else reads yet.
  const from = performance.now();
  const killedAt = Date.now();
  const since = new Date(killedAt + 500);
  // Nothing can be stored before: to ask until then would only be load.
  const placedMs = await placedAnew(fleet, new Set(concerned), hostId, from);
  return Promise.all(
    concerned.map(async id => {
      const messages = fleet.databaseOf(id).collection("messages", { readConcern: { level: "majority" } });
      const isFound = async (): Promise<boolean> =>
        (await messages.findOne({ at: { $gt: since } }, { projection: { _id: 1 } })) !== null;
      const storedMs = await until(from, isFound);
      return { placedMs, connectedMs: connectedAt(hosts, id, killedAt) - killedAt, storedMs };
    }),
  );
}

/** When the host of a workspace said that it is connected, after that time; NaN where none did. */
function connectedAt(hosts: ReadonlyMap<string, HostProcess>, workspaceId: string, after: number): number {
  const isIt = (line: string): boolean =>
    line.includes('"container.status"') && line.includes(`"${workspaceId}"`) && line.includes('"ACTIVE"');
  const lines = [...hosts.values()].flatMap(({ child }) => child.output().split("\n").filter(isIt));
  const times = lines.map(line => Number(/"time":(\d+)/.exec(line)?.[1]));
  return times.find(time => time >= after) ?? NaN;
}

/** When all of these were at another host, ms after `from`. */
function placedAnew(fleet: WorkspaceFleet, ids: ReadonlySet<string>, hostId: string, from: number): Promise<number> {
  return until(from, async () => {
    const { workspaces } = await fleet.client.workspaces.listWorkspaces({ tenantId: "default", pageSize: 500 });
    return workspaces.every(({ id, location }) => !ids.has(id) || ![undefined, hostId].includes(location?.hostId));
  });
}

/** When it was first so, ms after `from`; asked seldom enough to be no load of its own. */
async function until(from: number, isSo: () => Promise<boolean>): Promise<number> {
  while (!(await isSo())) {
    if (performance.now() - from > LONGEST_MS) throw new Error("a workspace does not go on");
    await sleep(LOOK_MS);
  }
  return performance.now() - from;
}

interface Whole {
  readonly documents: number;
  readonly missing: number;
  readonly doubled: number;
}

async function whole(
  fleet: WorkspaceFleet,
  ids: readonly string[],
  devices: readonly SentDevice[],
  acknowledged: readonly number[],
): Promise<Whole> {
  async function look(): Promise<Whole> {
    const total = { documents: 0, missing: 0, doubled: 0 };
    for (const [index, id] of ids.entries()) {
      const [from, to] = [index * DEVICES_EACH, (index + 1) * DEVICES_EACH];
      const stored = await storedNumbers(fleet.databaseOf(id), devices.slice(from, to), acknowledged.slice(from, to));
      total.documents += stored.documents;
      total.missing += stored.missing;
      total.doubled += stored.doubled;
    }
    return total;
  }
  return eventually(async () => {
    const seen = await look();
    if (seen.missing > 0) throw new Error(`${seen.missing} messages are not stored yet`);
    return seen;
  }, LONGEST_MS).catch(look);
}

function judge(took: readonly number[], missing: number, doubled: number): Result {
  const p99 = quantile(took, 0.99);
  const holds = p99 <= GOAL_MS && missing === 0 && doubled === 0;
  return {
    value: `p99:${duration(p99)},missing:${missing},doubled:${doubled}`,
    baseline: `lease:${duration(LEASE_MS)}`,
    ratio: p99 / LEASE_MS,
    goal: "p99<=5s,missing=0,doubled=0",
    holds,
    because: holds
      ? undefined
      : "Nobody may follow before the lease of the dead host has ended; what comes after it is the leader's look, the begin of a container (MongoDB, MQTT), and what waits at the broker.",
  };
}
