import type { PlatformIdentity } from "@skep/core/identity/platform-identity.ts";
import { ask, type Queryable } from "../sql.ts";
import type { PlatformRow } from "../tables.ts";

/** The one row of `platform` as a column of another statement. */
export const IDENTITY = "(SELECT to_json(p) FROM platform p)";

/**
 * The identity out of its row. One that lost it has a name that no agent holds, and so is found
 * out.
 */
export function toIdentity(row: PlatformRow | null | undefined): PlatformIdentity {
  return {
    incarnation: row?.incarnation ?? "inc_none",
    succeeds: row?.succeeds ?? [],
    serialFloor: row?.serial_floor ?? 0,
    unrecovered: row?.unrecovered ?? undefined,
    receiptKey: row?.receipt_key ?? "",
  };
}

const LOAD = { name: "load-identity", text: `SELECT ${IDENTITY} AS platform` };

/** See `PlatformStore.loadIdentity`. */
export async function loadIdentity(db: Queryable): Promise<PlatformIdentity> {
  const [row] = await ask<{ platform: PlatformRow | null }>(db, LOAD, []);
  return toIdentity(row?.platform);
}
