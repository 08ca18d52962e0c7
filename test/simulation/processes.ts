import { parseNodeSubject } from "@skep/api/subjects.ts";
import { createAgent } from "@skep/agent/create-agent.ts";
import type { Journal, JournalEntry } from "@skep/agent/loop/journal.ts";
import { createMemoryMemo } from "@skep/agent/loop/memo.ts";
import type { ProbeOutcome, ProbeTarget } from "@skep/agent/loop/prober.ts";
import { noRegistries } from "@skep/agent/loop/registry-auth.ts";
import { noGuard } from "@skep/agent/guard/guard.ts";
import { noSampler } from "@skep/agent/node/sampler.ts";
import { createRecordingLog, type Log } from "@skep/kit/log.ts";
import { createIdSource } from "@skep/kit/random.ts";
import { createScheduler } from "@skep/scheduler/create-scheduler.ts";
import { DEFAULT_SETTINGS, type Settings } from "@skep/core/world/world.ts";
import { tenantsOnManagers } from "./control-rule.ts";
import type { Node } from "@skep/core/model/node.ts";
import { busOfLife, throughGate, type Life } from "./life.ts";
import { ObserverRule } from "./observer-rule.ts";
import type { Platform } from "./platform.ts";
import { SANDBOX_IMAGE, type SimNode } from "./sim-node.ts";
import { watchedEngine, watchedStore } from "./watch.ts";

/** What every simulated operator chose; few ports and slots, so that they run short. */
const LIMITS = { portFrom: 20_000, portTo: 20_039, maxInstances: 14 };
/** Ports wait no longer than a seed lasts, so that they change hands within it. */
export const SETTINGS: Settings = { ...DEFAULT_SETTINGS, portQuarantineMs: 6_000 };
const ROUTES_MAX_AGE_MS = 2_000;
const NO_ROUTES = JSON.stringify({ http: { services: {} } });

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
    journal: watchedJournal(platform, node, life),
    imagesMemo: createMemoryMemo(),
    directoryMemo: createMemoryMemo(),
    healthyMemo: throughGate(platform.healthyMemos.get(node.id)!, life, {
      before: () => life.clock.sleep(1),
      after: () => life.clock.sleep(1),
    }),
    prober: target => probe(platform, node, life, target),
    sampler: noSampler,
    guard: noGuard,
    registries: noRegistries,
    machineBootId: node.bootId(),
    limits: LIMITS,
    sandboxImage: SANDBOX_IMAGE,
    startLimit: undefined,
    agentVersion: "simulated",
  });
  agent.start().catch((error: unknown) => platform.violate(`the agent of ${node.id} failed: ${String(error)}`));
}

/**
 * A session that another one has followed may have reported before, and a late write may bring a
 * former one back: the report of the present one has landed all the same.
 */
export function hasReported(platform: Platform, nodeId: string, sessionId: string): boolean {
  // Agents whose report the lost records had go on.
  if ((platform.mischief?.storeLate ?? 1) > 0 || platform.wasReplaced || platform.reported.has(sessionId)) return true;
  const entry = platform.database.records.nodes.get(nodeId);
  return entry !== undefined && (entry.sessionId !== sessionId || entry.reportedFull);
}

const SAID_AT_ONCE_MS = 200;

