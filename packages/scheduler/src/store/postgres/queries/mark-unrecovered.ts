import type { Mandate } from "../../mandate.ts";
import { ask, type Queryable } from "../sql.ts";
import { leasePart } from "./lease.ts";

const MARK = {
  name: "mark-unrecovered",
  text: `
WITH ${leasePart("$2", "$3")},
ended AS (DELETE FROM bridges WHERE until <= extract(epoch FROM clock_timestamp()) * 1000
  AND EXISTS (SELECT FROM lease) AND EXISTS (SELECT FROM platform WHERE unrecovered IS NULL))
UPDATE platform SET unrecovered = jsonb_build_object('because', $1::text, 'at', $4::bigint)
WHERE unrecovered IS NULL AND EXISTS (SELECT FROM lease) RETURNING incarnation`,
};

/** See `PlanStore.markUnrecovered`. */
export async function markUnrecovered(
  db: Queryable,
  because: string,
  { term, holder }: Mandate,
  now: number,
): Promise<boolean> {
  return (await ask(db, MARK, [because, term, holder, now])).length > 0;
}
