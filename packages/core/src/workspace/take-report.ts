import type { WorkspaceLocation } from "./host.ts";
import type { HostAnswer, HostedStatus, HostReport } from "./host-report.ts";

/** What the records say of the host that reports. */
export interface HostOnRecord {
  readonly revision: number;
  /** Of its newest report; 0 where none came yet. */
  readonly seq: number;
  readonly availability: HostReport["availability"];
  readonly workspaceId: HostReport["workspaceId"];
}

/** A location with what its host said of it last. */
export type ReportedLocation = WorkspaceLocation & Omit<HostedStatus, "state" | "workspaceId" | "epoch">;

/** What becomes of a report. */
export interface TakenReport {
  readonly answer: HostAnswer;
  /** Whether the host's record follows it; a late one changes nothing. */
  readonly isNewest: boolean;
  /** What of its statuses is to be written. */
  readonly statuses: readonly HostedStatus[];
  /** Whether the leader has reason to look. */
  readonly changed: boolean;
}

/** Numbers that only people look at are written with every so many reports. */
const COUNTS_EACH = 5;

/**
 * Judges a report while nobody else can write the host's records: which of the workspaces that it
 * names it may read on, and which it has lost. A host that worked by an assignment and that the
 * records do not know, or know less of than it does, owns nothing that they could vouch for.
 */
export function takeReport(
  host: HostOnRecord | undefined,
  locations: readonly ReportedLocation[],
  report: HostReport,
  terms: { readonly holdMs: number; readonly incarnation: string },
): TakenReport {
  const anew = whyAnew(host, report, terms.incarnation);
  if (anew !== "") {
    const answer = { holdMs: terms.holdMs, granted: [], ended: [], anew, revision: 0 };
    return { answer, isNewest: false, statuses: [], changed: false };
  }
  const isNewest = report.seq > (host?.seq ?? 0);
  const known = new Map(locations.map(one => [`${one.workspaceId} ${one.epoch}`, one]));
  const named = report.workspaces.map(status => ({ status, location: known.get(keyOf(status)) }));
  const statuses = named.flatMap(({ status, location }) =>
    isNewest && location !== undefined && isNews(location, status, report.seq) ? [status] : [],
  );
  const stopped = new Set(statuses.filter(one => one.state === "stopped").map(keyOf));
  const granted = named.filter(
    ({ status, location }) => location !== undefined && isReader(location) && !stopped.has(keyOf(status)),
  );
  const ended = named.filter(({ location }) => location === undefined);
  const moved = statuses.some(one => {
    const before = known.get(keyOf(one));
    return before?.state !== one.state || !isSame(before.move, one.move);
  });
  const changed = moved || (isNewest && host?.availability !== report.availability);
  return {
    answer: {
      ...{ holdMs: terms.holdMs, granted: granted.map(toEpoch), ended: ended.map(toEpoch), anew: "" },
      revision: host?.revision ?? 0,
    },
    ...{ isNewest, statuses, changed },
  };
}

function whyAnew(host: HostOnRecord | undefined, { hostId, applied, workspaceId }: HostReport, now: string): string {
  if (host === undefined) return applied.incarnation === "" ? "" : `the records do not know host ${hostId}`;
  if (host.workspaceId !== workspaceId) return `host ${hostId} is recorded for another workspace`;
  const isAhead = applied.incarnation === now && applied.revision > host.revision;
  return isAhead ? `the records know an older state of host ${hostId} than it works by` : "";
}

/** A standby may read nothing, though it is its host's. */
function isReader({ state, role }: ReportedLocation): boolean {
  return state !== "stopped" && role !== "standby";
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What has stopped stays so: somebody else may have been told that it has. */
function isNews(location: ReportedLocation, status: HostedStatus, seq: number): boolean {
  if (location.state === "stopped") return false;
  if (location.state !== status.state || location.isHealthy !== status.isHealthy) return true;
  if (!isSame(location.move, status.move)) return true;
  return location.lastError !== status.lastError || seq % COUNTS_EACH === 0;
}

function keyOf({ workspaceId, epoch }: Pick<HostedStatus, "workspaceId" | "epoch">): string {
  return `${workspaceId} ${epoch}`;
}

function toEpoch({ status: { workspaceId, epoch } }: { readonly status: HostedStatus }) {
  return { workspaceId, epoch };
}
