import { SkepError, type ErrorCode } from "@skep/core/error.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { podId } from "@skep/core/workspace/pod.ts";
import { podSpec, type PodSecrets, type PodSettings } from "@skep/core/workspace/pod-spec.ts";
import { leavingPods, planPods, type PodChange, type PodRecords } from "@skep/core/workspace/plan-pods.ts";
import type { Leadership } from "./leader.ts";
import { newsOf, problemsOf, refusalOf, waitingOf, type Refused } from "./pod-news.ts";
import type { LoopPorts } from "./ports.ts";

/** Makes and keeps the pods of standalone workspaces. */
export interface Pods {
  /** Looks once, and does what is to be done. */
  look(): Promise<PodNews>;
}

/** What came of a look. */
export interface PodNews {
  /** What each workspace waits for that has to have a pod and no host. */
  readonly waiting: ReadonlyMap<WorkspaceId, string>;
  /** Dropped workspaces whose records stay until what is left of their pods has gone. */
  readonly leaving: ReadonlySet<WorkspaceId>;
  readonly decisions: readonly Decision[];
}

/** What pods are made of. */
export interface PodMaking {
  /** `undefined`: nobody said where pods reach the schedulers. */
  readonly settings: PodSettings | undefined;
  secretsOf(workspaceId: WorkspaceId): Promise<PodSecrets>;
}

/** What it works with beside the ports. */
export interface PodsOptions {
  readonly leadership: Leadership;
  readonly making: PodMaking;
  /** Deployments were written: the tick is to look. */
  readonly wake: () => void;
}

const BY = { actor: "scheduler", idempotencyKey: undefined };
const NOTHING: PodNews = { waiting: new Map(), leaving: new Set(), decisions: [] };

/** What a deployment can be refused for. Of any other failure nothing is known. */
const REFUSALS: readonly ErrorCode[] = [
  ...(["resource_exhausted", "failed_precondition", "already_exists", "aborted"] as const),
  ...(["not_found", "invalid_argument"] as const),
];

/**
 * Makes one. Pods are written as the deployments that they are, so that quotas count them and the
 * tick places them. Each write names the version that it goes by. What a leader wrote that was
 * followed meanwhile, the next one's look mends.
 */
export function createPods(ports: LoopPorts, { leadership, making, wake }: PodsOptions): Pods {
  const { store, clock } = ports;
  const { settings } = making;
  let said: Refused = new Map();

  async function write(change: PodChange): Promise<void> {
    const now = clock.now();
    if (change.kind === "create") await store.createDeployment(change.tenantId, change.spec, [], BY, now);
    else if (change.kind === "give-up") await store.giveUpVolume(change.volume, BY, now);
    else {
      const { deploymentId, version, desired, spec } = change;
      const wanted = { desired, ...(spec === undefined ? {} : { spec }) };
      await store.changeDeployment(deploymentId, wanted, version, BY, now);
    }
  }

  async function writeAll(changes: readonly PodChange[], refused: Map<WorkspaceId, string>): Promise<PodChange[]> {
    const written: PodChange[] = [];
    for (const change of changes) {
      if (!leadership.holds()) break;
      try {
        await write(change);
        written.push(change);
      } catch (error) {
        if (!(error instanceof SkepError) || !REFUSALS.includes(error.code)) throw error;
        // Somebody wrote it in between: the next look sees what.
        if (error.code !== "aborted") refused.set(change.workspaceId, error.message);
      }
    }
    return written;
  }

  /** Said once, however often it is tried. */
  function refusalNews({ workspaces }: PodRecords, refused: Refused): readonly Decision[] {
    const news = workspaces.flatMap(({ id, tenantId }): readonly Decision[] => {
      const because = refused.get(id);
      if (because === undefined || said.get(id) === because) return [];
      return [refusalOf(podId(tenantId, id), id, because, clock.now())];
    });
    said = refused;
    return news;
  }

  /** Only what is recorded otherwise. */
  async function saveProblems(records: PodRecords, refused: Refused): Promise<void> {
    const recorded = new Map(records.workspaces.map(one => [one.id, one.podProblem]));
    const now = [...problemsOf(records, settings !== undefined, refused)];
    const changed = now.filter(([id, problem]) => recorded.get(id) !== problem);
    if (changed.length > 0 && leadership.holds()) await store.savePodProblems(new Map(changed));
  }

  return {
    look: async () => {
      const records = await store.loadPods();
      if (records.workspaces.length + records.pods.length === 0) return NOTHING;
      const refused = new Map<WorkspaceId, string>();
      const written = await writeAll(planPods(records, await specsOf(making, records, refused)), refused);
      if (written.length > 0) wake();
      const leaving = leavingPods(records);
      const news = written.map(change => newsOf(change, clock.now(), leaving));
      await saveProblems(records, refused);
      const waiting = waitingOf(records, settings !== undefined, refused);
      return { waiting, leaving, decisions: [...news, ...refusalNews(records, refused)] };
    },
  };
}

/** One whose spec cannot be made is refused it, and the others have theirs. */
async function specsOf(
  { settings, secretsOf }: PodMaking,
  { workspaces }: PodRecords,
  refused: Map<WorkspaceId, string>,
): Promise<ReadonlyMap<WorkspaceId, DeploymentSpec>> {
  const specs = new Map<WorkspaceId, DeploymentSpec>();
  if (settings === undefined) return specs;
  const secrets = await Promise.all(workspaces.map(one => secretsOf(one.id)));
  for (const [at, { id, connector }] of workspaces.entries()) {
    try {
      specs.set(id, podSpec(connector, settings, secrets[at]!));
    } catch (error) {
      refused.set(id, `its spec cannot be made (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  return specs;
}
