import type { Decision } from "@skep/core/model/decision.ts";
import { decideScaling } from "@skep/core/workspace/container.ts";
import type { ScalableWorkspace, ScalingStep } from "../store/scaling-store.ts";
import { createDecisionKeeper } from "./decision-keeper.ts";
import type { Hints } from "./hints.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** Loads are means of a minute, so that nothing is gained by looking more often. */
const PERIOD_MS = 5_000;

interface Step extends ScalingStep {
  readonly tenantId: string;
  readonly because: string;
}

/**
 * The leader's loop that gives workspaces more or less room, by their policies and by what their
 * hosts report. What it does is told and recorded; why it does nothing, a dry run says.
 */
export function createScaling(
  ports: LoopPorts,
  options: { readonly leadership: Leadership; readonly hints: Hints },
): Running {
  const { store, clock, log, loops } = ports;
  const { leadership, hints } = options;
  const decisions = createDecisionKeeper(ports);

  async function run(): Promise<void> {
    const { unrecovered } = await store.loadIdentity();
    if (unrecovered !== undefined || !leadership.holds()) return;
    const steps = (await store.loadScaling()).flatMap(one => stepOf(one, clock.now()));
    if (steps.length === 0 || !leadership.holds()) return;
    const result = await store.commitScaling(steps.map(plain), leadership, clock.now());
    if (result.kind === "stale") return;
    const news = steps.filter(one => result.written.includes(one.workspaceId)).map(one => newsOf(one, clock.now()));
    if (news.length === 0) return;
    for (const { kind, sentence, at: _, ...fields } of news) log.info(kind, sentence, fields);
    hints.tell({ events: news });
    await decisions.keep(news);
  }

  const loop = loops.begin("scaling", run, { minGapMs: 100, periodMs: PERIOD_MS });
  loop.hint();
  return {
    close: async () => {
      await loop.close();
      await decisions.close();
    },
  };
}

function stepOf(workspace: ScalableWorkspace, now: number): readonly Step[] {
  const { id: workspaceId, tenantId, policy, instances: from } = workspace;
  const { instances: to, because } = decideScaling(policy, workspace, now);
  return to === from ? [] : [{ workspaceId, tenantId, from, to, because }];
}

function plain({ workspaceId, from, to }: Step): ScalingStep {
  return { workspaceId, from, to };
}

function newsOf({ workspaceId, tenantId, from, to, because }: Step, at: number): Decision {
  return {
    ...{ at, tenantId, deploymentId: undefined, instanceId: undefined, nodeId: undefined, epoch: undefined },
    kind: "workspace.scaled",
    sentence: `Workspace ${workspaceId} has the room of ${to} instead of ${from} instances: ${because}.`,
  };
}
