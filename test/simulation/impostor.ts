import { encodeFetch } from "@skep/api/codec/assignment.ts";
import { encodeReport, type Report } from "@skep/api/codec/report.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { Platform } from "./platform.ts";

/** The session of a stolen agent; nothing that it says may reach the records. */
export const IMPOSTOR = "impostor";

/** Speaks once with the credential of `who`, hence on its subjects, as if it were another node. */
export function impersonate(platform: Platform, who: string, other: string): void {
  const bus = platform.network.connect(who);
  const { node } = platform.database.records.nodes.get(other) ?? {};
  if (node === undefined) return;
  const { hostname, os, architecture, engineVersion, capacity } = node;
  const report: Report = {
    ...{ nodeId: other, sessionId: IMPOSTOR, seq: 1, full: true, statuses: [], gone: [], strangers: [], usage: [] },
    ...{ incarnation: "", appliedTerm: 0, appliedRevision: 0, volumes: undefined },
    facts: {
      ...{ nodeId: other, sessionId: IMPOSTOR, bootId: "b", hostname, address: "10.66.6.6", os, architecture },
      ...{ engineVersion, engineLabels: {}, capacity, agentVersion: "0" },
    },
  };
  bus.publish(nodeSubject("report", who), encodeReport(report), { replyTo: bus.inbox() });
  const fetch = encodeFetch({ nodeId: other, sessionId: IMPOSTOR, incarnation: "", term: 0, revision: 0 });
  bus.publish(nodeSubject("fetch", who), fetch, { replyTo: bus.inbox() });
}
