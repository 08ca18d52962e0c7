import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { replaceRecords } from "../disasters.ts";
import type { HostRule } from "../hosting/host-rule.ts";
import type { SimHost } from "../hosting/hosts.ts";
import { beginLife, endLife } from "../platform.ts";
import { startScheduler } from "../processes.ts";
import type { Scenario, Stage } from "./scenario.ts";

const NAMES = ["shared-1", "shared-2", "shared-3"] as const;
const WORKSPACES = ["one", "two", "three", "four", "five", "six"] as const;
const RECOVERED_MS = 60_000;

/** Hosts of workspaces beside the fleet, all reading. */
interface HostStage extends Stage {
  readonly rule: HostRule;
  readonly hosts: ReadonlyMap<string, SimHost>;
  start(name: string): void;
  /** A tenant makes a workspace, whose devices send. */
  make(workspaceId: string): Promise<void>;
  /** The host that reads a workspace. */
  ownerOf(workspaceId: string): string;
  /** Every workspace has an owner that reads, within a minute, and keeps it. */
  allOwned(): Promise<void>;
}

async function hostStage(stage: Stage, closeMs?: number): Promise<HostStage> {
  const { platform, store } = stage;
  const hosting = platform.hosting!;
  const { rule, hosts, devices } = hosting;
  const all: HostStage = {
    ...stage,
    rule,
    hosts,
    start: name => {
      hosting.start(name);
      hosts.get(name)!.way.closeMs = closeMs ?? 20;
    },
    make: async id => {
      const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "round-robin" } as const;
      const request = { actor: "user", idempotencyKey: undefined };
      await stage.done(
        store.createWorkspace({ ...wanted, connector: aConnector({ id }) }, request, platform.clock.now()),
      );
      void devices.send(id);
    },
    ownerOf: id => rule.owners(id)[0]?.life.name ?? "",
    allOwned: async () => {
      const sentence = `a workspace has no owner ${RECOVERED_MS / 1_000} s after the faults ended`;
      await stage.until(() => hosting.gaps().length === 0, RECOVERED_MS, sentence);
      await stage.advance(5_000);
      stage.hold(hosting.gaps().length === 0, `${hosting.gaps().join(", ")} though nothing failed`);
      for (const lost of hosting.lost()) stage.hold(false, lost);
    },
  };
  for (const name of NAMES) all.start(name);
  for (const id of WORKSPACES) await all.make(id);
  await all.allOwned();
  return all;
}

const scenario = (name: string, play: (stage: Stage) => Promise<void>): Scenario => ({ name, isHosting: true, play });

/** A host's machine is lost; later its process begins again. */
const hostDies = scenario("host-dies", async stage => {
  const { platform, ownerOf, start, allOwned, advance } = await hostStage(stage);
  const dead = ownerOf("one");
  endLife(platform, dead);
  await allOwned();
  start(dead);
  await advance(10_000);
  await allOwned();
});

/** A host reaches no scheduler, goes on running, and comes back. */
const hostCutOff = scenario("host-cut-off", async stage => {
  const { hosts, ownerOf, allOwned, advance } = await hostStage(stage);
  const { way } = hosts.get(ownerOf("one"))!;
  way.isCut = true;
  await advance(15_000);
  way.isCut = false;
  await allOwned();
});

/** A host stands still for longer than its lease, and goes on as if nothing had been. */
const hostPaused = scenario("host-paused", async stage => {
  const { platform, ownerOf, allOwned, advance } = await hostStage(stage);
  const life = platform.lives.get(ownerOf("one"))!;
  life.pause();
  await advance(12_000);
  life.resume();
  await allOwned();
});

/** The answers to a host's reports get lost for a while, and the reports do not. */
const answersLost = scenario("host-answers-lost", async stage => {
  const { hosts, ownerOf, allOwned, advance } = await hostStage(stage);
  const { way } = hosts.get(ownerOf("one"))!;
  way.losesAnswers = true;
  await advance(6_000);
  way.losesAnswers = false;
  way.isCut = true;
  await advance(6_000);
  way.isCut = false;
  await allOwned();
});

/** A host is heard again in the very moment in which the leader gives its workspaces away. */
const backInTime = scenario("host-back-in-time", async stage => {
  const { platform, hosts, ownerOf, allOwned, advance } = await hostStage(stage);
  const { way } = hosts.get(ownerOf("one"))!;
  let isPlanUnderWay = false;
  const delaysMs = (_: string, call: string): number => {
    if (call !== "commitHosting") return 0;
    isPlanUnderWay = true;
    return 1_500;
  };
  platform.hindrance = { delaysMs };
  way.isCut = true;
  await stage.until(() => isPlanUnderWay, 10_000, "the leader does not notice that a host is silent");
  Object.assign(way, { isCut: false, tellingMs: 3_000 });
  await advance(10_000);
  platform.hindrance = {};
  way.tellingMs = 0;
  await allOwned();
});

/** A host is told late that it gives everything away, and takes its time to let go. */
const hostCutOver = scenario("host-cut-over", async stage => {
  const { hosts, ownerOf, allOwned, advance, done, platform } = await hostStage(stage, 800);
  const name = ownerOf("one");
  const { host, way } = hosts.get(name)!;
  way.tellingMs = 1_500;
  await done(host.stop(20_000));
  await advance(1_000);
  endLife(platform, name);
  await allOwned();
});

