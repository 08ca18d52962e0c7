import { SkepError, type ErrorCode } from "@skep/core/error.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { DeploymentId, DeploymentSpec } from "@skep/core/model/deployment.ts";
import { deploymentIdOf, tenantOf } from "@skep/core/model/instance-id.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { podId } from "@skep/core/workspace/pod.ts";
import { podSpec, type PodSecrets, type PodSettings } from "@skep/core/workspace/pod-spec.ts";
import { planPods, whyPodWaits, type PodChange, type PodRecords } from "@skep/core/workspace/plan-pods.ts";
import type { Leadership } from "./leader.ts";
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
const NOTHING: PodNews = { waiting: new Map(), decisions: [] };
const UNSET = "SKEP_WORKSPACE_API_URL is not set, so a pod would not find the schedulers; set it at the schedulers";

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
  let said: ReadonlyMap<WorkspaceId, string> = new Map();

  async function specsOf({ workspaces }: PodRecords): Promise<ReadonlyMap<WorkspaceId, DeploymentSpec>> {
    if (settings === undefined) return new Map();
    const specs = workspaces.map(async ({ id, connector }) => {
      return [id, podSpec(connector, settings, await making.secretsOf(id))] as const;
    });
    return new Map(await Promise.all(specs));
  }

  async function write(change: PodChange): Promise<void> {
    const now = clock.now();
    if (change.kind === "create") await store.createDeployment(change.tenantId, change.spec, [], BY, now);
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
  function refusalNews({ workspaces }: PodRecords, refused: ReadonlyMap<WorkspaceId, string>): readonly Decision[] {
    const news = workspaces.flatMap(({ id, tenantId }): readonly Decision[] => {
      const because = refused.get(id);
      if (because === undefined || said.get(id) === because) return [];
      return [sayOf(podId(tenantId, id), id, clock.now())("pod.refused", `cannot be as it is wanted: ${because}`)];
    });
    said = refused;
    return news;
  }

  return {
    look: async () => {
      const records = await store.loadPods();
      if (records.workspaces.length + records.pods.length === 0) return NOTHING;
      const refused = new Map<WorkspaceId, string>();
      const written = await writeAll(planPods(records, await specsOf(records)), refused);
      if (written.length > 0) wake();
      const decisions = [...written.map(change => newsOf(change, clock.now())), ...refusalNews(records, refused)];
      return { waiting: waitingOf(records, settings !== undefined, refused), decisions };
    },
  };
}

function waitingOf(
  { workspaces, pods }: PodRecords,
  canBeMade: boolean,
  refused: ReadonlyMap<WorkspaceId, string>,
): ReadonlyMap<WorkspaceId, string> {
  const byId = new Map(pods.map(one => [one.deployment.id, one]));
  const waiting = workspaces.flatMap((one): readonly (readonly [WorkspaceId, string])[] => {
    // Until a move has ended it waits for what its mode says.
    if (one.connector.config.resources.type !== "standalone") return [];
    const id = podId(one.tenantId, one.id);
    const because = refused.get(one.id) ?? (canBeMade ? undefined : UNSET);
    if (byId.has(id) && because !== undefined && refused.has(one.id))
      return [[one.id, `waits for its pod ${id}, which cannot be changed: ${because}`]];
    if (!byId.has(id) && because !== undefined)
      return [[one.id, `waits for its pod ${id}, which cannot be made: ${because}`]];
    return [[one.id, whyPodWaits(byId.get(id)) ?? `waits for its pod ${id}, which is being made`]];
  });
  return new Map(waiting);
}

function newsOf(change: PodChange, at: number): Decision {
  const { workspaceId } = change;
  const id = change.kind === "create" ? deploymentIdOf(change.tenantId, change.spec.name) : change.deploymentId;
  const say = sayOf(id, workspaceId, at);
  if (change.kind === "create") return say("pod.made", "is made: the workspace needs a host of its own");
  if (change.desired === "deleted") return say("pod.going", "goes: its workspace needs it no more. Its volumes stay");
  if (change.desired === "stopped") return say("pod.stopping", "stops: its workspace is stopped");
  return say("pod.changed", change.spec === undefined ? "is to run" : "is made anew: something else is wanted of it");
}

function sayOf(id: DeploymentId, workspaceId: WorkspaceId, at: number): (kind: string, what: string) => Decision {
  const where = { deploymentId: id, instanceId: undefined, nodeId: undefined, epoch: undefined };
  const sentence = (what: string): string => `Pod ${id} of workspace ${workspaceId} ${what}`;
  return (kind, what) => ({
    ...{ at, kind, tenantId: tenantOf(id), ...where },
    sentence: sentence(what).replace(/\.?$/, "."),
  });
}
