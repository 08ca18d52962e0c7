import { deviceUser, type DeviceKey } from "@skep/core/workspace/device.ts";
import type { Log } from "@skep/kit/log.ts";
import { digestSecret } from "@skep/kit/secret-digest.ts";
import type { Brokers } from "./brokers.ts";
import { MOST_ASKED, type DeviceClaim, type GateApi } from "./gate-api.ts";

/** Whether a device may come in: the version that it is admitted by, or why not. */
export type Admission =
  { readonly kind: "admitted"; readonly version: number } | { readonly kind: "refused" | "unavailable" };

/** Asks for devices that want in. */
export interface Admissions {
  admit(device: DeviceKey, secret: string): Promise<Admission>;
  /** It may not come in by what is remembered of it. */
  forget(device: DeviceKey): void;
}

/** Devices whose last admission is remembered. */
const MOST_REMEMBERED = 200_000;

interface Waiting {
  readonly claim: DeviceClaim;
  readonly resolve: (admission: Admission) => void;
}

/**
 * Asks for all that came while the last answer was awaited, at once: after an outage thousands come
 * in the same second. While no scheduler answers, a device that was admitted before with this very
 * secret is let in: devices go on when the platform does not. The next report tells the truth.
 */
export function createAdmissions(api: GateApi, brokers: Brokers, log: Log): Admissions {
  const remembered = new Map<string, { readonly digest: string; readonly version: number }>();
  let queue: Waiting[] = [];
  let isAsking = false;

  async function ask(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    while (queue.length > 0) {
      const batch = queue.slice(0, MOST_ASKED);
      queue = queue.slice(MOST_ASKED);
      await settle(batch);
    }
    isAsking = false;
  }

  async function settle(batch: readonly Waiting[]): Promise<void> {
    try {
      const { versions, brokers: told } = await api.admit(batch.map(one => one.claim));
      brokers.note(told);
      for (const [index, { claim, resolve }] of batch.entries()) {
        const version = versions[index] ?? 0;
        if (version > 0) remember(claim, version);
        resolve(version > 0 ? { kind: "admitted", version } : { kind: "refused" });
      }
    } catch (error) {
      log.warn("gate.unheard", `No scheduler said who ${batch.length} devices are.`, { error });
      for (const { claim, resolve } of batch) {
        const known = remembered.get(deviceUser(claim));
        const isSame = known?.digest === claim.digest;
        resolve(isSame ? { kind: "admitted", version: known.version } : { kind: "unavailable" });
      }
    }
  }

  function remember(claim: DeviceClaim, version: number): void {
    const user = deviceUser(claim);
    remembered.delete(user);
    remembered.set(user, { digest: claim.digest, version });
    if (remembered.size <= MOST_REMEMBERED) return;
    for (const oldest of remembered.keys()) return void remembered.delete(oldest);
  }

  return {
    admit: (device, secret) =>
      new Promise(resolve => {
        const { workspaceId, deviceId } = device;
        const digest = digestSecret(deviceUser(device), secret);
        queue.push({ claim: { workspaceId, deviceId, digest }, resolve });
        void ask();
      }),
    forget: device => void remembered.delete(deviceUser(device)),
  };
}
