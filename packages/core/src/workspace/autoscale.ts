/** When a workspace is given more or fewer instances (R111..R118). */
export interface ScalingPolicy {
  readonly enabled: boolean;
  /** Above one of these another instance is added. */
  readonly triggers: Triggers;
  /** Seconds that have to pass after a change before the next one. */
  readonly cooldown: number;
  readonly maxInstances: number;
}

/** What is measured, as the mean over the instances; shares in per cent. */
export interface Triggers {
  readonly cpuUsage: number;
  readonly memoryUsage: number;
  readonly connectionCount: number;
  readonly messagesPerSecond: number;
}

/** The thresholds of the requirements (R113..R118). */
export const DEFAULT_SCALING: ScalingPolicy = {
  enabled: false,
  triggers: { cpuUsage: 80, memoryUsage: 70, connectionCount: 400, messagesPerSecond: 5000 },
  cooldown: 300,
  maxInstances: 5,
};

/** A policy as a change has it: what is absent stays as it is. */
export type ScalingChange = {
  readonly [Name in keyof Omit<ScalingPolicy, "triggers">]?: ScalingPolicy[Name] | undefined;
} & { readonly triggers?: { readonly [Name in keyof Triggers]?: number | undefined } | undefined };

/** The policy after a change. */
export function changedScaling(known: ScalingPolicy, change: ScalingChange): ScalingPolicy {
  const { triggers = {} } = change;
  return {
    enabled: change.enabled ?? known.enabled,
    triggers: {
      cpuUsage: triggers.cpuUsage ?? known.triggers.cpuUsage,
      memoryUsage: triggers.memoryUsage ?? known.triggers.memoryUsage,
      connectionCount: triggers.connectionCount ?? known.triggers.connectionCount,
      messagesPerSecond: triggers.messagesPerSecond ?? known.triggers.messagesPerSecond,
    },
    cooldown: change.cooldown ?? known.cooldown,
    maxInstances: change.maxInstances ?? known.maxInstances,
  };
}

/** How a workspace does at present. */
export interface ScalingState {
  readonly instances: number;
  /** Mean per instance over the last minute; `undefined` while not all of them have reported. */
  readonly load: Triggers | undefined;
  /** When the number of instances last changed, ms; `undefined` for never. */
  readonly changedAt: number | undefined;
}

/** What is to become of the number of instances, and why. */
export interface ScalingDecision {
  readonly instances: number;
  readonly because: string;
  /** When it is worth asking again though nothing is reported; `undefined` for not by itself. */
  readonly againAt: number | undefined;
}

/**
 * With one instance fewer the rest has to stay below this share of each trigger: otherwise it would
 * be added again at once.
 */
const ROOM = 0.8;

/**
 * One instance more where a trigger is passed, one fewer where the others would carry the load with
 * room to spare, and neither within the cooldown. `now` in ms. It changes nothing, so it serves as
 * its own dry run.
 */
export function scale(policy: ScalingPolicy, state: ScalingState, now: number): ScalingDecision {
  const { instances, load, changedAt } = state;
  const stay = (because: string, againAt?: number): ScalingDecision => ({ instances, because, againAt });
  if (!policy.enabled) return stay("auto-scaling is off");
  if (instances > policy.maxInstances) {
    return { ...stay(`at most ${policy.maxInstances} are allowed`), instances: policy.maxInstances };
  }
  if (load === undefined) return stay("not every instance has reported its load yet");
  const readyAt = changedAt === undefined ? now : changedAt + policy.cooldown * 1000;
  const passed = NAMES.filter(name => load[name] > policy.triggers[name]);
  if (passed.length > 0) {
    const because = passed
      .map(name => `${WORDS[name]} is ${round(load[name])}, above ${policy.triggers[name]}`)
      .join("; ");
    if (instances >= policy.maxInstances) return stay(`${because}; ${instances} instances are the most allowed`);
    if (now < readyAt) return stay(`${because}; the cooldown lasts`, readyAt);
    return { instances: instances + 1, because, againAt: now + policy.cooldown * 1000 };
  }
  if (instances <= 1) return stay("one instance carries the load");
  const share = instances / (instances - 1);
  const tight = NAMES.find(name => load[name] * share > policy.triggers[name] * ROOM);
  if (tight !== undefined) {
    return stay(
      `with one fewer ${WORDS[tight]} would be ${round(load[tight] * share)}, near ${policy.triggers[tight]}`,
    );
  }
  if (now < readyAt) return stay("one fewer would do; the cooldown lasts", readyAt);
  return { instances: instances - 1, because: "one fewer carries the load", againAt: now + policy.cooldown * 1000 };
}

const NAMES = ["cpuUsage", "memoryUsage", "connectionCount", "messagesPerSecond"] as const;

const WORDS: Readonly<Record<keyof Triggers, string>> = {
  cpuUsage: "cpu (%)",
  memoryUsage: "memory (%)",
  connectionCount: "connections per instance",
  messagesPerSecond: "messages per second and instance",
};

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
