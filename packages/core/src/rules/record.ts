import { SkepError, type Issue } from "../error.ts";
import type { WorkspaceId } from "../workspace/connector.ts";
import { readRule } from "./read-rule.ts";
import { readSchema } from "./read-schema.ts";

/** What is done when, or how messages are read. */
export type RuleKind = "rule" | "schema";

/** Whose rule or schema is meant. */
export interface RuleKey {
  readonly workspaceId: WorkspaceId;
  readonly kind: RuleKind;
  /** Its name in the workspace: the `id` of a rule, the `reference` of a schema. */
  readonly reference: string;
}

/** JSON of a document, as `readRule` and `readSchema` read it. */
export type RuleDocument = Readonly<Record<string, unknown>>;

/** One version of a rule or a schema; it never changes. */
export interface RuleRecord extends RuleKey {
  /** 1 for the first one; deletions count as well, so that no number is given twice. */
  readonly version: number;
  /** `undefined` where it was deleted with this version. */
  readonly document: RuleDocument | undefined;
  readonly createdAt: number;
  readonly createdBy: string;
}

/** Rules, and as many schemas, that a workspace may have. */
export const MOST_RULES = 200;
/** Versions of one that are kept. */
export const KEPT_VERSIONS = 100;
const MOST_CHARACTERS = 32_768;

/** What no database stores in a text: NUL, and half a character. */
const UNSTORABLE = /(^|[^\\])(\\\\)*\\u(0000|d[89a-f][\da-f]{2})/i;

/** The name of a document, or everything that is wrong with it. */
export function judgeDocument(
  kind: RuleKind,
  document: RuleDocument,
): { readonly reference: string; readonly issues: readonly Issue[] } {
  const written = JSON.stringify(document);
  if (written.length > MOST_CHARACTERS) {
    const problem = `it has ${written.length} characters`;
    return { reference: "", issues: [{ path: "", problem, advice: `use at most ${MOST_CHARACTERS}` }] };
  }
  if (UNSTORABLE.test(written)) {
    const problem = "a text in it has a NUL or half a character";
    return { reference: "", issues: [{ path: "", problem, advice: "leave it out" }] };
  }
  const { value, issues } = kind === "rule" ? readRule(document, 1) : readSchema(document, 1);
  if (value === undefined) return { reference: "", issues };
  return { reference: "id" in value ? value.id : value.reference, issues };
}

/**
 * The version that follows the latest one. @throws SkepError `aborted` `STALE_VERSION` where the
 * change is based on another one; a deleted one counts as none, by 0.
 */
export function nextVersion(latest: RuleRecord | undefined, base: number | undefined, key: RuleKey): number {
  const current = latest?.document === undefined ? 0 : latest.version;
  if (base !== undefined && base !== current) throw refuseRule.staleVersion(key, base, current);
  return (latest?.version ?? 0) + 1;
}

/** Why a rule is not changed: what is wrong, where, and what to do. */
export const refuseRule = {
  staleVersion: ({ kind, reference, workspaceId }: RuleKey, given: number, current: number): SkepError =>
    new SkepError(
      "aborted",
      "STALE_VERSION",
      `The ${kind} ${reference} of workspace ${workspaceId} is at version ${current}, and this change is based on ${given}; read it again and repeat.`,
      { details: { workspaceId, reference, currentVersion: String(current) } },
    ),
  missing: ({ kind, reference, workspaceId }: RuleKey): SkepError =>
    new SkepError(
      "not_found",
      "RULE_NOT_FOUND",
      `Workspace ${workspaceId} has no ${kind} ${reference}; list those that there are.`,
      { details: { workspaceId, reference } },
    ),
  tooMany: ({ kind, workspaceId }: RuleKey): SkepError =>
    new SkepError(
      "resource_exhausted",
      "TOO_MANY_RULES",
      `Workspace ${workspaceId} has ${MOST_RULES} of the kind ${kind} already; delete one that is no longer needed.`,
      { details: { workspaceId } },
    ),
} as const;
