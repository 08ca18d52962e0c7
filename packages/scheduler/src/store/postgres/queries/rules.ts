import type { JsonObject } from "@bufbuild/protobuf";
import { emptyAnswer } from "@skep/api/codec/stored/answer.ts";
import { documentFromStored, documentToStored, ruleAnswer } from "@skep/api/codec/stored/rule.ts";
import {
  KEPT_VERSIONS,
  MOST_RULES,
  nextVersion,
  refuseRule,
  type RuleDocument,
  type RuleKey,
  type RuleRecord,
} from "@skep/core/rules/record.ts";
import { refuseWorkspace } from "@skep/core/workspace/record.ts";
import { makePage, readPage } from "../../page.ts";
import { refuse } from "../../refusals.ts";
import type { Request } from "../../request.ts";
import { requestHash } from "../../request-hash.ts";
import type { RuleStore } from "../../rule-store.ts";
import { ask, constraintOf, type Queryable } from "../sql.ts";
import type { RuleRow } from "../tables.ts";
import { mutation, onceByKey, recordParts, recordValues, type Mutation } from "./request.ts";

/** The latest version of each. */
const LATEST = `SELECT DISTINCT ON (kind, reference) * FROM workspace_rules WHERE workspace_id = $1
  ORDER BY kind, reference, version DESC`;

const READ = {
  name: "read-rule",
  text: `SELECT w.desired,
    (SELECT to_json(r) FROM workspace_rules r WHERE r.workspace_id = $1 AND r.kind = $2 AND r.reference = $3
      ORDER BY r.version DESC LIMIT 1) AS latest,
    (SELECT count(*) FROM (${LATEST}) l WHERE l.kind = $2 AND l.document IS NOT NULL) AS count
  FROM workspaces w WHERE w.id = $1`,
};

/** Its number is free, or somebody else wrote at the same time and the key refuses. */
const WRITE = {
  name: "write-rule",
  text: `
WITH raised AS (UPDATE workspaces SET rules_version = rules_version + 1 WHERE id = $1 RETURNING id),
written AS (INSERT INTO workspace_rules (workspace_id, kind, reference, version, document, created_at, created_by)
  SELECT id, $2, $3, $4::bigint, $5::jsonb, $6, $7 FROM raised),
dropped AS (DELETE FROM workspace_rules WHERE workspace_id = $1 AND kind = $2 AND reference = $3
  AND version <= $4::bigint - ${KEPT_VERSIONS}),
${recordParts(8, "EXISTS (SELECT FROM raised)")}
SELECT id FROM raised`,
};

const LIST = {
  name: "list-rules",
  text: `SELECT * FROM (${LATEST}) l WHERE document IS NOT NULL AND ($2::text IS NULL OR kind = $2)
    AND ($3::text IS NULL OR kind || ' ' || reference > $3)
  ORDER BY kind || ' ' || reference LIMIT $4`,
};

const VERSIONS = {
  name: "list-rule-versions",
  text: "SELECT * FROM workspace_rules WHERE workspace_id = $1 AND kind = $2 AND reference = $3 ORDER BY version DESC",
};

const LOAD = {
  name: "load-rules",
  text: `SELECT w.rules_version, (SELECT coalesce(json_agg(l ORDER BY l.kind || ' ' || l.reference), '[]')
    FROM (${LATEST}) l WHERE l.document IS NOT NULL) AS rules FROM workspaces w WHERE w.id = $1`,
};

/** See `RuleStore`. */
export function createRules(db: Queryable): RuleStore {
  return {
    putRule: (key, document, baseVersion, request, now) => putRule(db, key, document, baseVersion, request, now),
    deleteRule: (key, baseVersion, request, now) => deleteRule(db, key, baseVersion, request, now),
    listRules: async (workspaceId, kind, page) => {
      const { after, limit } = readPage(page);
      const rows = await ask<RuleRow>(db, LIST, [workspaceId, kind ?? null, after ?? null, limit + 1]);
      if (rows.length === 0) await requireWorkspace(db, workspaceId);
      return makePage(rows.map(toRule), limit, one => `${one.kind} ${one.reference}`);
    },
    listRuleVersions: async ({ workspaceId, kind, reference }) =>
      (await ask<RuleRow>(db, VERSIONS, [workspaceId, kind, reference])).map(toRule),
    loadRules: async workspaceId => {
      const [row] = await ask<{ rules_version: number; rules: readonly RuleRow[] }>(db, LOAD, [workspaceId]);
      return row === undefined ? undefined : { rulesVersion: row.rules_version, records: row.rules.map(toRule) };
    },
  };
}

