import { scalingFromStored } from "@skep/api/codec/stored/workspace.ts";
import { leaseEnded } from "../../commit-result.ts";
import type { ScalableWorkspace, ScalingStore } from "../../scaling-store.ts";
import { ask, inTransaction, type Queryable } from "../sql.ts";
import { toCounts } from "./host-report.ts";
import { holdsLease } from "./lease.ts";

/** Of several placements the one that owns it: an older one says nothing about now. */
const LOAD = {
  name: "load-scaling",
  text: `SELECT w.id, w.tenant_id AS "tenantId", w.scaling, w.instances, w.scaled_at AS "scaledAt", l.counts,
    l.seen_at AS "reportedAt"
  FROM workspaces w LEFT JOIN LATERAL (
    SELECT l.counts, h.seen_at FROM workspace_locations l JOIN workspace_hosts h USING (host_id)
    WHERE l.workspace_id = w.id AND l.state = 'running' ORDER BY l.epoch DESC LIMIT 1) l ON true
  WHERE w.desired = 'run' ORDER BY w.id`,
};

interface Row {
  readonly id: string;
  readonly tenantId: string;
  readonly scaling: unknown;
  readonly instances: number;
  readonly scaledAt: number | null;
  readonly counts: unknown;
  readonly reportedAt: number | null;
}

const WRITE = `UPDATE workspaces w SET instances = s."to", scaled_at = $2
  FROM jsonb_to_recordset($1) AS s("workspaceId" text, "from" integer, "to" integer)
  WHERE w.id = s."workspaceId" AND w.instances = s."from" AND w.desired = 'run' RETURNING w.id`;

/** See `ScalingStore`. */
export function createScaling(db: Queryable): ScalingStore {
  return {
    loadScaling: async () => {
      const rows = await ask<Row & Record<string, unknown>>(db, LOAD, []);
      return rows.map(toScalable).filter(({ policy }) => policy.enabled);
    },
    commitScaling: (steps, mandate, now) =>
      inTransaction(db, async connection => {
        if (!(await holdsLease(connection, mandate))) return leaseEnded(mandate);
        const { rows } = await connection.query<{ id: string }>(WRITE, [JSON.stringify(steps), now]);
        return { kind: "committed", written: rows.map(({ id }) => id).toSorted() };
      }),
  };
}

function toScalable({ id, tenantId, scaling, instances, scaledAt, counts, reportedAt }: Row): ScalableWorkspace {
  return {
    ...{ id, tenantId, instances, policy: scalingFromStored(scaling), scaledAt: scaledAt ?? undefined },
    seen: reportedAt === null ? undefined : { counts: toCounts(counts), reportedAt },
  };
}
