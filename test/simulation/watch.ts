import { ControlRule } from "./control-rule.ts";
import { brokenHomeRule, brokenLeaveRule, brokenSingleRule } from "./volume-rule.ts";
import type { World } from "@skep/core/world/world.ts";
import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { Plan } from "@skep/core/world/plan.ts";
import type { Engine } from "@skep/agent/engine/engine.ts";
import { EngineError } from "@skep/agent/engine/errors.ts";
import type { Mandate } from "@skep/scheduler/store/mandate.ts";
import type { SavedReport, Store } from "@skep/scheduler/store/store.ts";
import { IMPOSTOR } from "./impostor.ts";
import type { Life } from "./life.ts";
import type { Changed } from "./changes.ts";
import { throughGate } from "./life.ts";
import type { ObserverRule } from "./observer-rule.ts";
import type { Platform } from "./platform.ts";
import { brokenChangeRule } from "./change-rule.ts";
import { brokenBasisRule, brokenRestoreRule } from "./commit-rule.ts";
import { brokenCopyRule, brokenRecordRule, brokenRouteRule, type Running } from "./record-rules.ts";
import type { RunningContainer } from "./goal.ts";
import { RESTART_DELAY_MS } from "./workload.ts";
import type { MemoryContainer } from "@skep/agent/engine/memory-container.ts";
import type { SimNode } from "./sim-node.ts";

/** The present records, as a snapshot that a tick would see. */
export function recordsOf(platform: Platform): World {
  const { records } = platform.database;
  return {
    tenants: [...records.tenants.values()],
    nodes: [...records.nodes.values()].map(entry => entry.node),
    deployments: [...records.deployments.values()],
    releases: [...records.releases.values()],
    instances: [...records.instances.values()],
    locations: [...records.locations.values()],
    releasedPorts: records.releasedPorts,
    volumes: [...records.volumes.values()],
    placements: records.lease?.placements ?? 0,
  };
}

const EVERYTHING: Changed = { records: true, containers: true, edges: true };

/**
 * Checks everything that must hold at every moment; called whenever records, containers or edges
 * have changed, with what of them has: a rule that reads none of it says what it said before.
 */
export function checkNow(platform: Platform, changed: Changed = EVERYTHING): void {
  // A rule of what runs is asked where that or the records have changed.
  const running = changed.records || changed.containers ? runningOn(platform) : [];
  const world = changed.records || platform.judged === undefined ? recordsOf(platform) : platform.judged;
  const before = platform.judged ?? world;
  platform.judged = world;
  const broken =
    (changed.records ? brokenRecords(platform, before, world) : undefined) ??
    (changed.records || changed.containers ? brokenRouteRule(world, running) : undefined) ??
    (changed.containers ? (brokenCopyRule(running) ?? brokenSingleRule(running)) : undefined) ??
    (changed.containers || changed.edges ? brokenEdge(platform) : undefined);
  if (broken !== undefined) platform.violate(broken);
}

/** What runs; nobody could know that the first of two that are doubled was there. */
function runningOn({ nodes, engineRules }: Platform): readonly (Running & RunningContainer)[] {
  return nodes.flatMap(node => {
    const rule = engineRules.get(node.id);
    return node.running().filter(one => rule?.isDoubled(one) !== true);
  });
}

function brokenRecords(platform: Platform, before: World, world: World): string | undefined {
  return (
    brokenRecordRule(world, platform.repaired) ??
    // A person chooses between the homes that restored records have.
    (platform.wasReplaced ? undefined : brokenHomeRule(world)) ??
    platform.orderRule.broken(before, world) ??
    brokenChangeRule(before, world, platform.databaseClock.believed(), steadiness(platform, world))
  );
}

function brokenEdge({ edges }: Platform): string | undefined {
  return edges.map(edge => edge.broken()).find(one => one !== undefined);
}

/** A plan is loaded, decided and committed within this time, slow as the database may be. */
const STEADY_MS = 15_000;

/** Notes since when each deployment is wanted as it is, and tells whether that is long enough. */
function steadiness({ wantedSince, clock }: Platform, { deployments }: World): (deploymentId: string) => boolean {
  for (const deployment of deployments) {
    const word = `${deployment.desired} ${deployment.release} ${deployment.replicas}`;
    if (wantedSince.get(deployment.id)?.word !== word) wantedSince.set(deployment.id, { word, at: clock.now() });
  }
  return id => clock.now() - (wantedSince.get(id)?.at ?? clock.now()) >= STEADY_MS;
}

