import { readFileSync } from "node:fs";

/**
 * A process that cannot be mistaken for another: its id, the clock tick it started at, and the boot
 * it belongs to.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
}

/** The identity of a running process, or undefined when there is none with this id. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTicks = startTicksOf(pid);
  return startTicks === undefined ? undefined : { pid, startTicks, bootId: bootId() };
}

/**
 * Whether exactly this process is still running; a zombie or a later process with the same id is
 * not.
 */
export function isAlive(identity: ProcessIdentity): boolean {
  return identity.bootId === bootId() && startTicksOf(identity.pid) === identity.startTicks;
}

/** Sends a signal to exactly this process. Returns false, and signals nobody, when it is gone. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, name);
  } catch {
    return false;
  }
}

/** The kernel's id of the current boot: process ids of an earlier one mean nothing. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function startTicksOf(pid: number): number | undefined {
  try {
    return startTicksIn(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

// The name of the program, in parentheses, may hold spaces: the fields are counted from the last
// closing one. Field 3 is the state, field 22 the start time.
function startTicksIn(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return Number(fields[19]);
}
