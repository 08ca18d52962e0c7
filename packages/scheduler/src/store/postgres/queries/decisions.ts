import type { DeploymentId } from "@skep/core/model/deployment.ts";
import type { InstanceId } from "@skep/core/model/instance.ts";
import { sql, type Kysely } from "kysely";
import { makePage, readPage } from "../../page.ts";
import { refuse } from "../../refusals.ts";
import { toDecision } from "../rows.ts";
import { ask, translated, type Queryable } from "../sql.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { Page, PageRequest } from "../../request.ts";
import type { Tables } from "../tables.ts";

const SAVE = {
  name: "save-decisions",
  text: `INSERT INTO decisions (at, kind, tenant_id, deployment_id, instance_id, node_id, epoch, sentence)
SELECT at, kind, "tenantId", "deploymentId", "instanceId", "nodeId", epoch, sentence FROM jsonb_to_recordset($1)
  AS g(at bigint, kind text, "tenantId" text, "deploymentId" text, "instanceId" text, "nodeId" text, epoch integer, sentence text)`,
};

/** See `SpecStore.saveDecisions`. */
export async function saveDecisions(db: Queryable, decisions: readonly Decision[]): Promise<void> {
  if (decisions.length > 0) await ask(db, SAVE, [JSON.stringify(decisions)]);
}

/** See `SpecStore.listDecisions`; each way of asking has an index in just this order. */
export async function listDecisions(
  db: Kysely<Tables>,
  filter: { readonly deploymentId?: DeploymentId; readonly instanceId?: InstanceId; readonly sinceAt?: number },
  page: PageRequest,
): Promise<Page<Decision>> {
  const { after, limit } = readPage(page);
  let query = db
    .selectFrom("decisions")
    .selectAll()
    .orderBy("at")
    .orderBy("id")
    .limit(limit + 1);
  if (filter.deploymentId !== undefined) query = query.where("deployment_id", "=", filter.deploymentId);
  if (filter.instanceId !== undefined) query = query.where("instance_id", "=", filter.instanceId);
  if (filter.sinceAt !== undefined) query = query.where("at", ">=", filter.sinceAt);
  if (after !== undefined) {
    const [, at, id] = /^(\d{1,15})\.(\d{1,15})$/.exec(after) ?? [];
    if (at === undefined || id === undefined) throw refuse.badToken();
    query = query.where(sql<boolean>`(at, id) > (${Number(at)}, ${Number(id)})`);
  }
  const rows = makePage(await translated(query.execute()), limit, row => `${row.at}.${row.id}`);
  return { items: rows.items.map(toDecision), nextToken: rows.nextToken };
}