/** The store as one scheduler sees it, with the rules that only show in what it writes. */
export function watchedStore(platform: Platform, store: Store, life: Life, observer: ObserverRule): Store {
  const control = new ControlRule(platform);
  let seen: World | undefined;
  return throughGate(
    store,
    life,
    {
      before: (verb, args) => {
        if (verb === "commit") {
          const plan = args[0] as Plan;
          const broken =
            observer.brokenByGivingUp(recordsOf(platform), plan) ??
            control.broken(plan) ??
            (seen === undefined ? undefined : brokenLeaveRule(seen, plan));
          if (broken !== undefined) platform.violate(broken);
        }
        if (verb === "saveFacts" || verb === "saveReport") {
          const { nodeId, sessionId } = args[0] as { nodeId: string; sessionId: string };
          if (sessionId === IMPOSTOR) platform.violate(`${life.name} writes what another said as ${nodeId}`);
        }
        return Promise.resolve();
      },
      after: (verb, args, result) => {
        if (verb === "commit" && (result as { kind: string }).kind === "committed") {
          const [plan] = args as [Plan];
          const broken = platform.judged && brokenBasisRule(platform.judged, plan);
          if (broken !== undefined) platform.violate(broken);
          for (const change of plan.changes) {
            if (change.kind === "place") platform.engineRules.forEach(rule => rule.placed(change));
          }
          for (const change of plan.changes) platform.say(`${life.name} plan ${JSON.stringify(change)}`.slice(0, 300));
        }
        if (verb === "loadWorld") {
          seen = result as World;
          observer.loaded(seen);
          control.loaded(result as World, nodeId => observer.silentMs(nodeId));
        }
        if (verb === "releaseLease" || verb === "recover") platform.lease = undefined;
        if (verb === "saveReport" && !(result as SavedReport).needFull)
          platform.reported.add((args[0] as { sessionId: string }).sessionId);
        if (verb === "takeLease") judgeLease(platform, life.name);
        judgeMandate(platform, life.name, verb, args, result);
        if (verb === "restoreLocation" && result === true) {
          platform.repaired.add((args[0] as Location).nodeId);
          const broken = platform.judged && brokenRestoreRule(platform.judged, args[0] as Location);
          if (broken !== undefined) platform.violate(broken);
        }
        if (verb === "loadAssignment" && result !== undefined) {
          const assignment = result as Assignment;
          platform.engineRules.get(assignment.nodeId)?.sent(assignment);
        }
        return Promise.resolve();
      },
      // The answer was lost, not what it was about.
      failed: verb => {
        if (verb === "takeLease" || verb === "recover") platform.lease = platform.database.records.lease;
      },
    },
    ["close"],
  );
}

/** Where each write of a leader names in whose name it is made. */
const MANDATES: Readonly<Record<string, number>> = {
  ...{
    commit: 1,
    commitHosting: 1,
    raiseRevisions: 1,
    saveLiveness: 1,
    saveBeats: 1,
    restoreLocation: 1,
    pruneHistory: 2,
  },
};

/** What was written, was written by who led. */
function judgeMandate(platform: Platform, name: string, verb: string, args: readonly unknown[], result: unknown): void {
  const at = MANDATES[verb];
  if (at === undefined || (result as { kind?: string } | undefined)?.kind === "stale") return;
  const { term, holder } = args[at] as Mandate;
  const { lease } = platform.database.records;
  const overMs = platform.databaseClock.now() - (lease?.expiresAt ?? 0);
  if (overMs >= 0) platform.violate(`${name} committed by ${verb}, and its lease had expired ${overMs} ms before`);
  if (term === lease?.term && holder === lease.holder) return;
  platform.violate(`${name} committed in term ${term} by ${verb}, and it is term ${lease?.term} of ${lease?.holder}`);
}

/**
 * A lease changes hands only when it has expired or was given back. It is judged where the
 * database's clock goes evenly, and no late write does so unseen.
 */
function judgeLease(platform: Platform, name: string): void {
  const before = platform.lease;
  const { lease } = platform.database.records;
  platform.lease = lease;
  const { storeLate = 1, kinds = [] } = platform.mischief ?? {};
  if (before === undefined || lease === undefined || storeLate > 0 || kinds.includes("store-clock")) return;
  const leftMs = before.expiresAt - platform.databaseClock.now();
  if (lease.term !== before.term + 1 || before.holder === "" || leftMs <= 0) return;
  platform.violate(`${name} takes the lease ${leftMs} ms before that of ${before.holder} has expired`);
}