async function putRule(
  db: Queryable,
  key: RuleKey,
  document: RuleDocument,
  baseVersion: number | undefined,
  request: Request,
  now: number,
): Promise<RuleRecord> {
  const one = mutation(request, "rule.put", nameOf(key), { document, baseVersion }, now);
  return onceByKey(db, one, ruleAnswer, async () => {
    for (;;) {
      const { latest, count } = await readRule(db, key);
      const version = nextVersion(latest, baseVersion, key);
      if (latest?.document !== undefined && isEqual(latest.document, document)) return latest;
      if (latest?.document === undefined && count >= MOST_RULES) throw refuseRule.tooMany(key);
      const record = { ...key, version, document, createdAt: now, createdBy: request.actor };
      if (await write(db, record, one, ruleAnswer.encode(record))) return record;
    }
  });
}

async function deleteRule(
  db: Queryable,
  key: RuleKey,
  baseVersion: number | undefined,
  request: Request,
  now: number,
): Promise<void> {
  const one = mutation(request, "rule.delete", nameOf(key), { baseVersion }, now);
  await onceByKey(db, one, emptyAnswer, async () => {
    for (;;) {
      const { latest } = await readRule(db, key);
      if (latest?.document === undefined) throw refuseRule.missing(key);
      const version = nextVersion(latest, baseVersion, key);
      const record = { ...key, version, document: undefined, createdAt: now, createdBy: request.actor };
      if (await write(db, record, one, null)) return undefined;
    }
  });
}

interface Known {
  readonly latest: RuleRecord | undefined;
  readonly count: number;
}

async function readRule(db: Queryable, key: RuleKey): Promise<Known> {
  const { workspaceId, kind, reference } = key;
  const values = [workspaceId, kind, reference];
  const [row] = await ask<{ desired: string; latest: RuleRow | null; count: number }>(db, READ, values);
  if (row === undefined) throw refuse.noWorkspace(workspaceId);
  if (row.desired === "deleted") throw refuseWorkspace.beingDeleted(workspaceId);
  return { latest: row.latest === null ? undefined : toRule(row.latest), count: row.count };
}

/** Answers whether it is written: it is not where somebody else wrote the version between. */
async function write(db: Queryable, record: RuleRecord, one: Mutation, answer: JsonObject | null): Promise<boolean> {
  const { workspaceId, kind, reference, version, document, createdAt, createdBy } = record;
  const stored = document === undefined ? null : JSON.stringify(documentToStored(document));
  const values = [workspaceId, kind, reference, version, stored, createdAt, createdBy];
  try {
    const written = await ask(db, WRITE, [...values, ...recordValues(one, answer)]);
    if (written.length === 0) throw refuse.noWorkspace(workspaceId);
    return true;
  } catch (error) {
    if (constraintOf(error) === "workspace_rules_pkey") return false;
    throw error;
  }
}

async function requireWorkspace(db: Queryable, id: string): Promise<void> {
  const found = await ask(db, { name: "has-workspace", text: "SELECT FROM workspaces WHERE id = $1" }, [id]);
  if (found.length === 0) throw refuse.noWorkspace(id);
}

function toRule(row: RuleRow): RuleRecord {
  return {
    ...{ workspaceId: row.workspace_id, kind: row.kind, reference: row.reference, version: row.version },
    document: row.document === null ? undefined : documentFromStored(row.document),
    ...{ createdAt: row.created_at, createdBy: row.created_by },
  };
}

function nameOf({ workspaceId, kind, reference }: RuleKey): string {
  return `${workspaceId} ${kind} ${reference}`;
}

function isEqual(a: RuleDocument, b: RuleDocument): boolean {
  return requestHash("", a) === requestHash("", b);
}
