import type { HostedStatus, HostReport } from "@skep/core/workspace/host-report.ts";

/** A report of a shared host that has nothing yet; the parts that are given replace its own. */
export function aHostReport(over: Partial<HostReport> = {}): HostReport {
  return {
    ...{ hostId: "host_a", nodeId: "node-1", workspaceId: undefined, startedAt: 1_700_000_000_000, version: "1" },
    ...{ seq: 1, availability: "active", most: 100, workspaces: [] },
    ...{ address: "10.0.0.7", eventsPort: 7_704 },
    load: { connections: 0, messagesPerSecond: 0, memoryShare: 0 },
    applied: { incarnation: "", term: 0, revision: 0 },
    ...over,
  };
}

/** What a host says of a workspace that runs. */
export function aHostedStatus(over: Partial<HostedStatus> = {}): HostedStatus {
  return {
    ...{ workspaceId: "fleet", epoch: 1, state: "running", isHealthy: true, counts: {}, lastError: "" },
    ...over,
  };
}
