import { projectAnswer } from "@skep/api/codec/stored/project-answer.ts";
import type { Holdings } from "@skep/core/deployment/refusals.ts";
import { SkepError } from "@skep/core/error.ts";
import type { DeploymentRecord } from "@skep/core/model/deployment.ts";
import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import { planProject } from "@skep/core/project/plan-project.ts";
import { refuseProject } from "@skep/core/project/project.ts";
import type { PlannedStep, ProjectRecords, ProjectStep, ProjectWish } from "@skep/core/project/project.ts";
import type pg from "pg";
import type { ProjectStore } from "../../project-store.ts";
import { refuse } from "../../refusals.ts";
import { toDeployment, toRelease, toTenant } from "../rows.ts";
import { askOne, constraintOf, inTransaction, listOf, type Queryable, type Statement } from "../sql.ts";
import type { DeploymentRow, TenantRow } from "../tables.ts";
import { CHANGE, changeValues } from "./change-deployment.ts";
import { CREATE, createdRecord, createValues, type Created } from "./create-deployment.ts";
import { mutation, onceByKey, recordParts, recordValues, type Mutation } from "./request.ts";

/** What belongs to the project `$2` of the tenant `$1`, and what has one of the ids `$3`. */
const CONCERNED = `d.tenant_id = $1 AND (r.project = $2 OR d.id = ANY ($3))`;
const WITH_RELEASE = `deployments d JOIN releases r ON r.deployment_id = d.id AND r.number = d.release`;

/** One statement is one snapshot. Domains that were freed after `$5` are kept for their tenant. */
const LOAD: Statement = {
  name: "load-project",
  text: `SELECT (SELECT to_json(t) FROM tenants t WHERE t.id = $1) AS tenant,
  ${listOf(`SELECT d.*, r.spec FROM ${WITH_RELEASE} WHERE ${CONCERNED} ORDER BY d.id`)} AS records,
  (SELECT json_build_object('instances', coalesce(sum(d.replicas), 0),
      'cpuMillis', coalesce(sum(d.replicas * r.cpu_millis), 0), 'memoryBytes', coalesce(sum(d.replicas * r.memory_bytes), 0))
    FROM ${WITH_RELEASE} WHERE d.tenant_id = $1 AND d.desired = 'run') AS held,
  ${listOf(`SELECT domain, freed_at FROM domains
    WHERE domain = ANY ($4) AND tenant_id <> $1 AND (freed_at IS NULL OR freed_at > $5)`)} AS domains`,
};

/**
 * The deployments before the tenant, as every other change locks them: two that took them in
 * another order would wait for each other.
 */
const LOCKS: readonly Statement[] = [
  {
    name: "lock-project",
    text: `SELECT FROM ${WITH_RELEASE} WHERE ${CONCERNED} ORDER BY d.id FOR NO KEY UPDATE OF d`,
  },
  { name: "lock-tenant", text: `SELECT FROM tenants WHERE id = $1 FOR NO KEY UPDATE` },
  { name: "hold-quota", text: `SELECT set_config('skep.quota_held', $1, true)` },
];

const RECORD: Statement = { name: "record-project", text: `WITH ${recordParts(1, "true")} SELECT 1` };

interface Loaded {
  readonly tenant: TenantRow | null;
  readonly records: readonly (DeploymentRow & { readonly spec: unknown })[];
  readonly held: Holdings;
  readonly domains: readonly { readonly domain: string; readonly freed_at: number | null }[];
}

/**
 * Somebody may take a name, a domain or a row between our look and our write: we look again.
 */
const MOST_ATTEMPTS = 4;

/** The projects of a database. */
export function createProjects(db: Queryable, keepDomainsMs: number): ProjectStore {
  return {
    previewProject: async (wish, now) => {
      const loaded = await askOne<Loaded & pg.QueryResultRow>(db, LOAD, loadValues(wish, now - keepDomainsMs));
      return planProject(wish, toRecords(loaded, keepDomainsMs), now);
    },
    applyProject: (wish, request, now) => {
      const one = mutation(request, "project.apply", `${wish.tenantId}.${wish.project}`, wish, now);
      return onceByKey(db, one, projectAnswer, () => apply(db, wish, one, keepDomainsMs));
    },
  };
}

