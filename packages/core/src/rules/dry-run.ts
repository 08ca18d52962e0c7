import { chooseSchema } from "./choose-schema.ts";
import { evaluate, evaluateSilence, NO_MEMORY, type DeviceMemory, type Effect, type Evaluation } from "./evaluate.ts";
import { silenceMs } from "./judge.ts";
import type { Decoded } from "./layout.ts";
import type { Rule } from "./rule.ts";
import type { Format, Schema } from "./schema.ts";
import { typeFields } from "./typed.ts";
import type { Fields } from "./value.ts";

/** A message that is tried out. */
export interface TriedMessage {
  readonly deviceId: string;
  readonly category: string;
  readonly type: string;
  /** ms since the epoch. */
  readonly at: number;
  /** Its bytes read by a format; typed fields where it has them already. */
  readonly read: ((format: Format) => Decoded) | { readonly fields: Fields };
}

/** What one message, or the silence after one, would lead to. */
export interface TriedStep {
  /** Place of the message in the list; of a silence that of the device's last message. */
  readonly index: number;
  readonly deviceId: string;
  readonly at: number;
  readonly isSilence: boolean;
  /** The schema that read it; empty for none. */
  readonly schema: string;
  /** No schema reads it and it has no typed fields: conditions see nothing of it. */
  readonly isUnread: boolean;
  /** Why it would be set aside; empty where it would not. */
  readonly problem: string;
  readonly effects: readonly Effect[];
}

interface Device {
  readonly memory: DeviceMemory;
  /** Place of its last message. */
  readonly index: number;
  /** Until when its silence was asked about. */
  readonly askedAt: number;
}

/**
 * What rules would make of messages, in their order, and of the silences between them; nothing is
 * done about it. A silence after the last message is asked about until `untilAt`.
 */
export function dryRun(
  rules: readonly Rule[],
  schemas: ReadonlyMap<string, Schema>,
  messages: readonly TriedMessage[],
  untilAt: number,
): readonly TriedStep[] {
  const devices = new Map<string, Device>();
  const steps: TriedStep[] = [];
  for (const [index, message] of messages.entries()) {
    steps.push(...silences(rules, devices, message.at));
    const { deviceId, at } = message;
    const { fields, problem, schema, isUnread = false } = read(schemas, message);
    const before = devices.get(deviceId)?.memory ?? NO_MEMORY;
    const { effects, memory }: Evaluation =
      fields === undefined ? { effects: [], memory: before } : evaluate(rules, { ...message, fields }, before, at);
    devices.set(deviceId, { memory, index, askedAt: memory.lastAt });
    steps.push({ ...{ index, deviceId, at, schema, isUnread, problem, effects }, isSilence: false });
  }
  return [...steps, ...silences(rules, devices, untilAt)];
}

/** Asks about every silence that ends at a time of a rule, up to `until`, in the order of times. */
function silences(rules: readonly Rule[], devices: Map<string, Device>, until: number): readonly TriedStep[] {
  const lengths = rules.flatMap(rule => (rule.enabled ? (silenceMs(rule.when) ?? []) : []));
  const due = [...devices].flatMap(([deviceId, { memory, askedAt }]) =>
    [...new Set(lengths.map(ms => memory.lastAt + ms))]
      .filter(at => memory.lastAt > 0 && at > askedAt && at <= until)
      .map(at => ({ deviceId, at })),
  );
  return due
    .toSorted((a, b) => a.at - b.at)
    .flatMap(({ deviceId, at }) => {
      const { memory: before, index } = devices.get(deviceId)!;
      const { effects, memory } = evaluateSilence(rules, before, at);
      devices.set(deviceId, { memory, index, askedAt: at });
      const step = { ...{ index, deviceId, at, effects }, isSilence: true, schema: "", isUnread: false, problem: "" };
      return effects.length === 0 ? [] : [step];
    });
}

interface Reading {
  readonly fields: Fields | undefined;
  readonly problem: string;
  readonly schema: string;
  readonly isUnread?: boolean;
}

function read(schemas: ReadonlyMap<string, Schema>, message: TriedMessage): Reading {
  if (typeof message.read !== "function") return { fields: message.read.fields, problem: "", schema: "" };
  const schema = chooseSchema(schemas, message);
  // What no schema types is stored as it is, and rules see no field of it.
  if (schema === undefined) return { fields: new Map(), problem: "", schema: "", isUnread: true };
  const decoded = message.read(schema.format);
  const { reference } = schema;
  if ("problem" in decoded) return { fields: undefined, problem: decoded.problem, schema: reference };
  const { fields, problems } = typeFields(decoded.value, schema);
  return { fields, problem: problems.map(one => `${one.field}: ${one.problem}`).join("; "), schema: reference };
}
