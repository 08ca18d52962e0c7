import { createAgent } from "@skep/agent/create-agent.ts";
import type { ProbeOutcome } from "@skep/agent/loop/prober.ts";
import { noAuth } from "@skep/agent/loop/registry-auth.ts";
import { noSampler } from "@skep/agent/node/sampler.ts";
import { createRecordingLog, type Log } from "@skep/kit/log.ts";
import { createIdSource } from "@skep/kit/random.ts";
import { createScheduler } from "@skep/scheduler/create-scheduler.ts";
import { DEFAULT_SETTINGS } from "@skep/core/world/world.ts";
import { busOfLife, throughGate, type Life } from "./life.ts";
import { ObserverRule } from "./observer-rule.ts";
import type { Platform } from "./platform.ts";
import { SANDBOX_IMAGE, type SimNode } from "./sim-node.ts";
import { watchedEngine, watchedStore } from "./watch.ts";

/** What every simulated operator chose; few ports and slots, so that they run short. */
const LIMITS = { portFrom: 20_000, portTo: 20_023, maxInstances: 14 };

/** Starts the agent of a node in a fresh life. */
export function startAgent(platform: Platform, node: SimNode, life: Life): void {
  const random = platform.random(`${life.name} ${platform.clock.now()}`);
  const bus = busOfLife(platform.network.connect(life.name), life, () => undefined);
  const engine = watchedEngine(platform, node, life);
  const agent = createAgent({
    engine,
    bus,
    clock: life.clock,
    random,
    ids: createIdSource(random),
    log: logOf(platform, life),
    journal: throughGate(platform.journals.get(node.id)!, life, {
      before: () => life.clock.sleep(1),
      after: () => life.clock.sleep(1),
    }),
    prober: async target => reach(platform, node, life, target.host),
    sampler: noSampler,
    auth: noAuth,
    machineBootId: node.bootId(),
    limits: LIMITS,
    sandboxImage: SANDBOX_IMAGE,
    startLimit: undefined,
    agentVersion: "simulated",
  });
  agent.start().catch((error: unknown) => platform.violate(`the agent of ${node.id} failed: ${String(error)}`));
}

/** Starts a scheduler in a fresh life. */
export function startScheduler(platform: Platform, name: string, life: Life): void {
  const random = platform.random(`${life.name} ${platform.clock.now()}`);
  const observer = new ObserverRule(life, DEFAULT_SETTINGS.downAfterMs);
  const bus = busOfLife(platform.network.connect(name), life, (subject, data) => observer.heard(subject, data));
  const store = watchedStore(platform, platform.database.connect(name), life, observer);
  const newId = createIdSource(random);
  const scheduler = createScheduler({
    store,
    bus,
    clock: life.clock,
    random,
    // Lease holders bear the replica's name, so that the adversary knows who leads.
    ids: prefix => `${name}_${newId(prefix)}`,
    log: logOf(platform, life),
    settings: DEFAULT_SETTINGS,
    name,
    version: "simulated",
  });
  platform.handles.set(name, { life, current: () => scheduler.routes.current() });
  scheduler.start();
}

/** Whether one machine answers another: both must have power and network. */
async function reach(platform: Platform, from: SimNode, life: Life, address: string): Promise<ProbeOutcome> {
  const to = platform.nodes.find(node => node.address === address);
  const cut = [from.id, to?.id ?? ""].some(id => platform.isolated.has(id));
  await life.clock.sleep(cut ? 1_000 : 2);
  const listens =
    to !== undefined &&
    to.on() &&
    platform.lives.get(to.id)?.alive() === true &&
    platform.lives.get(to.id)?.paused() === false;
  const answered = !cut && listens;
  return { ok: answered, answered, detail: answered ? "connected" : "no connection" };
}

function logOf(platform: Platform, life: Life): Log {
  return createRecordingLog(({ level, event, sentence, fields }) => {
    if (level === "debug" || !life.alive()) return;
    platform.say(`${life.name} ${level} ${event}: ${sentence} ${JSON.stringify(fields, jsonError)}`.slice(0, 400));
  });
}

function jsonError(_: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value;
}
