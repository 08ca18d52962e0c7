import type { Issue } from "../error.ts";
import type { Bounds } from "./bounds.ts";

/** Notes an issue unless `good` holds. */
export function check(issues: Issue[], path: string, good: boolean, problem: string, advice: string): void {
  if (!good) issues.push({ path, problem, advice });
}

/** Notes an issue unless the value is a whole number between both ends, these included. */
export function checkWhole(issues: Issue[], path: string, value: number, least: number, most: number): void {
  const good = Number.isInteger(value) && value >= least && value <= most;
  check(issues, path, good, `${value} is out of range`, `use a whole number from ${least} to ${most}`);
}

/** The same for bounds that have a name. */
export function checkWithin(issues: Issue[], path: string, value: number, { least, most }: Bounds): void {
  checkWhole(issues, path, value, least, most);
}

/** Notes an issue where a text has more characters than it may. */
export function checkLength(issues: Issue[], path: string, text: string | undefined, most: number): void {
  const good = text === undefined || codePoints(text) <= most;
  check(issues, path, good, `it has more than ${most} characters`, "write less");
}

/**
 * Whether the text is an absolute path without `.` and `..`, a NUL or a colon, as a mount's target
 * has to be.
 */
export function isMountPath(text: string): boolean {
  if (!text.startsWith("/") || text.length < 2 || text.length > 4096) return false;
  return !text.includes("..") && !text.split("/").includes(".") && !/[\0:]/.test(text);
}

/**
 * Whether a mount there would cover the whole file system or what the kernel shows in it: no
 * tenant's container may.
 */
export function isKernelPath(text: string): boolean {
  return /^\/+(\.\/+)*((proc|sys|dev)(\/|$)|\.?$)/.test(text);
}

/** Whether a mount there would stand for the engine's socket: no tenant's container may have it. */
export function isEngineSocket(text: string): boolean {
  return /(^|\/)docker\.sock(\/+\.?)*$/.test(text);
}

/**
 * Whether a text may name a deployment, a tenant or a container: it becomes part of container names
 * and host names.
 */
export function isName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(text);
}

/** The characters of a text as spec.proto counts them. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** What the kernel takes at most as one argument or one variable of a program, with its end. */
const MOST_BYTES = 128 * 1024;

/** Whether the kernel starts a program with this argument, or with this `NAME=value`. */
export function isStartable(text: string): boolean {
  // A UTF-16 unit is at most three bytes in UTF-8.
  if (text.length * 3 < MOST_BYTES) return true;
  let bytes = 0;
  for (const one of text) {
    const point = one.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes < MOST_BYTES;
}

const SIGNALS =
  "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP " +
  "TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX";
const SIGNAL_NAMES: ReadonlySet<string> = new Set(SIGNALS.split(" "));

/** Whether engines know the signal: a name with or without SIG, or a number of Linux. */
export function isSignal(text: string): boolean {
  if (/^\d{1,2}$/.test(text)) return Number(text) >= 1 && Number(text) <= 64;
  const name = text.replace(/^SIG/, "");
  const [, from, distance] = /^RT(MIN\+|MAX-)(\d{1,2})$/.exec(name) ?? [];
  if (from === undefined) return SIGNAL_NAMES.has(name);
  return Number(distance) >= 1 && Number(distance) <= (from === "MIN+" ? 15 : 14);
}

const MOST_UID = 2 ** 31 - 1;

/** Whether the text is a user, uid, user:group or uid:gid; engines bound the numbers. */
export function isUser(text: string): boolean {
  const parts = text.split(":");
  const isPart = (part: string): boolean =>
    /^\d+$/.test(part) ? Number(part) <= MOST_UID : /^[a-zA-Z0-9_.][a-zA-Z0-9_.-]*$/.test(part);
  return parts.length <= 2 && parts.every(isPart);
}
