import type { Decision } from "@skep/core/model/decision.ts";
import type { Host, HostId, HostingChange } from "@skep/core/workspace/host.ts";
import type { HostingPlan, HostingRecords } from "@skep/core/workspace/hosting-plan.ts";

/** A host of which something else is believed. */
export interface HostNews {
  readonly id: HostId;
  readonly nodeId: string;
  readonly from: Host["liveness"] | undefined;
  readonly to: Host["liveness"];
}

const NOBODY = {
  tenantId: undefined,
  deploymentId: undefined,
  instanceId: undefined,
  nodeId: undefined,
  epoch: undefined,
};

/** What is said of hosts: those that came, fell silent for good, or are heard again. */
export function hostNews(news: readonly HostNews[], at: number): readonly Decision[] {
  return news.flatMap(({ id, nodeId, from, to }): readonly Decision[] => {
    const where = { ...NOBODY, at, nodeId };
    if (to === "down")
      return [{ ...where, kind: "host.down", sentence: `Host ${id} is silent: it reads no messages any more.` }];
    if (to !== "ready" || from === "suspect") return [];
    return [{ ...where, kind: "host.ready", sentence: `Host ${id} reports and takes workspaces.` }];
  });
}

/** What is said of a plan that was written. */
export function hostingNews(plan: HostingPlan, records: HostingRecords, at: number): readonly Decision[] {
  const tenants = new Map(records.workspaces.map(one => [one.id, one.tenantId]));
  const nodes = new Map(records.hosts.map(one => [one.id, one.nodeId]));
  const hostOf = (workspaceId: string, epoch: number): HostId | undefined =>
    records.locations.find(one => one.workspaceId === workspaceId && one.epoch === epoch)?.hostId;
  const changed = plan.changes.map((change): Decision => {
    const { workspaceId } = change;
    const hostId =
      change.kind === "place" ? change.hostId : change.kind === "wait" ? undefined : hostOf(workspaceId, change.epoch);
    return {
      ...{ ...NOBODY, at, tenantId: tenants.get(workspaceId), nodeId: nodes.get(hostId ?? "") },
      epoch: change.kind === "wait" ? undefined : change.epoch,
      ...wordsOf(change, hostId ?? ""),
    };
  });
  const gone = plan.gone.map(id => ({
    ...{ ...NOBODY, at, tenantId: tenants.get(id), kind: "workspace.gone" },
    sentence: `Workspace ${id} is gone: no host has anything of it.`,
  }));
  return [...moveNews(plan, records, at, tenants), ...changed, ...gone];
}

/** What is said of moves that are in another stage now. */
function moveNews(
  { moves = [] }: HostingPlan,
  records: HostingRecords,
  at: number,
  tenants: ReadonlyMap<string, string>,
): readonly Decision[] {
  const before = new Map(records.moves.map(one => [one.workspaceId, one.stage]));
  return moves.flatMap(({ move }): readonly Decision[] => {
    const { workspaceId: id, stage, because, from, to } = move;
    const last = before.get(id);
    if (last === stage) return [];
    const where = { ...NOBODY, at, tenantId: tenants.get(id) };
    if (stage === "done")
      return [{ ...where, kind: "workspace.moved", sentence: `Workspace ${id} is ${to} now: ${because}.` }];
    if (stage === "returned")
      return [{ ...where, kind: "workspace.returned", sentence: `Workspace ${id} stays ${from}: ${because}.` }];
    const sentence = `Workspace ${id} moves to ${to}, and goes from ${last ?? "nowhere"} to ${stage}: ${because}.`;
    return [{ ...where, kind: "workspace.moving", sentence }];
  });
}

function wordsOf(change: HostingChange, hostId: HostId): Pick<Decision, "kind" | "sentence"> {
  const { workspaceId: id, because } = change;
  switch (change.kind) {
    case "place":
      return { kind: "workspace.placed", sentence: `Workspace ${id} goes to host ${hostId}: ${because}.` };
    case "stop":
      return { kind: "workspace.stopping", sentence: `Workspace ${id} is to leave host ${hostId}: ${because}.` };
    case "forget":
      return { kind: "workspace.released", sentence: `Workspace ${id} is no longer on host ${hostId}: ${because}.` };
    case "wait":
      return { kind: "workspace.waiting", sentence: `Workspace ${id} waits for a host: ${because}.` };
  }
}
