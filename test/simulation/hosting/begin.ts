import { isOver } from "@skep/core/workspace/migration.ts";
import type { Platform } from "../platform.ts";
import { HostAdversary } from "./host-adversary.ts";
import { createHosting } from "./hosting.ts";
import { MoveAdversary } from "./move-adversary.ts";
import { MOVE_ENDS_MS, MOVE_TIMES, saysLoss } from "./move-faults.ts";
import { liveAsTenants, WORKSPACES } from "./owners.ts";

/** What a seed does with its workspaces. */
export interface HostingOfSeed {
  /** Hosts, devices and tenants begin; tenants want nothing more once it is calm. */
  begin(isCalm: () => boolean): void;
  rage(): void;
  calm(): void;
  /**
   * What is missing until every workspace is as it is wanted. Until `movesEnd` only that each had
   * an owner since it is calm: of one that moves nobody reads for a moment.
   */
  gaps(): readonly string[];
  /** Waits until no workspace moves any more, and each is as it is wanted. */
  movesEnd(): Promise<void>;
  /** Messages that were acknowledged and that nobody has. */
  lost(): readonly string[];
}

/** Share of seeds with workspaces, and of these the share where some move. */
export interface HostingShares {
  readonly workspaces?: number;
  readonly moves?: number;
}

const OWNED_WITHIN_MS = 60_000;
/** What a pod still has goes with it. */
const POD_GONE_MS = 8_000;

/** Draws whether a seed has workspaces, by chance of its own, and makes their engines. */
export function beginHosting(platform: Platform, shares: HostingShares): HostingOfSeed | undefined {
  if (!platform.chance("workspaces").happens(shares.workspaces ?? 0)) return undefined;
  const doMove = platform.chance("moves").happens(shares.moves ?? 0);
  const hosting = createHosting(platform, doMove ? MOVE_TIMES : undefined);
  const adversaries = [new HostAdversary(platform, hosting), ...(doMove ? [new MoveAdversary(platform, hosting)] : [])];
  const { clock, database } = platform;
  const owned = new Set<string>();
  let [wishing, haveMovesEnded] = [true, !doMove];
  const failed = (error: unknown): void =>
    platform.violate(`the program of workspaces failed: ${String((error as Error).stack)}`);
  const moves = () => [...database.records.workspaceMoves.values()];
  const moving = (): readonly string[] => {
    const isWanted = (id: string): boolean => database.records.workspaces.get(id)?.desired === "run";
    return moves().flatMap(one =>
      isOver(one) || !isWanted(one.workspaceId) ? [] : [`${one.workspaceId} ${one.stage}`],
    );
  };
  const neverOwned = (): readonly string[] => {
    const unowned = new Set(hosting.unowned());
    for (const id of WORKSPACES) if (!unowned.has(id)) owned.add(id);
    return [...unowned].flatMap(id => (owned.has(id) ? [] : [`workspace ${id} has had no owner yet`]));
  };
  return {
    begin: isCalm => {
      for (const name of hosting.names) hosting.start(name);
      for (const id of WORKSPACES) hosting.devices.send(id).catch(failed);
      liveAsTenants(platform, isCalm).then(() => (wishing = false), failed);
    },
    rage: () => {
      for (const one of adversaries) one.rage().catch(failed);
    },
    calm: () => {
      for (const one of adversaries) one.calm();
      owned.clear();
    },
    gaps: () => {
      if (wishing) return ["tenants still wish"];
      return haveMovesEnded ? hosting.gaps() : neverOwned();
    },
    movesEnd: async () => {
      if (haveMovesEnded) return;
      const isBroken = (): boolean => platform.violation() !== undefined;
      const until = (holds: () => boolean, ms: number): Promise<boolean> =>
        clock.runUntil(() => isBroken() || holds(), ms);
      await until(() => moving().length === 0, MOVE_ENDS_MS);
      haveMovesEnded = true;
      if (moving().length > 0) platform.violate(`a move does not end though nothing fails: ${moving().join()}`);
      await until(() => hosting.gaps().length === 0, OWNED_WITHIN_MS);
      await until(() => false, POD_GONE_MS);
    },
    lost: () => {
      const unclear = new Set(moves().flatMap(one => (isOver(one) && !saysLoss(one.because) ? [] : [one.workspaceId])));
      return hosting.lost(id => !unclear.has(id) && !hosting.excused.has(id));
    },
  };
}
