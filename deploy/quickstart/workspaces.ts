import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { WorkspaceState } from "@skep/sdk/index.ts";
import type { Cluster } from "./cluster.ts";
import { simulateDevice, type DeviceLogin, type SimulatedDevice } from "./device.ts";
import type { Steps } from "./steps.ts";

/** A workspace of the quick start, and what is connected to it. */
export interface SampleWorkspace {
  readonly id: string;
  readonly mode: Mode;
  /** Simulated devices of this process; none where it is only shown. */
  readonly devices: readonly SimulatedDevice[];
  /** A device for the person to be. */
  readonly yours: DeviceLogin;
  /** File (0600) with that device's secret. */
  readonly secretFile: string;
}

type Mode = "shared" | "standalone";

const SAMPLES: readonly { readonly id: string; readonly mode: Mode }[] = [
  { id: "fleet", mode: "shared" },
  { id: "plant", mode: "standalone" },
];
const SENDING = ["car-1", "car-2", "car-3"];
const YOURS = "yours";
const EVERY_MS = 1_000;
const READY_MS = 120_000;

/** A workspace that begins, and its devices: the person's first. */
interface Created {
  readonly id: string;
  readonly mode: Mode;
  readonly logins: readonly DeviceLogin[];
}

/** Creates workspaces with devices, as `skep workspace create` and `skep device add` would. */
export function createWorkspaces(cluster: Cluster, steps: Steps): Promise<readonly Created[]> {
  return steps.run("Workspaces and their devices", async detail => {
    const created: Created[] = [];
    for (const { id, mode } of SAMPLES) {
      detail(id);
      await ensureWorkspace(cluster, id, mode);
      created.push({ id, mode, logins: await ensureDevices(cluster, id) });
    }
    return created;
  });
}

/**
 * Has devices of this process send to workspaces. Resolves once each of them has been told that a
 * message is kept.
 */
export function sendMessages(
  cluster: Cluster,
  steps: Steps,
  created: readonly Created[],
): Promise<readonly SampleWorkspace[]> {
  return steps.run("First messages of their devices, acknowledged", async detail => {
    const sending: SampleWorkspace[] = [];
    for (const { id, mode, logins } of created) {
      detail(id);
      const [yours, ...others] = logins;
      if (yours === undefined) throw new Error(`Workspace ${id} has no devices.`);
      const secretFile = join(dirname(cluster.tokenFile), `${id}-device-secret`);
      await writeFile(secretFile, yours.secret, { mode: 0o600 });
      await untilRead(cluster, id);
      const devices = others.map(login => simulateDevice("127.0.0.1", cluster.mqttPort, login, EVERY_MS));
      await untilAcknowledged(id, devices);
      sending.push({ id, mode, devices, yours, secretFile });
    }
    return sending;
  });
}

/** One of an earlier start stays as it is. Its secret is of no use here: devices have their own. */
async function ensureWorkspace({ client }: Cluster, id: string, mode: Mode): Promise<void> {
  const { workspaces } = await client.workspaces.listWorkspaces({ pageSize: 1000 });
  if (workspaces.some(one => one.id === id)) return;
  await client.workspaces.createWorkspace({
    tenantId: "default",
    connector: {
      ...{ id, type: "IoT", name: id, enabled: true, workspace: { type: "developer" } },
      access: { secret: randomBytes(24).toString("base64url") },
      config: { protocol: "sio", resources: { type: mode } },
    },
  });
}

/**
 * The person's device first. Those of an earlier start get another secret, since nobody can show
 * theirs.
 */
async function ensureDevices({ client: { devices } }: Cluster, workspaceId: string): Promise<readonly DeviceLogin[]> {
  const known = (await devices.listDevices({ workspaceId, pageSize: 1000 })).devices.map(one => one.deviceId);
  const wanted = [YOURS, ...SENDING];
  const deviceIds = wanted.filter(id => !known.includes(id));
  const made = deviceIds.length === 0 ? [] : (await devices.createDevices({ workspaceId, deviceIds })).credentials;
  const secrets = new Map(made.map(({ device, secret }) => [device?.deviceId ?? "", secret]));
  for (const deviceId of wanted.filter(id => known.includes(id))) {
    const { credential } = await devices.rotateDevice({ workspaceId, deviceId });
    secrets.set(deviceId, credential?.secret ?? "");
  }
  return wanted.map(id => ({ user: `${workspaceId}/devices/${id}`, secret: secrets.get(id) ?? "" }));
}

/** A host has it and reads its messages. */
async function untilRead({ client }: Cluster, workspaceId: string): Promise<void> {
  const deadlineAt = performance.now() + READY_MS;
  let last = "";
  while (performance.now() < deadlineAt) {
    const { workspace } = await client.workspaces.getWorkspace({ workspaceId });
    if (workspace?.state === WorkspaceState.ACTIVE) return;
    last = workspace?.waiting || "its host has not begun it";
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  throw new Error(
    `Workspace ${workspaceId} did not begin: ${last}. Look with: npm run skep -- workspace show ${workspaceId}`,
  );
}

async function untilAcknowledged(workspaceId: string, devices: readonly SimulatedDevice[]): Promise<void> {
  const deadlineAt = performance.now() + READY_MS;
  while (performance.now() < deadlineAt) {
    if (devices.every(device => device.acknowledged > 0)) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const why = devices.map(device => device.trouble).find(text => text !== "") ?? "no answer";
  throw new Error(`The devices of ${workspaceId} had no PUBACK within 2 minutes: ${why}.`);
}
