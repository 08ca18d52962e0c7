import type { RuleDocument, RuleKey, RuleKind, RuleRecord } from "@skep/core/rules/record.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Page, PageRequest, Request } from "./request.ts";

/** The latest versions of all rules and schemas of a workspace, as one snapshot. */
export interface LoadedRules {
  /** Grows with each change of them; 0 before the first. */
  readonly rulesVersion: number;
  /** By kind and name, without those that are deleted. */
  readonly records: readonly RuleRecord[];
}

/**
 * What workspaces make of their devices' messages. Each change raises the workspace's
 * `rulesVersion`.
 */
export interface RuleStore {
  /**
   * Records the next version; a document that is equal to the latest changes nothing.
   * @throws SkepError `not_found` `WORKSPACE_NOT_FOUND`, `failed_precondition` `WORKSPACE_DELETED`,
   * `aborted` `STALE_VERSION`, `resource_exhausted` `TOO_MANY_RULES`.
   */
  putRule(
    key: RuleKey,
    document: RuleDocument,
    baseVersion: number | undefined,
    request: Request,
    now: number,
  ): Promise<RuleRecord>;
  /** @throws as `putRule`, and SkepError `not_found` `RULE_NOT_FOUND`. */
  deleteRule(key: RuleKey, baseVersion: number | undefined, request: Request, now: number): Promise<void>;
  /**
   * By kind and name, without those that are deleted.
   * @throws SkepError `not_found` `WORKSPACE_NOT_FOUND`.
   */
  listRules(workspaceId: WorkspaceId, kind: RuleKind | undefined, page: PageRequest): Promise<Page<RuleRecord>>;
  /** Those that are kept, the newest first; none where there never was one. */
  listRuleVersions(key: RuleKey): Promise<readonly RuleRecord[]>;
  /** `undefined` where there is no such workspace. */
  loadRules(workspaceId: WorkspaceId): Promise<LoadedRules | undefined>;
}
