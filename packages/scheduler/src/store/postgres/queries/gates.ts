import {
  isBehind,
  type BrokerSide,
  type GateBehind,
  type GatePlace,
  type WorkspaceBroker,
} from "@skep/core/workspace/broker.ts";
import { POD_MQTT_PORT } from "@skep/core/workspace/pod.ts";
import { GONE_AFTER_MS, type GateStore } from "../../gate-store.ts";
import { refuse } from "../../refusals.ts";
import { ask, inTransaction, type Queryable } from "../sql.ts";
import { podAt, POD_ID } from "./pods.ts";
import { holdsLease } from "./lease.ts";

const LOCATE = {
  name: "locate-brokers",
  text: `SELECT w.id AS "workspaceId", w.side, w.serial, w.switched_at > $2 AS "isSwitched", p.host, p.port
FROM (SELECT w.id, w.tenant_id, coalesce(b.serial, 0) AS serial, coalesce(b.switched_at, -1) AS switched_at,
    coalesce(b.side, CASE w.mode WHEN 'standalone' THEN 'own' ELSE 'shared' END) AS side
  FROM workspaces w LEFT JOIN workspace_brokers b ON b.workspace_id = w.id) w
LEFT JOIN LATERAL (${podAt(POD_ID, String(POD_MQTT_PORT))}) p ON w.side = 'own'
WHERE w.id = ANY ($1::text[] || ARRAY(SELECT workspace_id FROM workspace_brokers WHERE switched_at > $2)) ORDER BY w.id`,
};

interface LocateRow {
  readonly workspaceId: string;
  readonly side: BrokerSide;
  readonly serial: number;
  readonly isSwitched: boolean;
  readonly host: string | null;
  readonly port: number | null;
}

const SAVE = {
  name: "save-gate-report",
  text: `WITH gone AS (DELETE FROM gates WHERE seen_at < $4::bigint - ${GONE_AFTER_MS})
INSERT INTO gates AS g (gate_id, seq, places, seen_at) VALUES ($1, $2, $3, $4::bigint)
  ON CONFLICT (gate_id) DO UPDATE SET seq = excluded.seq, places = excluded.places, seen_at = excluded.seen_at
  WHERE g.seq < excluded.seq`,
};

const FORGET = { name: "forget-gate", text: "DELETE FROM gates WHERE gate_id = $1" };

const BEHIND = {
  name: "list-gates-behind",
  text: `SELECT g.gate_id AS "gateId", g.seen_at AS "seenAt",
  coalesce((SELECT serial FROM workspace_brokers WHERE workspace_id = $1), 0)::bigint AS serial,
  (SELECT x FROM jsonb_array_elements(g.places) x WHERE x ->> 'workspaceId' = $1 LIMIT 1) AS place
FROM gates g WHERE g.seen_at > $2 ORDER BY g.gate_id COLLATE "C"`,
};

interface BehindRow {
  readonly gateId: string;
  readonly seenAt: number;
  readonly serial: number;
  readonly place: GatePlace | null;
}

const SWITCH = `INSERT INTO workspace_brokers AS b (workspace_id, side, serial, switched_at)
  SELECT id, $2, 1, $4 FROM workspaces WHERE id = $1 AND $3::bigint = 0
  ON CONFLICT (workspace_id) DO NOTHING`;
const SWITCH_AGAIN = `UPDATE workspace_brokers SET side = $2, serial = serial + 1, switched_at = $4
  WHERE workspace_id = $1 AND serial = $3`;

/** See `GateStore`. */
export function createGates(db: Queryable): GateStore {
  return {
    locateBrokers: async (ids, switchedAfter) =>
      (await ask<LocateRow & Record<string, unknown>>(db, LOCATE, [ids, switchedAfter])).map(toBroker),
    saveGateReport: async ({ gateId, seq, places }, now) =>
      void (await ask(db, SAVE, [gateId, seq, JSON.stringify(places), now])),
    forgetGate: async gateId => void (await ask(db, FORGET, [gateId])),
    listGatesBehind: async (workspaceId, seenAfter) => {
      const rows = await ask<BehindRow & Record<string, unknown>>(db, BEHIND, [workspaceId, seenAfter]);
      return rows.flatMap(({ gateId, seenAt, serial, place }): readonly GateBehind[] =>
        isBehind(place ?? undefined, serial) ? [{ gateId, seenAt, connections: place?.connections ?? 0 }] : [],
      );
    },
    switchDevices: (workspaceId, to, fromSerial, mandate, now) =>
      inTransaction(db, async connection => {
        if (!(await holdsLease(connection, mandate))) throw refuse.leaseLost(mandate.term);
        const text = fromSerial === 0 ? SWITCH : SWITCH_AGAIN;
        return (await connection.query(text, [workspaceId, to, fromSerial, now])).rowCount === 1;
      }),
  };
}

function toBroker({ host, port, ...rest }: LocateRow): WorkspaceBroker {
  return { ...rest, address: host === null || port === null ? undefined : { host, port } };
}
