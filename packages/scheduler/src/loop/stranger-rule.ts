import type { ReportedStatus } from "@skep/api/codec/instance.ts";
import type { Report } from "@skep/api/codec/report.ts";
import type { Removal } from "@skep/core/model/assignment.ts";
import type { Instance, InstanceId, Location } from "@skep/core/model/instance.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { isLive } from "@skep/core/model/state.ts";
import type { Decision, Store } from "../store/store.ts";
import { judge, toJudge, tooManyToRemove, type Found, type Recorded, type Verdict } from "./strangers.ts";

/** What a report means for the records and for its node. */
export interface Findings {
  readonly restore: readonly Location[];
  readonly removals: readonly Removal[];
  /** Rows of the node that its agent does not know: it has to be told again. */
  readonly unheard: readonly Location[];
  readonly decisions: readonly Decision[];
}

const PAGE = 500;

/** Compares a report with the records. Only a full report can show that something recorded is missing on the node. */
export async function examine(store: Store, report: Report, now: number): Promise<Findings> {
  const rows = await rowsOf(store, report.nodeId);
  const recorded = new Set(rows.map(keyOf));
  const found = toJudge(report, status => recorded.has(keyOf(status)));
  const verdicts: { readonly found: Found; readonly verdict: Verdict }[] = [];
  for (const one of found) {
    verdicts.push({ found: one, verdict: judge(one, await lookUp(store, one.status), report.nodeId, now) });
  }
  const unproven = verdicts.filter(({ verdict }) => verdict.kind === "remove" && !verdict.proven).length;
  const frozen = tooManyToRemove(unproven, report.statuses.length + report.strangers.length);
  const removals = verdicts.flatMap(({ found: { status }, verdict }) =>
    verdict.kind === "remove" && (verdict.proven || !frozen)
      ? [{ instanceId: status.instanceId, epoch: status.epoch, because: verdict.because }]
      : [],
  );
  const named = new Set([...report.statuses, ...report.gone, ...report.strangers.map(one => one.status)].map(keyOf));
  return {
    restore: verdicts.flatMap(({ verdict }) => (verdict.kind === "restore" ? [verdict.location] : [])),
    removals,
    unheard: report.full ? rows.filter(row => isLive(row) && !named.has(keyOf(row))) : [],
    decisions: [
      ...verdicts.flatMap(one => decisionOf(one.found.status, one.verdict, report.nodeId, frozen, now)),
      ...(frozen ? [frozenDecision(report.nodeId, unproven, now)] : []),
    ],
  };
}

const keyOf = (of: { readonly instanceId: InstanceId; readonly epoch: number }): string =>
  `${of.instanceId} ${of.epoch}`;

async function rowsOf(store: Store, nodeId: NodeId): Promise<readonly Location[]> {
  const rows: Location[] = [];
  let token: string | undefined;
  do {
    const page = await store.listInstances({ nodeId }, { size: PAGE, token });
    for (const { locations } of page.items) rows.push(...locations.filter(one => one.nodeId === nodeId));
    token = page.nextToken;
  } while (token !== undefined);
  return rows;
}

async function lookUp(store: Store, status: ReportedStatus): Promise<Recorded> {
  const { instanceId } = status;
  const [item] = (await store.listInstances({ instanceId }, { size: 1, token: undefined })).items;
  if (item !== undefined) return { ...item, wasKnown: true };
  return { instance: undefined, locations: [], wasKnown: await wasKnown(store, instanceId) };
}

/** Numbers of instances are never given out twice, so a number below the next one was an instance once. */
async function wasKnown(store: Store, instanceId: InstanceId): Promise<boolean> {
  const [, deploymentId = "", serial = ""] = /^(.+)\.(\d+)$/.exec(instanceId) ?? [];
  const record = deploymentId === "" ? undefined : await store.getDeployment(deploymentId);
  if (record !== undefined && Number(serial) < record.deployment.nextSerial && Number(serial) > 0) return true;
  return (await store.listDecisions({ instanceId }, { size: 1, token: undefined })).items.length > 0;
}

function decisionOf(
  status: ReportedStatus,
  verdict: Verdict,
  nodeId: NodeId,
  frozen: boolean,
  now: number,
): readonly Decision[] {
  const { instanceId, epoch } = status;
  const at = { at: now, tenantId: undefined, deploymentId: undefined, instanceId, nodeId, epoch };
  const what = `${instanceId} at epoch ${epoch}`;
  switch (verdict.kind) {
    case "recorded":
      return [];
    case "restore":
      return [
        {
          ...at,
          ...ownerOf(verdict.location),
          kind: "location.restored",
          sentence: `The record of ${what} was missing and is written as its agent sees it.`,
        },
      ];
    case "remove":
      if (frozen && !verdict.proven) return [];
      return [{ ...at, kind: "stranger.removed", sentence: `${what} is removed: ${verdict.because}.` }];
    case "ahead":
      return [
        {
          ...at,
          kind: "stranger.left",
          sentence: `${what} is left alone: ${verdict.because}. The records may be an old copy; compare them before you remove it by hand.`,
        },
      ];
  }
}

function ownerOf(of: Pick<Instance, "tenantId" | "deploymentId">): Pick<Decision, "tenantId" | "deploymentId"> {
  return { tenantId: of.tenantId, deploymentId: of.deploymentId };
}

function frozenDecision(nodeId: NodeId, count: number, now: number): Decision {
  return {
    ...{ at: now, kind: "strangers.frozen", nodeId },
    ...{ tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined },
    sentence: `${count} things on the node have no record at all, too many to be strays: none of them is removed. Check whether the records are complete.`,
  };
}
