import { RecoveryAction } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { deploymentOf } from "@skep/core/model/instance-id.ts";
import { recover } from "@skep/scheduler/api/recover.ts";
import { emptyRecords, removalKey, type Records } from "@skep/scheduler/store/memory-records.ts";
import type { Orphan } from "@skep/scheduler/store/store.ts";
import type { Revival } from "./adversary.ts";
import { endLife, type Platform } from "./platform.ts";
import { isSingleName } from "./volume-rule.ts";

/** What becomes of the records as a whole, once in a seed. */
export interface Disaster {
  /**
   * `rewind`: an older copy is put in their place; `empty`: a new database is; `tail`: a standby
   * takes over while everybody works on, and the last that was committed had not reached it.
   */
  readonly kind: "rewind" | "empty" | "tail";
  readonly atMs: number;
  /** How old the copy is. */
  readonly backMs: number;
  /** How long no scheduler runs, or how long nobody reaches the standby. */
  readonly forMs: number;
}

/** In how many seeds the records suffer something. */
export interface DisasterShares {
  /** Share of seeds with replaced records: none by default. */
  readonly disasters?: number;
  /** Share of seeds with lost commits, drawn first: none by default. */
  readonly failovers?: number;
}

/** Records that nobody complains of are the fleet's: users are let in again. */
const LET_IN_MS = 12_000;
/** A person reads what is wrong before they confirm anything. */
const READS_MS = 3_000;
const TRIES_AGAIN_MS = 10_000;
const PERSON = { actor: "person", idempotencyKey: undefined };

/**
 * Draws what becomes of the records in this seed, by chance of its own: a share of the seeds loses
 * the last commits, and a share of the others has another disaster.
 */
export function drawDisaster(
  platform: Platform,
  { disasters = 0, failovers = 0 }: DisasterShares,
): Disaster | undefined {
  const chance = platform.chance("disaster");
  const tail = platform.chance("tail");
  if (tail.happens(failovers))
    return {
      kind: "tail",
      atMs: tail.between(20_000, 50_000),
      backMs: tail.between(10, 900),
      forMs: tail.between(100, 6_000),
    };
  if (!chance.happens(disasters)) return undefined;
  return {
    kind: chance.pick(["rewind", "empty"]),
    atMs: chance.between(20_000, 45_000),
    backMs: chance.between(1_000, 18_000),
    forMs: chance.between(500, 4_000),
  };
}

/**
 * Lets it come in its time, as a restore is done: schedulers and users are kept out meanwhile. Then
 * a person looks after the records until the end.
 */
export async function suffer(platform: Platform, disaster: Disaster, revival: Revival): Promise<void> {
  const { clock, database } = platform;
  await clock.sleep(Math.max(0, disaster.atMs - disaster.backMs));
  const copy = structuredClone({ ...database.records });
  await clock.sleep(Math.min(disaster.atMs, disaster.backMs));
  platform.say(`FAULT ${JSON.stringify(disaster)}`);
  if (disaster.kind === "tail") return failOver(platform, disaster, copy);
  database.cut("user");
  const ended = platform.schedulers.filter(name => platform.lives.get(name)?.alive() === true);
  for (const name of ended) endLife(platform, name);
  replaceRecords(platform, disaster.kind === "empty" ? emptyRecords("inc_00000001") : copy);
  await clock.sleep(disaster.forMs);
  for (const name of ended) revival.startScheduler(name);
  const struckAt = clock.now();
  const tried = new Set<string>();
  await lookAfter(platform, tried, () => clock.now() - struckAt >= LET_IN_MS);
  database.heal("user");
  for (;;) await lookAfter(platform, tried, () => false);
}

/** Nobody is kept out and nothing is restarted: a standby is promoted without anybody's word. */
async function failOver(platform: Platform, { forMs }: Disaster, copy: Records): Promise<void> {
  replaceRecords(platform, copy);
  platform.database.cut();
  await platform.clock.sleep(forMs);
  platform.database.heal();
  const tried = new Set<string>();
  for (;;) await lookAfter(platform, tried, () => false);
}

