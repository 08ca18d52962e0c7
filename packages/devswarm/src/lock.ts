import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identify, isAlive } from "./processes.ts";
import type { ProcessIdentity } from "./processes.ts";

interface Holder extends ProcessIdentity {
  readonly token: string;
}

/** A lock that somebody who lives has held for all the time that was waited. */
export class LockHeldError extends Error {
  readonly file: string;
  /** Process that holds it; absent where its file could not be read. */
  readonly pid: number | undefined;

  constructor(file: string, pid: number | undefined) {
    const holder = `${file} is held by process ${pid ?? "unknown"}, which is still at work`;
    super(`${holder}; wait for it or end it, then try again.`);
    this.name = "LockHeldError";
    this.file = file;
    this.pid = pid;
  }
}

/**
 * Runs `work` while this call holds the lock file; others, in this process or another, wait.
 * A lock whose holder has died is taken over. Throws a `LockHeldError` after `timeoutMs` of
 * waiting.
 */
export async function withLock<T>(file: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const release = await acquire(file, timeoutMs);
  try {
    return await work();
  } finally {
    release();
  }
}

async function acquire(file: string, timeoutMs: number): Promise<() => void> {
  const me = identify(process.pid);
  if (me === undefined) throw new Error("This process cannot be found in /proc; a fleet needs /proc to be mounted.");
  const own: Holder = { ...me, token: randomUUID() };
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (tryTake(file, own)) return () => giveBack(file, own);
    const holder = readHolder(file);
    if (holder !== undefined && !isAlive(holder)) removeStale(file, holder);
    else if (Date.now() >= deadline) throw new LockHeldError(file, holder?.pid);
    else await sleep(50);
  }
}

// The file appears with its content in one step, by a link: nobody ever reads half a lock.
function tryTake(file: string, own: Holder): boolean {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${own.token}`;
  try {
    writeFileSync(draft, JSON.stringify(own));
    linkSync(draft, file);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    // The directory goes with its last lock, perhaps at this very moment.
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw cause;
  } finally {
    rmSync(draft, { force: true });
  }
}

// Several may find the same dead holder, and only one wins the rename; a process that renamed a
// newer lock puts it back.
function removeStale(file: string, dead: Holder): void {
  const aside = `${file}.stale.${randomUUID()}`;
  try {
    renameSync(file, aside);
    if (readHolder(aside)?.token !== dead.token) linkSync(aside, file);
  } catch {
    // Another process was quicker.
  } finally {
    rmSync(aside, { force: true });
  }
}

function giveBack(file: string, own: Holder): void {
  if (readHolder(file)?.token === own.token) rmSync(file, { force: true });
  try {
    rmdirSync(dirname(file));
  } catch {
    // Other fleets are still there.
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}
