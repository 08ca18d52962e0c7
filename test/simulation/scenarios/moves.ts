import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { Mode } from "@skep/core/workspace/connector.ts";
import { isOver } from "@skep/core/workspace/migration.ts";
import type { MigrationStage } from "@skep/core/workspace/migration-state.ts";
import type { Chance } from "../chance.ts";
import type { Hosting } from "../hosting/hosting.ts";
import { MOVE_ENDS_MS, MOVE_FAULTS, MOVE_TIMES, saysLoss, sourceDies, type MoveFault } from "../hosting/move-faults.ts";
import { beginLife, endLife } from "../platform.ts";
import { startScheduler } from "../processes.ts";
import { insist } from "../users.ts";
import type { Scenario, Stage } from "./scenario.ts";

const WORKSPACES = ["one", "two"] as const;
const STAGES: readonly MigrationStage[] = [
  ...(["prepare", "copy", "follow", "both", "compare", "switch", "drain", "cut-over", "verify"] as const),
];

/** Workspaces beside the fleet, which move. */
interface MoveStage extends Stage {
  readonly hosting: Hosting;
  move(workspaceId: string, to: Mode): Promise<void>;
  stageOf(workspaceId: string): MigrationStage | undefined;
  /** Every move has ended, each workspace is read where it is, and has every message. */
  allOver(): Promise<void>;
  /** Waits until a workspace is where a fault is to strike, or its move is over. */
  reaches(workspaceId: string, stage: MigrationStage): Promise<boolean>;
}

async function moveStage(stage: Stage): Promise<MoveStage> {
  const { platform, store } = stage;
  const hosting = platform.hosting!;
  const { records } = platform.database;
  const request = { actor: "user", idempotencyKey: undefined };
  const stageOf = (id: string): MigrationStage | undefined => records.workspaceMoves.get(id)?.stage;
  const isEnded = (id: string): boolean => {
    const move = records.workspaceMoves.get(id);
    return move === undefined || isOver(move);
  };
  const all: MoveStage = {
    ...{ ...stage, hosting, stageOf },
    move: async (id, to) => void (await stage.done(store.startMove(id, to, request, platform.clock.now()))),
    allOver: async () => {
      await stage.until(
        () => WORKSPACES.every(isEnded),
        MOVE_ENDS_MS,
        "a move does not end though nothing fails any more",
      );
      const sentence = "a workspace is not read 60 s after its move and the faults ended";
      await stage.until(() => hosting.gaps().length === 0, 60_000, `${sentence}: ${hosting.gaps().join("; ")}`);
      // What its pod still has goes with it.
      await stage.advance(8_000);
      stage.hold(hosting.gaps().length === 0, `${hosting.gaps().join(", ")} though nothing failed`);
      // What could not be had for longer than anybody may go without a reader is named by the move.
      const isSaid = (id: string): boolean => saysLoss(records.workspaceMoves.get(id)?.because);
      for (const lost of hosting.lost(id => !isSaid(id))) stage.hold(false, lost);
    },
    reaches: async (id, wanted) => {
      await platform.clock.runUntil(
        () => platform.violation() !== undefined || stageOf(id) === wanted || isEnded(id),
        MOVE_ENDS_MS,
      );
      return stageOf(id) === wanted;
    },
  };
  for (const name of hosting.names) hosting.start(name);
  for (const id of WORKSPACES) {
    const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "round-robin" } as const;
    await stage.done(store.createWorkspace({ ...wanted, connector: aConnector({ id }) }, request, 0));
    void hosting.devices.send(id);
  }
  await all.allOver();
  await stage.advance(10_000);
  return all;
}

const scenario = (name: string, play: (stage: Stage) => Promise<void>): Scenario => ({
  ...{ name, isHosting: true, moveTimes: MOVE_TIMES },
  play,
});

/** There and back, and nothing fails. */
const thereAndBack = scenario("move-there-and-back", async stage => {
  const { move, allOver, stageOf, hold } = await moveStage(stage);
  for (const to of ["standalone", "shared"] as const) {
    await move("one", to);
    await allOver();
    hold(stageOf("one") === "done", `a move to ${to} came to ${stageOf("one")} though nothing failed`);
  }
});

/** The source's database is slow and its host is told late: much is under way at the cut-over. */
const slow = scenario("move-slow", async stage => {
  const { move, allOver, hosting } = await moveStage(stage);
  for (const { databases } of [hosting, hosting.own]) databases.weather.slowMs = 900;
  for (const to of ["standalone", "shared"] as const) {
    await move("one", to);
    await allOver();
  }
});

/** Hosts are told late what to do, and take their time to let go. */
const toldLate = scenario("move-told-late", async stage => {
  const { move, allOver, hosting, reaches } = await moveStage(stage);
  for (const to of ["standalone", "shared"] as const) {
    await move("one", to);
    await reaches("one", "drain");
    const source = hosting.rule.owners("one")[0]?.life.name ?? "";
    const host = hosting.hosts.get(source) ?? hosting.pods?.hostOf("one");
    if (host !== undefined) Object.assign(host.way, { tellingMs: 1_500, closeMs: 800 });
    await allOver();
  }
});

