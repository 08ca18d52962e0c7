import type { Liveness as Believed, Node, NodeId } from "@skep/core/model/node.ts";
import type { Assessment } from "@skep/core/liveness.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { Hints } from "./hints.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts } from "./ports.ts";

/** Changes of belief on their way into the records, the log and everybody's ears. */
export interface NodeNews {
  changed(node: Node, next: Believed, silentMs: number, isRevoked: boolean): void;
  /**
   * Notes where records differ from this leader's verdict: a former leader may have written after
   * this one began, and a person at any time. Answers whether there is such a record.
   */
  compare(recorded: readonly Node[], believed: ReadonlyMap<NodeId, Believed>): boolean;
  frozen(assessment: Assessment): void;
  /**
   * Records what was noted; what could not be recorded is kept for the next time. @throws the
   * store's error.
   */
  save(): Promise<void>;
}

/** Makes it, with nothing noted. */
export function createNodeNews(
  ports: Pick<LoopPorts, "store" | "clock" | "log">,
  hints: Hints,
  leadership: Leadership,
): NodeNews {
  const { store, clock, log } = ports;
  let unsaved = new Map<NodeId, Believed>();
  let untold: Decision[] = [];
  return {
    changed: (node, next, silentMs, isRevoked) => {
      unsaved.set(node.id, next);
      untold.push(isRevoked ? revocationOf(node, clock.now()) : changeOf(node, next, silentMs, clock.now()));
    },
    compare: (recorded, believed) => {
      const differing = recorded.filter(({ id, liveness }) => (believed.get(id) ?? liveness) !== liveness);
      for (const { id, liveness } of differing) unsaved.set(id, believed.get(id) ?? liveness);
      return differing.length > 0;
    },
    frozen: assessment => void untold.push(freezeOf(assessment, clock.now())),
    save: async () => {
      const [liveness, decisions] = [unsaved, untold];
      if (liveness.size + decisions.length === 0) return;
      [unsaved, untold] = [new Map(), []];
      for (const { kind, sentence, ...fields } of decisions) log.info(kind, sentence, fields);
      hints.tell({ events: decisions, nodeIds: [...liveness.keys()] });
      try {
        await store.saveLiveness(liveness, leadership);
      } catch (error) {
        unsaved = new Map([...liveness, ...unsaved]);
        throw error;
      }
      await store.saveDecisions(decisions);
    },
  };
}

function changeOf(node: Node, next: Believed, silentMs: number, now: number): Decision {
  const seconds = (silentMs / 1000).toFixed(1);
  const sentences: Readonly<Record<Believed, string>> = {
    ready: `Node ${node.hostname} is ready.`,
    unknown: `Node ${node.hostname} has not been heard of yet.`,
    suspect: `Node ${node.hostname} has been silent for ${seconds} s and gets no new work.`,
    down: `Node ${node.hostname} has been silent for ${seconds} s and its peers cannot reach it: what it ran is placed elsewhere.`,
  };
  return { ...NOBODY, at: now, kind: `node.${next}`, nodeId: node.id, sentence: sentences[next] };
}

function revocationOf(node: Node, at: number): Decision {
  const sentence = `Node ${node.hostname} is revoked: its agent is not heard any more, and what it ran is placed elsewhere.`;
  return { ...NOBODY, at, kind: "node.down", nodeId: node.id, sentence };
}

function freezeOf({ frozen, because }: Assessment, now: number): Decision {
  const sentence = frozen ? `${because}.` : "Enough nodes are heard again: what is silent may be called down.";
  return { ...NOBODY, at: now, kind: frozen ? "fleet.frozen" : "fleet.thawed", nodeId: undefined, sentence };
}

const NOBODY = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined } as const;
