import { culpritsOf, type Aside } from "../world/culprits.ts";
import type { WorkspaceId } from "./connector.ts";
import type { HostingPlan, HostingRecords } from "./hosting-plan.ts";
import type { MigrationTimes } from "./migration-state.ts";
import { planHosting, type HostLiveness } from "./plan-hosting.ts";
import { planMoves, type GatesBehind } from "./plan-moves.ts";
import { withPodWords } from "./pod-words.ts";

/** What a leader goes by beside the records. */
export interface HostingFacts {
  readonly liveness: HostLiveness;
  readonly gates: GatesBehind;
  readonly now: number;
  /** As for a fleet where it is undefined. */
  readonly moveTimes: MigrationTimes | undefined;
  readonly pods: {
    /** What workspaces wait for whose own hosts do not report. */
    readonly waiting: ReadonlyMap<WorkspaceId, string>;
    /** Those that stay until their pods and volumes have left. */
    readonly leaving: ReadonlySet<WorkspaceId>;
  };
}

/**
 * Who runs which workspace from now on, and how moves go on. Where deciding that throws, the
 * workspaces whose records make it throw are set aside and stay as they are.
 * @throws what was thrown, where no workspace by itself makes it throw.
 */
export function planAround(
  records: HostingRecords,
  facts: HostingFacts,
): { readonly plan: HostingPlan; readonly aside: Aside } {
  const decide = (part: HostingRecords): HostingPlan => planAll(part, facts);
  try {
    return { plan: decide(records), aside: new Map() };
  } catch {
    const { workspaces, locations, moves } = records;
    const ids = [...workspaces.map(one => one.id), ...[...locations, ...moves].map(one => one.workspaceId)];
    const aside = culpritsOf({ ids: [...new Set(ids)], records, partOf, decide });
    const plan = decide(partOf(records, new Set(ids.filter(id => !aside.has(id)))));
    // A host that has one of them is not done with.
    const busy = new Set(locations.map(one => one.hostId));
    return { plan: { ...plan, lost: plan.lost.filter(id => !busy.has(id)) }, aside };
  }
}

function planAll(records: HostingRecords, { liveness, gates, now, moveTimes, pods }: HostingFacts): HostingPlan {
  const moves = planMoves(records, liveness, gates, now, moveTimes);
  return withPodWords(planHosting(records, liveness, moves), records, pods.waiting, pods.leaving);
}

function partOf(
  { hosts, workspaces, locations, moves }: HostingRecords,
  ids: ReadonlySet<WorkspaceId>,
): HostingRecords {
  const isOf = (one: { readonly workspaceId: WorkspaceId }): boolean => ids.has(one.workspaceId);
  return {
    ...{ hosts, workspaces: workspaces.filter(one => ids.has(one.id)) },
    ...{ locations: locations.filter(isOf), moves: moves.filter(isOf) },
  };
}
