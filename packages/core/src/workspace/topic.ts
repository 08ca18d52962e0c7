import { isName } from "../model/validate-rules.ts";
import type { WorkspaceId } from "./connector.ts";

/** Where a message of a device goes: `{workspace}/devices/{device}/{category}/{type}`. */
export interface DeviceTopic {
  readonly workspaceId: WorkspaceId;
  readonly deviceId: string;
  /** Such as `telemetry`, `status` or `commands`. */
  readonly category: string;
  /** Such as `location`; empty for a topic that ends with its category. */
  readonly type: string;
}

/** The longest filter; brokers take up to 65,535 bytes, and nobody reads those. */
export const LONGEST_FILTER = 512;

const WORD = /^[A-Za-z0-9._:-]{1,128}$/;

/** Whether the text can be a device's id: one level of a topic without a wildcard. */
export function isDeviceId(text: string): boolean {
  return WORD.test(text);
}

/** Takes a topic apart; `undefined` where it is none of a device. */
export function parseTopic(topic: string): DeviceTopic | undefined {
  const levels = topic.split("/");
  const [workspaceId = "", root, deviceId = "", category = "", type = ""] = levels;
  if (levels.length < 4 || levels.length > 5 || root !== "devices" || !isName(workspaceId)) return undefined;
  const words = levels.slice(2);
  return words.every(word => WORD.test(word)) ? { workspaceId, deviceId, category, type } : undefined;
}

/** Puts a topic together. */
export function topicOf({ workspaceId, deviceId, category, type }: DeviceTopic): string {
  const base = `${workspaceId}/devices/${deviceId}/${category}`;
  return type === "" ? base : `${base}/${type}`;
}

/** The one filter by which a workspace reads all its devices. */
export function deviceFilter(workspaceId: WorkspaceId): string {
  return `${workspaceId}/devices/#`;
}

/** What a device may publish to: its own topics, but for the commands that it is given. */
export function mayPublish(topic: string, device: Pick<DeviceTopic, "workspaceId" | "deviceId">): boolean {
  const parsed = parseTopic(topic);
  return parsed !== undefined && isOf(parsed, device) && parsed.category !== "commands";
}

/**
 * What a device may subscribe to: filters below its own topics, wildcards included, and nothing
 * that begins with `$`.
 */
export function maySubscribe(filter: string, device: Pick<DeviceTopic, "workspaceId" | "deviceId">): boolean {
  if (filter.length > LONGEST_FILTER || !isFilter(filter)) return false;
  const [workspaceId, root, deviceId, ...rest] = filter.split("/");
  if (rest.length === 0) return false;
  return workspaceId === device.workspaceId && root === "devices" && deviceId === device.deviceId;
}

/** Whether a filter is well-formed: `+` and `#` stand for whole levels, `#` at the end only. */
export function isFilter(filter: string): boolean {
  if (filter === "" || filter.includes("\0")) return false;
  const levels = filter.split("/");
  return levels.every((level, index) => {
    if (level === "#") return index === levels.length - 1;
    return level === "+" || !/[+#]/.test(level);
  });
}

/** Whether a filter means a topic; a wildcard never means a `$` at the front. */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const wanted = filter.split("/");
  const levels = topic.split("/");
  for (const [index, level] of wanted.entries()) {
    if (level === "#") return true;
    if (index >= levels.length || (level !== "+" && level !== levels[index])) return false;
  }
  return wanted.length === levels.length;
}

function isOf(topic: DeviceTopic, device: Pick<DeviceTopic, "workspaceId" | "deviceId">): boolean {
  return topic.workspaceId === device.workspaceId && topic.deviceId === device.deviceId;
}
