import { isBehind, sideOf, type WorkspaceBroker } from "@skep/core/workspace/broker.ts";
import { podId, POD_MQTT_PORT } from "@skep/core/workspace/pod.ts";
import type { WorkspaceRecord } from "@skep/core/workspace/record.ts";
import { GONE_AFTER_MS, type GateStore } from "../gate-store.ts";
import type { Mandate } from "../mandate.ts";
import { inOrder, type Records } from "../memory-records.ts";
import { portOf } from "./pods.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;
/** The same for a call of a leader, which writes only while the lease is the mandate's. */
type PassLeading = <T>(call: string, mandate: Mandate, run: () => T) => Promise<T>;

/** See `GateStore`. */
export function createGates(records: Records, pass: Pass, leading: PassLeading): GateStore {
  const { gates, workspaces, workspaceBrokers } = records;
  return {
    locateBrokers: (ids, after) =>
      pass("locateBrokers", () => {
        const isWanted = ({ id }: WorkspaceRecord): boolean =>
          ids.includes(id) || (workspaceBrokers.get(id)?.switchedAt ?? -Infinity) > after;
        const wanted = [...workspaces.values()].filter(isWanted);
        return inOrder(wanted, one => one.id).map(one => brokerOf(records, one, after));
      }),
    saveGateReport: ({ gateId, seq, places }, seenAt) =>
      pass("saveGateReport", () => {
        for (const [other, one] of gates) if (one.seenAt < seenAt - GONE_AFTER_MS) gates.delete(other);
        if (seq > (gates.get(gateId)?.seq ?? 0)) gates.set(gateId, { seq, places, seenAt });
      }),
    forgetGate: gateId => pass("forgetGate", () => void gates.delete(gateId)),
    listGatesBehind: (workspaceId, after) =>
      pass("listGatesBehind", () => {
        const { serial = 0 } = workspaceBrokers.get(workspaceId) ?? {};
        return inOrder(gates, ([gateId]) => gateId).flatMap(([gateId, { seenAt, places }]) => {
          const place = places.find(one => one.workspaceId === workspaceId);
          if (seenAt <= after || !isBehind(place, serial)) return [];
          return [{ gateId, seenAt, connections: place?.connections ?? 0 }];
        });
      }),
    switchDevices: (workspaceId, side, fromSerial, mandate, switchedAt) =>
      leading("switchDevices", mandate, () => {
        if (!workspaces.has(workspaceId)) return false;
        if ((workspaceBrokers.get(workspaceId)?.serial ?? 0) !== fromSerial) return false;
        workspaceBrokers.set(workspaceId, { side, serial: fromSerial + 1, switchedAt });
        return true;
      }),
  };
}

function brokerOf(records: Records, { id, tenantId, connector }: WorkspaceRecord, after: number): WorkspaceBroker {
  const { side, serial, switchedAt } = records.workspaceBrokers.get(id) ?? {
    ...{ side: sideOf(connector.config.resources.type), serial: 0, switchedAt: -Infinity },
  };
  const address = side === "own" ? portOf(records, podId(tenantId, id), POD_MQTT_PORT)?.address : undefined;
  return { workspaceId: id, side, serial, address, isSwitched: switchedAt > after };
}
