import type { Clone } from "@skep/core/identity/sessions.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { Beats } from "./beats.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** What a refused agent is told. */
export const CLONE_WORD =
  "another agent speaks as this node and was there first. Stop this one if the machine is a copy, and remove its data " +
  "directory and its Swarm membership before it joins anew; if this is the node, stop the other one.";

const PERIOD_MS = 1_000;

/** What people are told of a clone, and what they can do. */
export function cloneSentence({ nodeId, kept, refused }: Clone, hostname = ""): string {
  return (
    `Two agents speak as node ${hostname || nodeId} (${nodeId}): session ${kept} was there first and counts, session ` +
    `${refused} is refused. A machine was cloned with its Swarm identity and its agent's key, or two agents run on one. ` +
    "Find the one whose agent logs `session.refused`, stop it, and remove its agent's data and its Swarm membership " +
    "(`docker swarm leave`) before it joins anew. If the wrong one is refused, stop the other: 30 s later it is taken."
  );
}

/** The leader's alarm: it names a node once, as long as two agents send as that node. */
export function createCloneAlarm({ store, clock, log, loops }: LoopPorts, beats: Beats): Running {
  const said = new Set<string>();
  return loops.begin(
    "clones",
    async () => {
      const clones = beats.clones();
      const cloned = new Set(clones.map(one => one.nodeId));
      for (const nodeId of said) if (!cloned.has(nodeId)) said.delete(nodeId);
      const fresh = clones.filter(one => !said.has(one.nodeId));
      if (fresh.length === 0) return;
      await store.saveDecisions(fresh.map(one => decisionOf(one, clock.now())));
      for (const { nodeId, kept, refused } of fresh) {
        said.add(nodeId);
        log.error("node.cloned", cloneSentence({ nodeId, kept, refused }), { nodeId, kept, refused });
      }
    },
    { minGapMs: PERIOD_MS, periodMs: PERIOD_MS },
  );
}

function decisionOf(clone: Clone, at: number): Decision {
  const nobody = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined };
  return { ...nobody, at, kind: "node.cloned", nodeId: clone.nodeId, sentence: cloneSentence(clone) };
}
