import type { Judged } from "@skep/core/identity/strangers.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { NodeRemoval } from "../store/store.ts";
import type { Verdicts } from "./census.ts";

const NOBODY = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined } as const;

/** A verdict in words; nothing where nothing is done, or where the census has the last word. */
export function decisionOf({ status, verdict }: Judged, nodeId: NodeId, now: number): readonly Decision[] {
  const { instanceId, epoch } = status;
  const at = { ...NOBODY, at: now, instanceId, nodeId, epoch };
  const what = `${instanceId} at epoch ${epoch}`;
  switch (verdict.kind) {
    case "recorded":
    case "unproven":
      return [];
    case "remove":
      return [removalDecision({ nodeId, instanceId, epoch, because: verdict.because }, now)];
    case "restore": {
      const { tenantId, deploymentId } = verdict.location;
      const sentence = `The record of ${what} was missing and is written as its agent sees it.`;
      return [{ ...at, tenantId, deploymentId, kind: "location.restored", sentence }];
    }
    case "left": {
      const sentence = `${what} is left alone: ${verdict.because}. \`skep recover\` shows what can be done about it.`;
      return [{ ...at, kind: "stranger.left", sentence }];
    }
  }
}

/** The removal of something in words. */
export function removalDecision({ nodeId, instanceId, epoch, because }: NodeRemoval, now: number): Decision {
  const sentence = `${instanceId} at epoch ${epoch} is removed: ${because}.`;
  return { ...NOBODY, at: now, instanceId, nodeId, epoch, kind: "stranger.removed", sentence };
}

/** What the brake holds, in words: once for each node. */
export function brakeDecisions({ held, fleet }: Verdicts, now: number): readonly Decision[] {
  const where = fleet ? "in the fleet" : "on the node";
  return [...held].map(([nodeId, count]) => ({
    ...NOBODY,
    at: now,
    nodeId,
    kind: "strangers.frozen",
    sentence: `${count} things on the node have no record, too many ${where} to be strays: none of them is removed. Check whether the records are complete; \`skep recover\` shows what can be done.`,
  }));
}