/** Other tables take the place of the records, as after a restore or a failover. */
export function replaceRecords(platform: Platform, by: Records): void {
  platform.database.restore(by);
  // Two databases are no two moments of one.
  platform.judged = undefined;
  platform.lease = undefined;
  platform.wasReplaced = true;
  platform.hosting?.rule.restores();
  // What is written back describes what runs, also where its room was given away meanwhile.
  for (const { id } of platform.nodes) platform.repaired.add(id);
  for (const [id, rule] of platform.engineRules) {
    rule.restores(by.platform.incarnation, by.nodes.get(id)?.node.assignmentRevision ?? 0);
  }
}

/**
 * Recovers the records once they need it; answers whether it did before `isOver`. What a recovery
 * did not dispose of stands in `tried` and is removed by hand: another one would not either.
 */
async function lookAfter(platform: Platform, tried: Set<string>, isOver: () => boolean): Promise<boolean> {
  const { clock } = platform;
  for (;;) {
    const heldBack = heldBackBy(platform.database.records);
    for (const one of heldBack) if (tried.has(removalKey(one))) removeByHand(platform, one);
    const isWanted = wantsRecovery(platform, tried);
    if (!isWanted && isOver()) return false;
    await clock.sleep(isWanted ? READS_MS : 1_000);
    // What agents hold lags behind a moment.
    if (!isWanted || !wantsRecovery(platform, tried)) continue;
    if (await recoverNow(platform)) {
      for (const one of heldBack) tried.add(removalKey(one));
      return true;
    }
    await clock.sleep(2_000);
  }
}

/**
 * The records are marked, an agent that runs works by others that they do not replace, or they
 * leave out a single copy that the next one waits for: that is what `skep status` complains of.
 */
function wantsRecovery({ database, nodes, lives, engineRules }: Platform, tried: ReadonlySet<string>): boolean {
  const { incarnation, succeeds, unrecovered } = database.records.platform;
  const isForeign = (id: string): boolean => {
    const held = engineRules.get(id)?.held()?.incarnation ?? "";
    return held !== "" && held !== incarnation && !succeeds.includes(held);
  };
  if (unrecovered !== undefined || heldBackBy(database.records).some(one => !tried.has(removalKey(one)))) return true;
  return nodes.some(({ id }) => lives.get(id)?.alive() === true && isForeign(id));
}

/** What is left alone and may keep the next copy of a single deployment waiting. */
function heldBackBy({ orphans }: Records): readonly Orphan[] {
  return [...orphans.values()].filter(one => isSingleName(deploymentOf(one.instanceId)));
}

/** A person asks any scheduler for `skep recover`, looks, and confirms it. */
async function recoverNow(platform: Platform): Promise<boolean> {
  const handle = [...platform.handles.values()].find(one => one.life.alive() && !one.life.paused());
  if (handle === undefined) return false;
  const { api } = handle;
  const work = async (): Promise<boolean> => {
    const preview = await recover(api, { confirm: false, incarnation: "" }, PERSON);
    await recover(api, { confirm: true, incarnation: preview.incarnation ?? "" }, PERSON);
    const words = (preview.items ?? []).map(one => `${one.instanceId}@${one.epoch} ${one.action} ${one.because}`);
    platform.say(`REPAIR recovered: ${words.join("; ")}`);
    for (const one of preview.items ?? []) if (one.action === RecoveryAction.LEAVE) removeByHand(platform, one);
    return true;
  };
  const refused = (error: unknown): boolean => {
    if (!(error instanceof SkepError)) throw error;
    platform.say(`refused: ${error.code} ${error.reason} ${error.message}`);
    return false;
  };
  return Promise.race([work().catch(refused), platform.clock.sleep(TRIES_AGAIN_MS).then(() => false)]);
}

/**
 * A single copy of which nobody knows the spec stays, and the next one waits for it: a person
 * removes it on its node, as the stack's README says.
 */
function removeByHand(platform: Platform, left: { readonly instanceId?: string; readonly nodeId?: string }): void {
  const { instanceId = "" } = left;
  if (!isSingleName(deploymentOf(instanceId))) return;
  const node = platform.nodes.find(one => one.id === left.nodeId);
  for (const { id, identity } of node?.engine.containers() ?? []) {
    if (identity?.instanceId === instanceId) node?.engine.removeOutside(id);
  }
  platform.say(`REPAIR removed by hand: ${instanceId}`);
}