/** How old a list of containers is when it arrives; the same for all engines of a seed. */
const LOOKS_MS = [0, 0, 20, 400] as const;

/** The engine as one agent sees it: answers get lost, and what it makes and ends is judged. */
export function watchedEngine(platform: Platform, node: SimNode, life: Life): Engine {
  const chance = platform.chance(`engine ${life.name} ${platform.clock.now()}`);
  const rule = platform.engineRules.get(node.id)!;
  const lookMs = platform.chance("looks").pick(LOOKS_MS);
  const judge = (sentence: string | undefined): void => {
    if (sentence !== undefined) platform.violate(sentence);
  };
  /** What this life was told that it made, by name. */
  const made = new Map<string, string>();
  const gated = throughGate<Engine>(
    node.engine,
    life,
    {
      before: (verb, args) => {
        if (verb === "createContainer" || verb === "createSandbox") {
          const { instance } = args[0] as { instance: AssignedInstance };
          platform.say(`${node.id} ${verb} ${instance.instanceId}@${instance.epoch}`);
          const name = nameMade(verb, args);
          if (node.engine.containers().some(one => one.id === made.get(name)))
            judge(`${node.id} makes ${name} again, though it has made it and it is there`);
          judge(rule.brokenByMaking(instance.instanceId, instance.epoch));
          if (verb === "createContainer")
            judge(platform.volumeRule.brokenByMaking(node.id, instance, recordsOf(platform)));
        }
        if (verb === "stop" || verb === "remove" || verb === "start") {
          const container = node.engine.containers().find(one => one.id === args[0]);
          platform.say(`${node.id} ${verb} ${container?.name ?? "nothing"}`);
          if (container !== undefined && verb !== "start")
            judge(
              rule.brokenByEnding(
                container,
                (platform.unwell.get(container.id) ?? 0) + PROBED_WITHIN_MS < platform.clock.now(),
              ),
            );
          if (container !== undefined && verb === "start") judge(brokenStart(platform, node, life, container));
        }
        return Promise.resolve();
      },
      after: async (verb, args, result) => {
        if (verb === "observe" && lookMs > 0 && platform.mischief !== undefined) await life.clock.sleep(lookMs);
        if (chance.happens(platform.mischief?.engineLoses ?? 0))
          throw new EngineError("timeout", "the answer got lost");
        if (verb === "createContainer" || verb === "createSandbox") made.set(nameMade(verb, args), result as string);
      },
    },
    ["events", "logs", "exec"],
  );
  return {
    ...bound(gated),
    events: handle => node.engine.events(event => life.run("message", () => handle(event))),
  };
}

/** What a verb makes: a container of a copy, or its sandbox. */
function nameMade(verb: string, args: readonly unknown[]): string {
  const { instance, container } = args[0] as { instance: AssignedInstance; container?: { readonly name: string } };
  return `${verb === "createSandbox" ? "the sandbox" : container?.name} of ${instance.instanceId}@${instance.epoch}`;
}

/** A probe that failed a moment ago may be what ends a container that is well again. */
const PROBED_WITHIN_MS = 3_000;

/**
 * What ended by itself is started again only after its policy's wait, by an agent whose clock has
 * never jumped.
 */
function brokenStart(platform: Platform, node: SimNode, life: Life, container: MemoryContainer): string | undefined {
  const { finishedAt, startedAt, name } = container;
  if (finishedAt === undefined || startedAt === undefined || life.clock.now() !== platform.clock.now())
    return undefined;
  const waitedMs = platform.clock.now() - finishedAt;
  if (waitedMs >= RESTART_DELAY_MS || platform.mischief === undefined) return undefined;
  return `${node.id} starts ${name} again after ${waitedMs} ms; its policy says ${RESTART_DELAY_MS}`;
}

/** A proxy's verbs as an object of their own, so that single ones can be replaced. */
function bound(engine: Engine): Engine {
  const { facts, observe, pull, createNetwork, createSandbox, createContainer, start, stop, remove } = engine;
  const { createWarm, takeSandbox, removeNetwork, removeVolume, logs, exec, events, swarmNodes, updateSwarmNode } =
    engine;
  return {
    ...{ facts, observe, pull, createNetwork, createSandbox, createContainer, start, stop, remove },
    ...{ createWarm, takeSandbox, removeNetwork, removeVolume, logs, exec, events, swarmNodes, updateSwarmNode },
  };
}
