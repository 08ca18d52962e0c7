import type { Clock } from "@skep/kit/clock.ts";
import { COLLECTION_NAMES } from "../database/collections.ts";
import { pairKeys } from "../database/compare.ts";
import type { KeyPages } from "../database/keys.ts";
import type { PortableDatabase } from "../database/portable.ts";
import type { CollectionName } from "../database/query/run.ts";
import { inParcels } from "./both.ts";
import type { Peer } from "./peer.ts";

/** How far a copy is; one that is begun again goes on by it. */
export interface CopyState {
  /** Documents that the other half surely has. */
  copied: number;
  /** That there are, about. */
  total: number;
  /** Since when what was received is to be looked through; absent before all is copied. */
  latestFrom: number | undefined;
  /** What the other half lacked when all that is new was looked through last. */
  lacking: number | undefined;
  /** The latest keys that it surely has. */
  readonly known: Set<string>;
}

/** The state of a copy that has not begun. */
export function noCopy(): CopyState {
  return { copied: 0, total: 0, latestFrom: undefined, lacking: undefined, known: new Set() };
}

/** What a copy works on. */
export interface CopyPorts {
  readonly here: PortableDatabase;
  readonly there: Peer;
  readonly clock: Clock;
  /** Called when it is a stage further. */
  readonly changed: () => void;
}

const NAMES = Object.keys(COLLECTION_NAMES) as readonly CollectionName[];
/** Keys that are brought at once. */
const BATCH = 500;
/** Between two looks at what is new. */
const PAUSE_MS = 300;
/** What is stored may have been received this long before. */
const LATE_MS = 10_000;
/** Keys that are remembered; what falls out is brought again, and is there. */
const MOST_KNOWN = 200_000;
/** Later than any time at which something was received. */
const FOR_EVER = 8_640_000_000_000_000;

/**
 * Gives the other half what it lacks, until it is to end: everything at first where `since` is 0,
 * then again and again what was received lately. Rejects where it cannot go on; it may begin anew.
 */
export async function copyOn(ports: CopyPorts, since: number, state: CopyState, ending: AbortSignal): Promise<void> {
  const { here, clock } = ports;
  state.total = await here.count();
  if (since === 0 && state.latestFrom === undefined) {
    const from = clock.now() - LATE_MS;
    state.copied = 0;
    for (const name of NAMES) await copyAll(ports, name, state, ending);
    if (!ending.aborted) state.latestFrom = from;
    ports.changed();
  }
  while (!ending.aborted) {
    const beganAt = clock.now();
    const from = since === 0 ? (state.latestFrom ?? 0) : since;
    let lacking = 0;
    for (const name of NAMES) lacking += await copyLatest(ports, name, from, state.known, ending);
    if (ending.aborted) return;
    // On the way back all since the move began is looked through each time: nobody reads meanwhile.
    const isNews = state.lacking !== lacking;
    Object.assign(state, { lacking, copied: state.copied + lacking, latestFrom: beganAt - LATE_MS });
    if (isNews) ports.changed();
    state.total = Math.max(state.copied, await here.count());
    await clock.sleep(PAUSE_MS, ending);
  }
}

async function copyAll(
  { here, there }: CopyPorts,
  name: CollectionName,
  state: CopyState,
  ending: AbortSignal,
): Promise<void> {
  let missing: string[] = [];
  const bring = async (): Promise<void> => {
    await bringAll(here, there, name, missing);
    state.copied += missing.length;
    missing = [];
  };
  for await (const [own, others] of pairKeys(keysOf(here, name), keysOf(there, name))) {
    if (ending.aborted) return;
    if (own !== undefined && others !== undefined) state.copied += 1;
    if (own === undefined || others !== undefined) continue;
    missing.push(own);
    if (missing.length >= BATCH) await bring();
  }
  await bring();
}

async function* keysOf(database: KeyPages, name: CollectionName): AsyncGenerator<string> {
  const window = { from: 0, until: FOR_EVER };
  let page = await database.keysPage(name, window, "");
  while (page.length > 0) {
    yield* page;
    page = await database.keysPage(name, window, page.at(-1) ?? "");
  }
}

/** Answers how many of them the other half lacked. */
async function copyLatest(
  { here, there }: CopyPorts,
  name: CollectionName,
  since: number,
  known: Set<string>,
  ending: AbortSignal,
): Promise<number> {
  let lacking = 0;
  for await (const page of here.latest(name, since)) {
    if (ending.aborted) return lacking;
    const news = page.filter(key => !known.has(key));
    for (let at = 0; at < news.length && !ending.aborted; at += BATCH) {
      const keys = news.slice(at, at + BATCH);
      lacking += await bringAll(here, there, name, keys);
      for (const key of keys) known.add(key);
    }
  }
  for (const key of known) {
    if (known.size <= MOST_KNOWN) break;
    known.delete(key);
  }
  return lacking;
}

async function bringAll(
  here: PortableDatabase,
  there: Peer,
  name: CollectionName,
  keys: readonly string[],
): Promise<number> {
  if (keys.length === 0) return 0;
  let stored = 0;
  for (const parcel of inParcels(await here.exportAll(name, keys))) {
    const written = await there.importAll(name, parcel);
    const [first] = written.refused;
    if (first !== undefined) throw new UncopiedError(`the other half cannot store ${first[0]}: ${first[1]}`);
    stored += written.stored;
  }
  return stored;
}

/** What can never be copied. */
export class UncopiedError extends Error {}
