/** A container that has to end unless it is renewed within `inMs`. */
export interface Told {
  readonly containerId: string;
  readonly inMs: number;
}

/** All that an agent tells its guard; each message replaces the one before. */
export interface Message {
  readonly seq: number;
  /** When `inMs` was counted, on the clock that the processes of a machine share. */
  readonly at: number;
  readonly copies: readonly Told[];
}

/** The argument that makes the agent's program a guard; the engine's socket follows it. */
export const GUARD_ARGUMENT = "guard";

/** Milliseconds since the machine booted: the same clock for all its processes. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Reads a line of the agent. @throws Error for one that is no message. */
export function parseMessage(line: string): Message {
  const message = JSON.parse(line) as Partial<Message> | null;
  const copies = message?.copies;
  const isWhole =
    typeof message?.seq === "number" &&
    typeof message.at === "number" &&
    Array.isArray(copies) &&
    copies.every(
      ({ containerId, inMs }: Partial<Told>) => /^[0-9a-f]{12,64}$/.test(containerId ?? "") && Number.isFinite(inMs),
    );
  if (!isWhole) throw new Error(`This is no message of an agent: ${line.slice(0, 100)}`);
  return message as Message;
}

/** The copies with what is left of their time now, `nowMs` by the shared clock. */
export function aged({ at, copies }: Message, nowMs: number): readonly Told[] {
  const ageMs = Math.max(0, nowMs - at);
  return copies.map(({ containerId, inMs }) => ({ containerId, inMs: inMs - ageMs }));
}
