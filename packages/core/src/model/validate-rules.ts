import type { Issue } from "../error.ts";

/** Notes an issue unless `good` holds. */
export function check(issues: Issue[], path: string, good: boolean, problem: string, advice: string): void {
  if (!good) issues.push({ path, problem, advice });
}

/** Notes an issue unless the value is a whole number between both ends, these included. */
export function checkWhole(issues: Issue[], path: string, value: number, least: number, most: number): void {
  const good = Number.isInteger(value) && value >= least && value <= most;
  check(issues, path, good, `${value} is out of range`, `use a whole number from ${least} to ${most}`);
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