/** The leader dies as a host dies, and the next one leads from another machine. */
const bothDie = scenario("host-and-leader-die", async stage => {
  const { platform, ownerOf, allOwned, leader } = await hostStage(stage);
  endLife(platform, ownerOf("one"));
  const dead = leader();
  endLife(platform, dead);
  await allOwned();
  startScheduler(platform, dead, beginLife(platform, dead));
  await allOwned();
});

/** A deposed leader, cut off from the database for a while, comes back and believes old things. */
const leaderDeposed = scenario("host-leader-deposed", async stage => {
  const { platform, ownerOf, allOwned, advance, leader } = await hostStage(stage);
  const deposed = leader();
  platform.lives.get(deposed)!.pause();
  await advance(4_000);
  endLife(platform, ownerOf("one"));
  await advance(6_000);
  platform.lives.get(deposed)!.resume();
  await allOwned();
});

/**
 * A standby takes over that had not got a placement, another host comes in that very moment, and
 * the first one is cut off: it has its lease yet when the workspace is placed once more.
 */
const placementLost = scenario("host-placement-lost", async stage => {
  const { platform, hosts, rule, ownerOf, start, make, allOwned, advance } = await hostStage(stage);
  const { database } = platform;
  endLife(platform, "shared-3");
  await allOwned();
  await advance(5_000);
  platform.hindrance = { delaysMs: (_, call) => (call === "commitHosting" ? 300 : 0) };
  await make("seven");
  const copy = structuredClone({ ...database.records });
  await stage.until(() => rule.owners("seven").length === 1, 5_000, "nobody reads the workspace");
  platform.hindrance = {};
  const { way } = hosts.get(ownerOf("seven"))!;
  way.isCut = true;
  start("shared-3");
  replaceRecords(platform, copy);
  await advance(5_000);
  way.isCut = false;
  await allOwned();
});

/** What a host was told before comes once more, after each change. */
const toldAgain = scenario("host-told-again", async stage => {
  const { platform, hosts, store, done, allOwned, advance } = await hostStage(stage);
  for (const name of NAMES.slice(1)) endLife(platform, name);
  await allOwned();
  hosts.get(NAMES[0])!.way.isToldAgain = true;
  const request = { actor: "user", idempotencyKey: undefined };
  for (const desired of ["stopped", "run", "stopped", "run", "stopped", "run"] as const) {
    for (const id of WORKSPACES)
      await done(store.changeWorkspace(id, { desired }, undefined, request, platform.clock.now()));
    await advance(500);
  }
  await allOwned();
});

/** Calls get lost and late, hosts and schedulers die, stand still and are cut off, for a minute. */
function storm(number: number): Scenario {
  return scenario(`host-storm-${number}`, async stage => {
    const all = await hostStage(stage, 300);
    const { platform, hosts, start, advance, allOwned } = all;
    const chance = platform.chance(`host storm ${number}`);
    platform.mischief = { ...CALM, storeFails: 0.03, commitUnknown: 0.03, storeLate: number % 2 === 0 ? 0.01 : 0 };
    const ended: (() => void)[] = [];
    for (let at = 0; at < 15; at++) {
      for (const { way } of hosts.values()) Object.assign(way, { drop: 0.1, delayMs: 300 });
      const name = chance.pick([...NAMES, ...NAMES, ...platform.schedulers]);
      strike(all, name, chance.pick(["kill", "pause", "cut"] as const), end => ended.push(end));
      await advance(chance.whole(1_000, 6_000));
      if (chance.happens(0.7)) ended.shift()?.();
    }
    for (const end of ended) end();
    platform.mischief = undefined;
    for (const name of NAMES) if (platform.lives.get(name)?.alive() !== true) start(name);
    for (const { way } of hosts.values()) Object.assign(way, { drop: 0, delayMs: 2, isCut: false });
    await allOwned();
  });
}

const CALM = {
  ...{ kinds: [], everyMs: 1_000, drop: 0, double: 0, delayMs: 5, late: 0 },
  ...{ storeFails: 0, commitUnknown: 0, storeLate: 0, storeSlowMs: 100, engineLoses: 0 },
};

/** One fault of one process; `ends` gets what ends it. */
function strike(
  { platform, hosts, start }: HostStage,
  name: string,
  kind: "kill" | "pause" | "cut",
  ends: (end: () => void) => void,
): void {
  const life = platform.lives.get(name);
  const host = hosts.get(name);
  if (life?.alive() !== true || life.paused()) return;
  if (kind === "pause") {
    life.pause();
    return ends(() => life.resume());
  }
  if (kind === "cut" && host !== undefined) {
    host.way.isCut = true;
    return ends(() => (host.way.isCut = false));
  }
  endLife(platform, name);
  ends(() => {
    if (platform.lives.get(name)?.alive() === true) return;
    if (host === undefined) startScheduler(platform, name, beginLife(platform, name));
    else start(name);
  });
}

/** Hosts of workspaces: who reads, and that somebody does. */
export const HOSTS: readonly Scenario[] = [
  ...[
    hostDies,
    hostCutOff,
    hostPaused,
    answersLost,
    backInTime,
    hostCutOver,
    bothDie,
    leaderDeposed,
    placementLost,
    toldAgain,
  ],
  ...[1, 2, 3, 4].map(storm),
];
