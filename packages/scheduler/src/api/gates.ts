import type { ServiceImpl } from "@connectrpc/connect";
import { fromUint64, toUint64 } from "@skep/api/codec/number.ts";
import type { GateService } from "@skep/api/gen/skep/v1/gate_pb.ts";
import { deviceUser, type DeviceKey } from "@skep/core/workspace/device.ts";
import type { ApiDeps } from "./deps.ts";

/** What processes before brokers ask. Any replica answers, out of the records. */
export function gateHandlers({ store, clock }: ApiDeps): ServiceImpl<typeof GateService> {
  const find = async (keys: readonly DeviceKey[]): Promise<(key: DeviceKey) => Known | undefined> => {
    const found = await store.findDevices(keys);
    const byUser = new Map(found.map(one => [deviceUser(one), one]));
    return key => byUser.get(deviceUser(key));
  };
  return {
    admitDevices: async ({ claims }) => {
      const known = await find(claims);
      const versions = claims.map(claim => {
        const device = known(claim);
        return device !== undefined && device.digest === claim.digest ? toUint64(device.version) : 0n;
      });
      return { versions };
    },
    reportDevices: async ({ devices }) => {
      const told = devices.filter(one => one.seen || one.denied > 0);
      const seenAt = clock.now();
      if (told.length > 0) await store.noteDevices(told.map(one => ({ ...one, seenAt })));
      const known = await find(devices);
      return { mayStay: devices.map(one => known(one)?.version === fromUint64(one.version, "version")) };
    },
  };
}

interface Known {
  readonly version: number;
  readonly digest: string;
}
