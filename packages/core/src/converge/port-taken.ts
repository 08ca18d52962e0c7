import type { PortBinding } from "../model/instance.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { runs } from "./end.ts";
import { wake } from "./round.ts";
import type { Round } from "./round.ts";
import { stepKey } from "./step.ts";

/**
 * Another port or node is found within seconds, so nobody waits longer for one that is being freed.
 */
const LONGEST_WAIT_MS = 10_000;
/**
 * A port can be free again a moment after it was refused; one that is refused twice in a row is
 * somebody's.
 */
const MOST_REFUSALS = 2;

/**
 * What a container does whose host port was taken: it waits, or it is given up for the scheduler to
 * place anew.
 */
export type PortVerdict = { readonly kind: "wait" | "give-up"; readonly because: string };

/**
 * What follows from the engine's refusals of a host port; `undefined` where the container may be
 * started, once more or for the first time.
 */
export function judgePort(round: Round, seen: ObservedContainer): PortVerdict | undefined {
  const tried = round.input.memory.tries[stepKey.start(seen.id)];
  if (tried?.portTaken === undefined) return undefined;
  const { since, times } = tried.portTaken;
  const because = `${nameOf(seen.ports, tried.lastError)} taken: ${tried.lastError}`;
  if (times >= MOST_REFUSALS) return { kind: "give-up", because };
  const holder = leavingHolder(round, seen);
  if (holder === undefined) return undefined;
  const until = since + LONGEST_WAIT_MS;
  if (round.now >= until) return { kind: "give-up", because };
  wake(round, until);
  const { instanceId, epoch } = holder;
  return { kind: "wait", because: `${because}; ${instanceId} at epoch ${epoch} has it and is being ended` };
}

/** A container of ours that has one of the ports, and is on its way out. */
function leavingHolder(round: Round, seen: ObservedContainer): ObservedContainer | undefined {
  return round.input.observed.containers.find(
    one =>
      one.id !== seen.id &&
      (one.state === "removing" || (runs(one) && round.inFlight.has(stepKey.stop(one.id)))) &&
      one.ports.some(held =>
        seen.ports.some(port => port.hostPort === held.hostPort && port.protocol === held.protocol),
      ),
  );
}

/** The ports that the engine's words name; all that it would bind where they name none. */
function nameOf(ports: readonly PortBinding[], words: string): string {
  const named = ports.filter(({ hostPort }) => new RegExp(`:${hostPort}(?!\\d)`).test(words));
  const list = [...new Set((named.length > 0 ? named : ports).map(({ hostPort }) => hostPort))];
  return list.length === 1 ? `the host port ${list[0]} of its node is` : `of the host ports ${list.join(", ")} one is`;
}
