import { judge, silenceMs, type Memory } from "./judge.ts";
import type { Action, Rule } from "./rule.ts";
import type { Fields } from "./value.ts";

/** One message of a device, typed. */
export interface Event {
  readonly deviceId: string;
  readonly category: string;
  readonly type: string;
  /** When the device says that it was; when it arrived, where the device has no clock. */
  readonly at: number;
  readonly fields: Fields;
}

/** What one rule remembers of one device. */
export interface RuleMemory {
  readonly ruleId: string;
  /** Of which version: what another one remembered means nothing. */
  readonly version: number;
  readonly conditions: Memory;
  readonly holds: boolean;
  /** When it last acted. */
  readonly actedAt: number;
}

/** All that the rules remember of one device. */
export interface DeviceMemory {
  /** When its latest message was; 0 before the first. */
  readonly lastAt: number;
  /** By the id of the rule. */
  readonly rules: ReadonlyMap<string, RuleMemory>;
}

/** A device that was never heard of. */
export const NO_MEMORY: DeviceMemory = { lastAt: 0, rules: new Map() };

/** Something to be done, and which rule says so. */
export interface Effect {
  readonly ruleId: string;
  readonly version: number;
  readonly action: Action;
  /** Whether the rule began to hold, holds still, or no longer does. */
  readonly because: "begins" | "holds" | "ends";
}

/** What a message, or silence, leads to. */
export interface Evaluation {
  readonly effects: readonly Effect[];
  readonly memory: DeviceMemory;
}

/**
 * What the rules make of a message. A message that is older than the latest one of its device
 * comes too late to say what holds now: nothing is done about it and nothing remembered.
 */
export function evaluate(rules: readonly Rule[], event: Event, memory: DeviceMemory, now: number): Evaluation {
  const at = Math.min(event.at, now);
  if (at < memory.lastAt) return { effects: [], memory };
  const concerned = rules.filter(rule => rule.enabled && isAbout(rule, event));
  return judgeAll(concerned, { fields: event.fields, at }, { ...memory, lastAt: at }, now);
}

/** What the rules make of the silence of a device, which is asked at the time of `silentAt`. */
export function evaluateSilence(rules: readonly Rule[], memory: DeviceMemory, now: number): Evaluation {
  const concerned = rules.filter(rule => rule.enabled && silenceMs(rule.when) !== undefined);
  return judgeAll(concerned, { fields: undefined, at: memory.lastAt }, memory, now);
}

/**
 * When the silence of a device first means something, ms; `undefined` for never. It is in the past
 * where that was not asked yet.
 */
export function silentAt(rules: readonly Rule[], memory: DeviceMemory): number | undefined {
  const times = rules.flatMap(rule => {
    const afterMs = rule.enabled ? silenceMs(rule.when) : undefined;
    const isKnown = memory.rules.get(rule.id)?.version === rule.version && memory.rules.get(rule.id)?.holds === true;
    return afterMs === undefined || isKnown ? [] : [memory.lastAt + afterMs];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The memory of a device without rules that are gone, or that have another version by now. */
export function forgetRules(memory: DeviceMemory, rules: readonly Rule[]): DeviceMemory {
  const versions = new Map(rules.map(rule => [rule.id, rule.version]));
  const kept = [...memory.rules].filter(([id, { version }]) => versions.get(id) === version);
  return kept.length === memory.rules.size ? memory : { ...memory, rules: new Map(kept) };
}

function isAbout({ category, type }: Rule, event: Event): boolean {
  return (category === "" || category === event.category) && (type === "" || type === event.type);
}

function judgeAll(
  rules: readonly Rule[],
  heard: { readonly fields: Fields | undefined; readonly at: number },
  memory: DeviceMemory,
  now: number,
): Evaluation {
  const effects: Effect[] = [];
  const next = new Map(memory.rules);
  for (const rule of rules) {
    const known = memory.rules.get(rule.id);
    const before = known?.version === rule.version ? known : undefined;
    const judged = judge(rule.when, heard, before?.conditions ?? new Map(), now);
    const because = changeOf(before?.holds ?? false, judged.holds);
    const actions = because === "ends" ? rule.clearActions : because === undefined ? [] : rule.actions;
    const isDue = because !== "holds" || isRepeated(rule, heard.fields, now - (before?.actedAt ?? 0));
    const acts = isDue && because !== undefined;
    const { id: ruleId, version } = rule;
    if (acts) effects.push(...actions.map(action => ({ ruleId, version, action, because })));
    const actedAt = acts ? now : (before?.actedAt ?? 0);
    next.set(ruleId, { ruleId, version, conditions: judged.memory, holds: judged.holds, actedAt });
  }
  return { effects, memory: { ...memory, rules: next } };
}

function changeOf(held: boolean, holds: boolean): Effect["because"] | undefined {
  if (holds) return held ? "holds" : "begins";
  return held ? "ends" : undefined;
}

/** Silence repeats nothing with each message, since there is none. */
function isRepeated({ repeat }: Rule, fields: Fields | undefined, sinceMs: number): boolean {
  if (repeat.kind === "once") return false;
  return repeat.kind === "always" ? fields !== undefined : sinceMs >= repeat.ms;
}
