import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { runs } from "@skep/core/converge/end.ts";
import { isLeased } from "@skep/core/model/volume.ts";
import type { Loop, Orders } from "../loop/loop.ts";
import type { Session } from "./session.ts";

/**
 * Swarm tells the agent to end and the scheduler to evacuate at the same moment; the scheduler
 * gets it from a manager's agent, which looks every 2 s. The agent asks for this long before it
 * takes its end for an update or a restart.
 */
const ASK_FOR_MS = 4_000;
const ASK_EVERY_MS = 500;
/** Below the stop grace of five minutes that the stack gives an agent. */
const STAY_FOR_MS = 270_000;
/** An exclusive copy that could not move has this long to stop. */
const STOP_FOR_MS = 10_000;

/**
 * Takes leave: tells the scheduler, and stays while the node is drained and still has instances
 * that are wanted or not gone yet. Exclusive copies that are still there after that are stopped.
 * Otherwise it returns soon; tenants run on without their agent.
 */
export async function leave(deps: {
  readonly session: Session;
  readonly loop: Loop;
  readonly leases: { giveUp(): void };
  readonly orders: () => Orders;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<void> {
  const { session, loop, leases, orders, clock, log } = deps;
  const isDrained = (): boolean => orders().assignment?.availability === "drain";
  session.sayLeaving();
  const askUntil = clock.monotonic() + ASK_FOR_MS;
  while (!isDrained() && clock.monotonic() < askUntil) {
    if (!(await session.fetch())) return;
    if (!isDrained()) await clock.sleep(ASK_EVERY_MS);
  }
  if (!isDrained()) return;
  log.info("agent.draining", "The node is drained: staying until its instances have moved.");
  const stayUntil = clock.monotonic() + STAY_FOR_MS;
  while (isDrained() && !isEmpty(orders(), loop) && clock.monotonic() < stayUntil) await clock.sleep(ASK_EVERY_MS);
  if (isDrained()) {
    // Nobody renews these any more: they must not run on beside another copy.
    leases.giveUp();
    const stopped = clock.monotonic() + STOP_FOR_MS;
    if (hasExclusive(orders(), loop))
      log.warn("agent.exclusive-stopped", "Exclusive copies could not move: stopping them before the agent ends.");
    while (hasExclusive(orders(), loop) && clock.monotonic() < stopped) await clock.sleep(ASK_EVERY_MS);
  }
  // Leaves time for the last report, which says that the last instance is gone.
  await clock.sleep(ASK_EVERY_MS);
  session.sayLeaving();
}

/** Whether one runs: an assigned one, or one that its labels alone tell of. */
function hasExclusive(orders: Orders, loop: Loop): boolean {
  const leased = (orders.assignment?.instances ?? []).filter(one => isLeased(one.spec)).map(one => one.instanceId);
  return loop.containers().some(one => runs(one) && (one.isExclusive || leased.includes(one.instanceId)));
}

function isEmpty(orders: Orders, loop: Loop): boolean {
  const present = new Set(loop.containers().map(one => `${one.instanceId}@${one.epoch}`));
  const instances = orders.assignment?.instances ?? [];
  const isLeft = ({ desired, instanceId, epoch }: (typeof instances)[number]): boolean =>
    desired === "keep" || (desired === "stop" && !present.has(`${instanceId}@${epoch}`));
  return instances.every(isLeft);
}
