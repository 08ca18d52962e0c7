import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { fromUint64, toUint64 } from "@skep/api/codec/number.ts";
import type { GateService, WorkspaceBrokerSchema } from "@skep/api/gen/skep/v1/gate_pb.ts";
import { GATE_KEPT_MS, type WorkspaceBroker } from "@skep/core/workspace/broker.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { deviceUser, type DeviceKey } from "@skep/core/workspace/device.ts";
import { createHostTokens, type HostTokens } from "../join/host-tokens.ts";
import type { ApiDeps } from "./deps.ts";

/** As whom gates come to the broker of a pod. */
const GATE_USER = "gate";

/** What processes before brokers ask. Any replica answers, out of the records. */
export function gateHandlers(deps: ApiDeps): ServiceImpl<typeof GateService> {
  const { store, clock } = deps;
  const tokens = createHostTokens(deps);
  const find = async (keys: readonly DeviceKey[]): Promise<(key: DeviceKey) => Known | undefined> => {
    const found = await store.findDevices(keys);
    const byUser = new Map(found.map(one => [deviceUser(one), one]));
    return key => byUser.get(deviceUser(key));
  };
  const locate = async (ids: Iterable<WorkspaceId>, switchedAfter: number) => {
    const brokers = await store.locateBrokers([...new Set(ids)], switchedAfter);
    return Promise.all(brokers.map(one => toProto(one, tokens)));
  };
  return {
    admitDevices: async ({ claims }) => {
      const known = await find(claims);
      const admitted = claims.map(claim => (known(claim)?.digest === claim.digest ? known(claim) : undefined));
      const ids = claims.flatMap(({ workspaceId }, index) => (admitted[index] === undefined ? [] : [workspaceId]));
      return {
        versions: admitted.map(device => toUint64(device?.version ?? 0)),
        brokers: await locate(ids, clock.now()),
      };
    },
    reportDevices: async ({ devices }) => {
      const told = devices.filter(one => one.seen || one.denied > 0);
      const seenAt = clock.now();
      if (told.length > 0) await store.noteDevices(told.map(one => ({ ...one, seenAt })));
      const known = await find(devices);
      return { mayStay: devices.map(one => known(one)?.version === fromUint64(one.version, "version")) };
    },
    reportBrokers: async ({ gateId, seq, places, isLeaving }) => {
      const now = clock.now();
      if (isLeaving) {
        await store.forgetGate(gateId);
        return {};
      }
      const told = places.map(({ workspaceId, serial, connections }) => ({
        ...{ workspaceId, serial: fromUint64(serial, "serial"), connections },
      }));
      await store.saveGateReport({ gateId, seq: fromUint64(seq, "seq"), places: told }, now);
      const ids = told.map(one => one.workspaceId);
      return { brokers: await locate(ids, now - GATE_KEPT_MS) };
    },
  };
}

interface Known {
  readonly version: number;
  readonly digest: string;
}

async function toProto(
  { workspaceId, side, serial, address, isSwitched }: WorkspaceBroker,
  tokens: HostTokens,
): Promise<MessageInitShape<typeof WorkspaceBrokerSchema>> {
  const broker = { workspaceId, serial: toUint64(serial), isSwitched };
  if (side === "shared") return broker;
  const password = await tokens.brokerPassword(workspaceId, "gate");
  return { ...broker, own: { host: address?.host ?? "", port: address?.port ?? 0, user: GATE_USER, password } };
}
