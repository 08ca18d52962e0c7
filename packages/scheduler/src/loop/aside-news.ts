import type { Decision } from "@skep/core/model/decision.ts";
import { tenantOf } from "@skep/core/model/instance-id.ts";
import type { Aside } from "@skep/core/world/culprits.ts";
import type { LoopPorts } from "./ports.ts";

/** Whose records can make a decision throw. */
export interface AsideOf {
  readonly what: "deployment" | "workspace";
  /** `undefined` where nobody knows whose it is. */
  tenantOf(id: string): string | undefined;
}

const NOWHERE = { instanceId: undefined, nodeId: undefined, epoch: undefined };

/** What is set aside of deployments. */
export const ASIDE_DEPLOYMENTS: AsideOf = { what: "deployment", tenantOf };

/**
 * Says of whom nothing is decided, and who is decided on again: once each, as a line of the log and
 * as the decisions that it answers.
 */
export function createAsideNews({ log, clock }: Pick<LoopPorts, "log" | "clock">) {
  let known: Aside = new Map();
  return (aside: Aside, { what, tenantOf: ownerOf }: AsideOf): readonly Decision[] => {
    const before = known;
    known = aside;
    const say = (id: string, kind: string, sentence: string): Decision => ({
      ...{ ...NOWHERE, at: clock.now(), kind, sentence, tenantId: ownerOf(id) },
      deploymentId: what === "deployment" ? id : undefined,
    });
    const came = [...aside].flatMap(([id, error]): readonly Decision[] => {
      if (before.has(id)) return [];
      const sentence = `Nothing is decided of ${what} ${id}, which stays as it is: its records make that fail (${textOf(error)}).`;
      log.error(`${what}.aside`, sentence, { id, error });
      return [say(id, `${what}.aside`, sentence)];
    });
    const back = [...before.keys()].flatMap((id): readonly Decision[] => {
      if (aside.has(id)) return [];
      const sentence = `It is decided of ${what} ${id} again.`;
      log.info(`${what}.resumed`, sentence, { id });
      return [say(id, `${what}.resumed`, sentence)];
    });
    return [...came, ...back];
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
