import type { Serials } from "@skep/core/identity/serials.ts";
import { ask, type Queryable } from "../sql.ts";

/** A row of `serials`. */
export interface SerialsRow {
  readonly deployment_id: string;
  readonly next: number;
  readonly gap_from: number | null;
  readonly gap_to: number | null;
  readonly skipped: Serials["skipped"];
}

/** The rows of `serials`, as `toSerials` takes them. */
export const SERIALS_QUERY = `SELECT deployment_id, next, gap_from, gap_to,
  (SELECT coalesce(json_agg(json_build_object('from', lower(r), 'to', upper(r))), '[]') FROM unnest(skipped) r) AS skipped
  FROM serials`;

/** The numbers out of their row. */
export function toSerials({ next, gap_from: from, gap_to: to, skipped }: SerialsRow): Serials {
  return { next, gap: from === null || to === null ? undefined : { from, to }, skipped };
}

const LOAD = { name: "load-serials", text: SERIALS_QUERY };

/** See `PlatformStore.loadSerials`. */
export async function loadSerials(db: Queryable): Promise<ReadonlyMap<string, Serials>> {
  const rows = await ask<SerialsRow & Record<string, unknown>>(db, LOAD, []);
  return new Map(rows.map(row => [row.deployment_id, toSerials(row)]));
}
