import {
  connectorFromStored,
  connectorToStored,
  purposeFromStored,
  purposeToStored,
  scalingFromStored,
  scalingToStored,
  workspaceAnswer,
} from "@skep/api/codec/stored/workspace.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import {
  changedWorkspace,
  firstWorkspace,
  refuseWorkspace,
  type NewWorkspace,
  type WorkspaceChange,
  type WorkspaceRecord,
} from "@skep/core/workspace/record.ts";
import { makePage, readPage } from "../../page.ts";
import { refuse } from "../../refusals.ts";
import type { Request } from "../../request.ts";
import type { WorkspaceStore } from "../../workspace-store.ts";
import { ask, constraintOf, type Queryable } from "../sql.ts";
import type { WorkspaceRow } from "../tables.ts";
import { earlierAnswer, mayBeRepetition, mutation, onceByKey, recordParts, recordValues } from "./request.ts";

const GET = { name: "get-workspace", text: "SELECT * FROM workspaces WHERE id = $1" };

const LIST = {
  name: "list-workspaces",
  text: `SELECT * FROM workspaces WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR id > $2)
  ORDER BY id LIMIT $3`,
};

const CREATE = {
  name: "create-workspace",
  text: `
WITH created AS (INSERT INTO workspaces (id, tenant_id, connector, purpose, mode, strategy, desired, database_pool,
    scaling, restarts, version, updated_at, created_at, data)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13) RETURNING id),
${recordParts(14, "true")}
SELECT id FROM created`,
};

const REMAINS = {
  name: "find-workspace-remains",
  text: "SELECT FROM workspace_remains WHERE workspace_id = $1 AND tenant_id <> $2",
};

/** Compare-and-set on the version; hosting's columns are left alone. */
const CHANGE = {
  name: "change-workspace",
  text: `
WITH changed AS (UPDATE workspaces SET connector = $3, purpose = $4, mode = $5, strategy = $6, desired = $7,
    database_pool = $8, scaling = $9, restarts = $10, version = $11, updated_at = $12, data = $13
  WHERE id = $1 AND tenant_id = $2 AND version = $11::bigint - 1 RETURNING id),
${recordParts(14, "EXISTS (SELECT FROM changed)")}
SELECT id FROM changed`,
};

/** See `WorkspaceStore`. */
export function createWorkspaces(db: Queryable): WorkspaceStore {
  return {
    createWorkspace: (wanted, request, now) => createWorkspace(db, wanted, request, now),
    changeWorkspace: (id, change, expectVersion, request, now) =>
      changeWorkspace(db, id, change, expectVersion, request, now),
    getWorkspace: id => getWorkspace(db, id),
    listWorkspaces: async ({ tenantId }, page) => {
      const { after, limit } = readPage(page);
      const rows = await ask<WorkspaceRow>(db, LIST, [tenantId ?? null, after ?? null, limit + 1]);
      return makePage(rows.map(toWorkspace), limit, one => one.id);
    },
  };
}

/** A workspace out of its row. */
export function toWorkspace(row: WorkspaceRow): WorkspaceRecord {
  return {
    ...{ id: row.id, tenantId: row.tenant_id, strategy: row.strategy, desired: row.desired },
    connector: connectorFromStored(row.connector),
    purpose: purposeFromStored(row.purpose),
    databasePool: row.database_pool,
    data: row.data,
    ...{ scaling: scalingFromStored(row.scaling), instances: row.instances, scaledAt: row.scaled_at ?? undefined },
    ...{
      restarts: row.restarts,
      epoch: row.epoch,
      waiting: row.waiting,
      podProblem: row.pod_problem,
      version: row.version,
    },
    ...{ createdAt: row.created_at, updatedAt: row.updated_at, rulesVersion: row.rules_version },
  };
}

async function getWorkspace(db: Queryable, id: WorkspaceId): Promise<WorkspaceRecord | undefined> {
  const [row] = await ask<WorkspaceRow>(db, GET, [id]);
  return row === undefined ? undefined : toWorkspace(row);
}

async function createWorkspace(
  db: Queryable,
  wanted: NewWorkspace,
  request: Request,
  now: number,
): Promise<WorkspaceRecord> {
  const record = firstWorkspace(wanted, now);
  const one = mutation(request, "workspace.create", record.id, wanted, now);
  const kept = await ask(db, REMAINS, [record.id, record.tenantId]);
  if (kept.length > 0) throw refuseWorkspace.dataKept(record.id);
  try {
    await ask(db, CREATE, [...valuesOf(record), ...recordValues(one, workspaceAnswer.encode(record))]);
    return record;
  } catch (error) {
    const answer = mayBeRepetition(error) ? await earlierAnswer(db, one, workspaceAnswer) : undefined;
    if (answer !== undefined) return answer.response;
    switch (constraintOf(error)) {
      case "workspaces_tenant":
        throw refuse.noTenant(record.tenantId);
      case "workspaces_pkey": {
        const holder = await getWorkspace(db, record.id);
        throw holder?.desired === "deleted"
          ? refuseWorkspace.beingDeleted(record.id)
          : refuse.workspaceExists(record.id);
      }
      default:
        throw error;
    }
  }
}

async function changeWorkspace(
  db: Queryable,
  id: WorkspaceId,
  change: WorkspaceChange,
  expectVersion: number | undefined,
  request: Request,
  now: number,
): Promise<WorkspaceRecord> {
  const one = mutation(request, "workspace.change", id, { change, expectVersion }, now);
  return onceByKey(db, one, workspaceAnswer, async () => {
    for (;;) {
      const before = await getWorkspace(db, id);
      if (before === undefined) throw refuse.noWorkspace(id);
      const after = changedWorkspace(before, change, expectVersion, now);
      if (after === before) return after;
      const values = [...valuesOf(after), ...recordValues(one, workspaceAnswer.encode(after))];
      if ((await ask(db, CHANGE, values)).length > 0) return after;
      // Somebody changed it between the two statements; the next look tells so to a caller that
      // named a version.
    }
  });
}

function valuesOf(record: WorkspaceRecord): readonly unknown[] {
  const { id, tenantId, connector, purpose, strategy, desired, databasePool, scaling, restarts, version } = record;
  return [
    ...[id, tenantId, JSON.stringify(connectorToStored(connector)), JSON.stringify(purposeToStored(purpose))],
    ...[connector.config.resources.type, strategy, desired, databasePool, JSON.stringify(scalingToStored(scaling))],
    ...[restarts, version, record.updatedAt, record.data],
  ];
}
