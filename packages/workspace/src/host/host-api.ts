import type { RuleRecord } from "@skep/core/rules/record.ts";
import type { HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { HostAnswer, HostReport } from "@skep/core/workspace/host-report.ts";
import type { HostId } from "@skep/core/workspace/host.ts";
import type { WebhookTarget } from "../rules/webhook-posting.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";

/** As what a process was let in. */
export interface Enrolled {
  readonly hostId: HostId;
  /** The one workspace that it may run; `undefined` for a host that many share. */
  readonly workspaceId: WorkspaceId | undefined;
}

/** Rules and schemas as they are recorded. */
export interface LoadedRules {
  /** As an assignment has it: another one is asked for. */
  readonly rulesVersion: number;
  readonly records: readonly RuleRecord[];
  /** Where the rules may post to, by name. */
  readonly webhooks: ReadonlyMap<string, WebhookTarget>;
}

/** The schedulers, as a host sees them. Every call rejects with a SkepError. */
export interface HostApi {
  /** Joins as the host that this identity makes. */
  enrol(identity: string, signal: AbortSignal): Promise<Enrolled>;
  /** All that it is to run, at once and after each change, until the stream ends or is left. */
  attach(hostId: HostId, signal: AbortSignal): AsyncIterable<HostAssignment>;
  /**
   * The latest rules and schemas of a workspace that it has, as `readRuleSet` of core reads them.
   */
  loadRules(hostId: HostId, workspaceId: WorkspaceId, signal: AbortSignal): Promise<LoadedRules>;
  /** Says how it is; the answer is its lease. */
  report(report: HostReport, signal: AbortSignal): Promise<HostAnswer>;
}
