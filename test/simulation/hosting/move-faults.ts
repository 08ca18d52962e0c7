import type { MigrationTimes } from "@skep/core/workspace/migration-state.ts";
import type { Chance } from "../chance.ts";
import { endLife, type Platform } from "../platform.ts";
import { ASKS_MS } from "./gates.ts";
import type { Hosting } from "./hosting.ts";

/** A minute of a fleet in a second. */
export const MOVE_TIMES: MigrationTimes = {
  ...{ stuckMs: 20_000, nobodyReadsMs: 8_000, lostMs: 5_000, verifyMs: 4_000, settleMs: 1_500, quietMs: 500 },
  gateSilentMs: 5_000,
};
/** A move ends one way or the other within this, once the faults have ended. */
export const MOVE_ENDS_MS = 240_000;

/** A workspace that moves. */
export interface Moving {
  readonly platform: Platform;
  readonly hosting: Hosting;
  readonly workspaceId: string;
}

/** What can fail meanwhile; answers how it ends. */
export type MoveFault = (moving: Moving, chance: Chance) => () => void;

/** The process ends that owns it, wherever that is; a shared one is started again. */
export const sourceDies: MoveFault = ({ platform, hosting, workspaceId }) => {
  const name = hosting.rule.owners(workspaceId)[0]?.life.name ?? hosting.names[0]!;
  endLife(platform, name);
  return () => {
    if (hosting.names.includes(name) && platform.lives.get(name)?.alive() !== true) hosting.start(name);
  };
};

/** Faults of its own pod, of the engines of both halves, and of the gates. */
export const MOVE_FAULTS = {
  "target-dies": ({ hosting, workspaceId }, chance) => {
    hosting.pods?.crash(workspaceId, chance.between(500, 12_000));
    return () => undefined;
  },
  "halves-parted": ({ hosting, workspaceId }) => {
    const way = hosting.pods?.hostOf(workspaceId)?.way;
    if (way !== undefined) way.isCut = true;
    return () => {
      if (way !== undefined) way.isCut = false;
    };
  },
  "reader-paused": ({ hosting, workspaceId }) => {
    const life = hosting.rule.owners(workspaceId)[0]?.life;
    life?.pause();
    return () => life?.resume();
  },
  "databases-away": ({ hosting }, chance) => {
    const { weather } = chance.pick([hosting, hosting.own]).databases;
    weather.isAway = true;
    return () => void (weather.isAway = false);
  },
  "broker-away": ({ hosting }, chance) => {
    const { broker } = chance.pick([hosting, hosting.own]);
    broker.setAway(true);
    return () => broker.setAway(false);
  },
  "gate-cut": ({ hosting }, chance) => {
    const gate = chance.pick(hosting.gates);
    gate.isCut = true;
    return () => void (gate.isCut = false);
  },
  "gates-slow": ({ hosting }) => {
    for (const gate of hosting.gates) gate.asksMs = 4_000;
    return () => {
      for (const gate of hosting.gates) gate.asksMs = ASKS_MS;
    };
  },
} satisfies Readonly<Record<string, MoveFault>>;

/** Whether a move says itself that something was not read: that is not judged. */
export function saysLoss(because: string | undefined): boolean {
  return /was not read|at the target alone/.test(because ?? "");
}