/** Who stops a workspace while it moves gets it stopped where it was, in whichever stage. */
const stoppedAtOnce = scenario("move-stops-back-home", async stage => {
  const { move, allOver, hosting, reaches, stageOf, hold, store, platform, done, until } = await moveStage(stage);
  const wish = async (desired: "run" | "stopped"): Promise<void> => {
    const request = { actor: "user", idempotencyKey: undefined };
    await done(store.changeWorkspace("one", { desired }, undefined, request, platform.clock.now()));
  };
  for (const at of STAGES) {
    await move("one", "standalone");
    hold(await reaches("one", at), `the move does not come to ${at}`);
    await wish("stopped");
    const isStopped = (): boolean => hosting.rule.owners("one").length === 0 && stageOf("one") === "returned";
    await until(isStopped, 60_000, `a workspace that was stopped in ${at} does not stop`);
    await wish("run");
    await allOver();
  }
});

/** A gate is heard no more, though its devices go on: no move waits for it, and none loses. */
const silentGate = scenario("move-past-a-silent-gate", async stage => {
  const { move, allOver, hosting, stageOf, hold, advance } = await moveStage(stage);
  const gate = hosting.gates[0]!;
  gate.isCut = true;
  await advance(1_000);
  for (const to of ["standalone", "shared"] as const) {
    await move("one", to);
    await allOver();
    hold(stageOf("one") === "done", `a move to ${to} came to ${stageOf("one")} by a gate that is not heard`);
  }
  await move("one", "standalone");
  await allOver();
  gate.isCut = false;
  await advance(10_000);
  await allOver();
});

/** What can fail in a stage; answers how it ends. */
type Fault = (stage: MoveStage, chance: Chance) => () => void;

/** A fault of the workspace that the scenarios move. */
const ofOne =
  (strike: MoveFault): Fault =>
  ({ platform, hosting }, chance) =>
    strike({ platform, hosting, workspaceId: "one" }, chance);

const FAULTS: Readonly<Record<string, Fault>> = {
  "source-dies": ofOne(sourceDies),
  ...Object.fromEntries(Object.entries<MoveFault>(MOVE_FAULTS).map(([kind, strike]) => [kind, ofOne(strike)])),
  "leader-dies": ({ platform, leader }) => {
    const name = leader();
    endLife(platform, name);
    return () => {
      if (platform.lives.get(name)?.alive() !== true) startScheduler(platform, name, beginLife(platform, name));
    };
  },
  stopped: ({ platform, store }) => {
    const request = { actor: "user", idempotencyKey: undefined };
    const wish = (desired: "run" | "stopped") =>
      insist(platform, `wishes one to be ${desired}`, () =>
        store.changeWorkspace("one", { desired }, undefined, request, platform.clock.now()),
      );
    const stopping = wish("stopped");
    return () => void stopping.then(() => wish("run"));
  },
  aborted: ({ platform, store }) => {
    const request = { actor: "user", idempotencyKey: undefined };
    store.abortMove("one", request, platform.clock.now()).catch(() => undefined);
    return () => undefined;
  },
};

/** One fault strikes in each stage in turn, there and back, and ends after a while. */
const struck = Object.entries(FAULTS).map(([name, strike]) =>
  scenario(`move-${name}`, async stage => {
    const all = await moveStage(stage);
    const { platform, move, allOver, reaches, advance, store } = all;
    const chance = platform.chance(`move ${name}`);
    for (const at of STAGES) {
      const mode = (await stage.done(store.getWorkspace("one")))?.connector.config.resources.type;
      await move("one", mode === "shared" ? "standalone" : "shared");
      if (!(await reaches("one", at))) continue;
      await advance(chance.between(0, 300));
      const heal = strike(all, chance);
      await advance(chance.between(500, 9_000));
      heal();
      await allOver();
      if (platform.violation() !== undefined) return;
    }
  }),
);

/** Faults of all kinds, one after the other and several at once, while two workspaces move. */
export function moveStorm(number: number): Scenario {
  return scenario(`move-storm-${number}`, async stage => {
    const all = await moveStage(stage);
    const { platform, move, allOver, advance, hosting, store } = all;
    const chance = platform.chance(`move storm ${number}`);
    for (let round = 0; round < 2; round++) {
      for (const id of WORKSPACES) {
        const mode = (await stage.done(store.getWorkspace(id)))?.connector.config.resources.type;
        await move(id, mode === "shared" ? "standalone" : "shared");
      }
      for (const { way } of hosting.hosts.values()) Object.assign(way, { drop: 0.03, delayMs: 100 });
      const ends: (() => void)[] = [];
      for (let left = 8; left > 0; left--) {
        await advance(chance.whole(500, 5_000));
        ends.push(chance.pick(Object.values(FAULTS))(all, chance));
        if (chance.happens(0.6)) ends.shift()?.();
      }
      for (const end of ends) end();
      for (const { way } of hosting.hosts.values()) Object.assign(way, { drop: 0, delayMs: 2 });
      await allOver();
    }
  });
}

/** Workspaces that move to a host of their own and back, under faults in each stage. */
export const MOVES: readonly Scenario[] = [
  thereAndBack,
  slow,
  toldLate,
  stoppedAtOnce,
  silentGate,
  ...struck,
  ...[1, 2].map(moveStorm),
];