/** Starts a scheduler in a fresh life. */
export function startScheduler(platform: Platform, name: string, life: Life): void {
  const random = platform.random(`${life.name} ${platform.clock.now()}`);
  const observer = new ObserverRule(life);
  const bus = busOfLife(platform.network.connect(name), life, (subject, data) => {
    const about = parseNodeSubject(subject);
    if (about === undefined) return;
    const broken = observer.heard(about, data, (nodeId, sessionId) => hasReported(platform, nodeId, sessionId));
    if (broken !== undefined) platform.violate(broken);
    if (about.kind === "beat") platform.engineRules.get(about.nodeId)?.isHeard();
  });
  bus.onStatus(() => observer.listensAnew());
  const store = watchedStore(platform, platform.database.connect(name), life, observer);
  const newId = createIdSource(random);
  const scheduler = createScheduler({
    store,
    bus,
    clock: life.clock,
    random,
    // Lease holders bear the replica's name, so that the adversary knows who leads.
    ids: prefix => `${name}_${newId(prefix)}`,
    log: logOf(platform, life, (event, { nodeId, at }) => {
      // What could not be recorded at once is said late, and was judged by what was known then.
      const isLate = platform.databaseClock.now() - (at as number) > SAID_AT_ONCE_MS;
      if (event !== "node.down" || typeof nodeId !== "string") return;
      const unreachedMs = platform.clock.now() - (platform.unreached.get(nodeId) ?? 0);
      const broken = isLate ? undefined : observer.broken(nodeId, reportedNodes(platform), unreachedMs);
      observer.calledDown(nodeId);
      if (broken !== undefined) platform.violate(broken);
    }),
    settings: { ...SETTINGS, tenantsOnManagers: tenantsOnManagers(platform) },
    routesMaxAgeMs: ROUTES_MAX_AGE_MS,
    isHosting: platform.hosting !== undefined,
    ...(platform.hosting?.moveTimes === undefined ? {} : { moveTimes: platform.hosting.moveTimes }),
    name,
    version: "simulated",
  });
  const answer = (): string | undefined => scheduler.routes.current();
  platform.handles.set(name, { life, api: scheduler.api, answer, current: () => answer() ?? NO_ROUTES });
  scheduler.start();
}

/** The nodes whose agents have ever reported to this database: others play no part in it. */
function reportedNodes({ database }: Platform): readonly Node[] {
  return [...database.records.nodes.values()].flatMap(one => (one.sessionId === undefined ? [] : [one.node]));
}

/**
 * The journal as one agent sees it: it takes its time, may refuse a write, and what it is given is
 * judged.
 */
function watchedJournal(platform: Platform, node: SimNode, life: Life): Journal {
  const rule = platform.engineRules.get(node.id)!;
  return throughGate<Journal>(
    {
      read: () => platform.journals.get(node.id)!.read(),
      write: async entry => {
        if (platform.fullDisks.has(node.id)) throw new Error("ENOSPC: no space left on device, write");
        await platform.journals.get(node.id)!.write(entry);
      },
    },
    life,
    {
      before: async (verb, args) => {
        const broken = verb === "write" ? rule.brokenByTaking(args[0] as JournalEntry) : undefined;
        if (broken !== undefined) platform.violate(broken);
        await life.clock.sleep(1);
      },
      after: async (verb, args, result) => {
        if (verb === "read") rule.begins(result as JournalEntry, () => life.ranMs());
        if (verb === "write") rule.kept(args[0] as JournalEntry);
        await life.clock.sleep(1);
      },
      failed: (verb, args) => {
        if (verb === "write") rule.kept(args[0] as JournalEntry);
      },
    },
  );
}

/**
 * What an agent finds where it tries: a tenant's container on its own node, or another node's
 * agent.
 */
async function probe(platform: Platform, from: SimNode, life: Life, target: ProbeTarget): Promise<ProbeOutcome> {
  const tenant = from.address === target.host ? from.listener(target.port) : undefined;
  if (tenant === undefined) return reach(platform, from, life, target.host);
  await life.clock.sleep(2 + (platform.hindrance.probesMs ?? 0));
  const ok = (platform.unwell.get(tenant.id) ?? 0) <= platform.clock.now() && tenant.state === "running";
  return { ok, answered: true, detail: ok ? "connected" : "503" };
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
  if (!answered && to !== undefined) platform.unreached.set(to.id, platform.clock.now());
  return { ok: answered, answered, detail: answered ? "connected" : "no connection" };
}

/** The log of a process: people read in the trace what it says. */
export function logOf(
  platform: Platform,
  life: Life,
  said?: (event: string, fields: Readonly<Record<string, unknown>>) => void,
): Log {
  const log = createRecordingLog(({ level, event, sentence, fields }) => {
    if (!life.alive()) return;
    said?.(event, fields);
    // A replacer is asked of each field, and takes most of the time.
    const isFlat = Object.values(fields).every(one => typeof one !== "object");
    const text = isFlat ? JSON.stringify(fields) : JSON.stringify(fields, jsonError);
    platform.say(`${life.name} ${level} ${event}: ${sentence} ${text}`.slice(0, 400));
  });
  return withoutDebug(log);
}

/** Nobody reads those lines, which are most. */
function withoutDebug(log: Log): Log {
  return { ...log, debug: () => undefined, child: fields => withoutDebug(log.child(fields)) };
}

function jsonError(_: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value;
}
