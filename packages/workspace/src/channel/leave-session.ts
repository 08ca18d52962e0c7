import type { Clock } from "@skep/kit/clock.ts";
import { ChannelError } from "./failure.ts";
import { openSession } from "./session.ts";
import type { ReaderSettings } from "./settings.ts";
import { brokerOf, openSocket } from "./socket.ts";
import type { Connect } from "./reader.ts";

const CONNECT_MS = 10_000;
const END_MS = 3_000;

/**
 * Leaves a session at the broker that keeps what is published, and reads nothing of it. Rejects
 * with the text of R145 where that fails.
 */
export async function leaveSession(
  settings: ReaderSettings,
  clock: Clock,
  connect: Connect = overSocket,
  withinMs: number = CONNECT_MS,
): Promise<void> {
  const ready = Promise.withResolvers<undefined>();
  // What the broker sends at once would come again to whoever reads, to be looked for.
  const session = connect({ ...settings, receiveMaximum: 1 }, clock, {
    ready: () => ready.resolve(undefined),
    published: () => undefined,
  });
  const cancel = clock.timer(withinMs, () =>
    session.fail(new ChannelError("unreachable", `no answer within ${withinMs} ms`)),
  );
  const failure = await Promise.race([ready.promise, session.ended]);
  cancel();
  session.leave();
  await session.ended;
  if (failure !== undefined) throw failure;
}

/**
 * Ends a session for good, with what the broker keeps for it, and has gates told so. Rejects as
 * `leaveSession` does.
 */
export function endSession(settings: ReaderSettings, clock: Clock, connect: Connect = overSocket): Promise<void> {
  return leaveSession({ ...settings, beginsAnew: true, sessionExpirySeconds: 0 }, clock, connect, END_MS);
}

const overSocket: Connect = (settings, clock, events) =>
  openSession(openSocket(brokerOf(settings)), settings, clock, events);