async function apply(
  db: Queryable,
  wish: ProjectWish,
  one: Mutation,
  keepDomainsMs: number,
): Promise<readonly ProjectStep[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(db, connection => write(connection, wish, one, keepDomainsMs));
    } catch (error) {
      const isRepetition = constraintOf(error) === "idempotency_keys_once";
      const lost = error instanceof SkepError && (error.reason === "DATABASE_REFUSED" || error.reason === LOST);
      if (isRepetition || !lost || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

const LOST = "STALE_VERSION";

/** Locks, looks, decides and writes: nobody changes the project or takes its room meanwhile. */
async function write(
  connection: pg.PoolClient,
  wish: ProjectWish,
  one: Mutation,
  keepDomainsMs: number,
): Promise<readonly ProjectStep[]> {
  const run = async <Row extends pg.QueryResultRow>({ name, text }: Statement, values: readonly unknown[]) =>
    (await connection.query<Row>({ name, text, values: [...values] })).rows;
  const values = loadValues(wish, one.now - keepDomainsMs);
  for (const statement of LOCKS) await run(statement, values.slice(0, statement.text.includes("$2") ? 3 : 1));
  const [loaded] = await run<Loaded & pg.QueryResultRow>(LOAD, values);
  const { steps, faults } = planProject(wish, toRecords(loaded!, keepDomainsMs), one.now);
  if (faults.length > 0) throw refuseProject(wish.project, faults);
  const done: ProjectStep[] = [];
  for (const step of steps) done.push(await carryOut(run, step, one, keepDomainsMs));
  await run(RECORD, recordValues(one, projectAnswer.encode(done)));
  return done;
}

type Run = <Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]) => Promise<Row[]>;

async function carryOut(run: Run, step: PlannedStep, whole: Mutation, keepDomainsMs: number): Promise<ProjectStep> {
  const { change, differences, record, before, write: what } = step;
  if (what === undefined) return { change, differences, record };
  // The key stands for the whole, and is recorded with it.
  const request = { ...whole.request, idempotencyKey: undefined };
  const { id } = record.deployment;
  const one = mutation(request, `deployment.${what.kind}`, id, undefined, whole.now);
  if (what.kind === "create") {
    const [created] = await run<Created & pg.QueryResultRow>(
      CREATE,
      createValues(one, record, what.routes, keepDomainsMs),
    );
    return { change, differences, record: createdRecord(record, created!) };
  }
  const version = before?.deployment.resourceVersion ?? 0;
  const changed = await run(CHANGE, changeValues(one, before!, record, what.change.routes, keepDomainsMs));
  if (changed.length === 0) throw refuse.staleVersion(id, version, version + 1);
  return { change, differences, record };
}

function loadValues({ tenantId, project, services }: ProjectWish, freedBefore: number): readonly unknown[] {
  const ids = services.map(({ spec }) => deploymentIdOf(tenantId, spec.name));
  const domains = services.flatMap(({ routes }) => routes.map(({ domain }) => domain));
  return [tenantId, project, ids, domains, freedBefore];
}

function toRecords({ tenant, records, held, domains }: Loaded, keepDomainsMs: number): ProjectRecords {
  return {
    tenant: tenant === null ? undefined : toTenant(tenant),
    records: records.map((row): DeploymentRecord => {
      const release = toRelease({ deployment_id: row.id, number: row.release, spec: row.spec });
      return { deployment: toDeployment(row), release };
    }),
    held,
    foreign: new Map(
      domains.map(({ domain, freed_at: at }) => [domain, at === null ? undefined : at + keepDomainsMs] as const),
    ),
  };
}
