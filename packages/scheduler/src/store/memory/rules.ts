import { emptyAnswer } from "@skep/api/codec/stored/answer.ts";
import { ruleAnswer } from "@skep/api/codec/stored/rule.ts";
import {
  KEPT_VERSIONS,
  MOST_RULES,
  nextVersion,
  refuseRule,
  type RuleDocument,
  type RuleKey,
  type RuleRecord,
} from "@skep/core/rules/record.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { refuseWorkspace } from "@skep/core/workspace/record.ts";
import { inOrder, type Records } from "../memory-records.ts";
import { refuse } from "../refusals.ts";
import { requestHash } from "../request-hash.ts";
import type { RuleStore } from "../rule-store.ts";
import { once } from "./once.ts";
import { pageOf } from "./spec.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;

/** See `RuleStore`. */
export function createRules(records: Records, pass: Pass): RuleStore {
  return {
    putRule: (key, document, baseVersion, request, now) =>
      pass("putRule", () =>
        once(records, request, `rule.put ${keyOf(key)}`, { document, baseVersion }, now, ruleAnswer, audit => {
          requireWorkspace(records, key.workspaceId);
          const latest = versionsOf(records, key).at(-1);
          const version = nextVersion(latest, baseVersion, key);
          if (latest?.document !== undefined && isEqual(latest.document, document)) return latest;
          const others = latestOf(records, key.workspaceId).filter(one => one.kind === key.kind);
          if (latest?.document === undefined && others.length >= MOST_RULES) throw refuseRule.tooMany(key);
          const record = { ...key, version, document, createdAt: now, createdBy: request.actor };
          write(records, record);
          audit();
          return record;
        }),
      ),
    deleteRule: (key, baseVersion, request, now) =>
      pass("deleteRule", () =>
        once(records, request, `rule.delete ${keyOf(key)}`, { baseVersion }, now, emptyAnswer, audit => {
          requireWorkspace(records, key.workspaceId);
          const latest = versionsOf(records, key).at(-1);
          if (latest?.document === undefined) throw refuseRule.missing(key);
          const version = nextVersion(latest, baseVersion, key);
          write(records, { ...key, version, document: undefined, createdAt: now, createdBy: request.actor });
          audit();
        }),
      ),
    listRules: (workspaceId, kind, page) =>
      pass("listRules", () => {
        if (!records.workspaces.has(workspaceId)) throw refuse.noWorkspace(workspaceId);
        const wanted = latestOf(records, workspaceId).filter(one => (kind ?? one.kind) === one.kind);
        return pageOf(wanted, page, nameOf);
      }),
    listRuleVersions: key => pass("listRuleVersions", () => versionsOf(records, key).toReversed()),
    loadRules: workspaceId =>
      pass("loadRules", () => {
        const workspace = records.workspaces.get(workspaceId);
        if (workspace === undefined) return undefined;
        return { rulesVersion: workspace.rulesVersion, records: inOrder(latestOf(records, workspaceId), nameOf) };
      }),
  };
}

/** The order of lists, and what a page goes on after. */
function nameOf({ kind, reference }: RuleRecord): string {
  return `${kind} ${reference}`;
}

function keyOf({ workspaceId, kind, reference }: RuleKey): string {
  return `${workspaceId} ${kind} ${reference}`;
}

function versionsOf(records: Records, key: RuleKey): readonly RuleRecord[] {
  return records.rules.get(keyOf(key)) ?? [];
}

function latestOf(records: Records, workspaceId: WorkspaceId): readonly RuleRecord[] {
  return [...records.rules.values()].flatMap(versions => {
    const latest = versions.at(-1);
    return latest?.workspaceId === workspaceId && latest.document !== undefined ? [latest] : [];
  });
}

function requireWorkspace(records: Records, id: WorkspaceId): void {
  const workspace = records.workspaces.get(id);
  if (workspace === undefined) throw refuse.noWorkspace(id);
  if (workspace.desired === "deleted") throw refuseWorkspace.beingDeleted(id);
}

function write(records: Records, record: RuleRecord): void {
  const workspace = records.workspaces.get(record.workspaceId)!;
  records.workspaces.set(workspace.id, { ...workspace, rulesVersion: workspace.rulesVersion + 1 });
  records.rules.set(keyOf(record), [...versionsOf(records, record), record].slice(-KEPT_VERSIONS));
}

function isEqual(a: RuleDocument, b: RuleDocument): boolean {
  return requestHash("", a) === requestHash("", b);
}
