import type { Life } from "../life.ts";
import type { Platform } from "../platform.ts";

/** A container of a simulated host, as the rule sees it. */
export interface Reader {
  readonly life: Life;
  readonly workspaceId: string;
  readonly epoch: number;
  /** When its workspace was made: one that was deleted and made again begins anew. */
  readonly madeAt: number;
  mayRead(): boolean;
}

/**
 * Who reads the messages of workspaces. At no moment may two read one workspace, nobody reads
 * without a lease, and what a later owner has begun to read no earlier one reads on. The broker
 * ends the connection of the one before; that is a second fence, and the leases have to do without.
 */
export class HostRule {
  readonly #platform: Platform;
  readonly #readers = new Set<Reader>();
  /** By workspace: the latest placement that has read. */
  readonly #latest = new Map<string, Reader>();
  /** By process and workspace: the latest placement that it has begun. */
  readonly #begun = new Map<string, Reader>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** A container begins. */
  begins(reader: Reader): void {
    this.#readers.add(reader);
    const key = `${reader.life.name} ${reader.workspaceId}`;
    const before = this.#begun.get(key);
    if (before?.life === reader.life && isEarlier(reader, before))
      this.#platform.violate(`${key} begins at epoch ${reader.epoch} after epoch ${before.epoch}`);
    this.#begun.set(key, reader);
    this.#platform.say(`${reader.life.name} begins ${reader.workspaceId}@${reader.epoch}`);
  }

  /** A container is over. */
  ends(reader: Reader): void {
    this.#readers.delete(reader);
    this.#platform.say(`${reader.life.name} ends ${reader.workspaceId}@${reader.epoch}`);
  }

  /** Other records are in place, which count placements from an earlier number. */
  restores(): void {
    this.#latest.clear();
    this.#begun.clear();
  }

  /** A container connects to its broker, or acknowledges what it has stored. */
  reads(reader: Reader, what: string): void {
    const { workspaceId, epoch, life } = reader;
    const latest = this.#latest.get(workspaceId);
    const other = this.owners(workspaceId).find(one => one !== reader);
    const says = `${life.name} ${what} of ${workspaceId} at epoch ${epoch}`;
    if (latest !== undefined && isEarlier(reader, latest))
      this.#platform.violate(`${says}, and its owner of epoch ${latest.epoch} has read it`);
    if (other !== undefined)
      this.#platform.violate(`${says} beside ${other.life.name} at epoch ${other.epoch}: two owners`);
    if (!reader.mayRead()) this.#platform.violate(`${says}, and its lease is over`);
    if (latest === undefined || isEarlier(latest, reader)) this.#latest.set(workspaceId, reader);
  }

  /** Who could read a workspace at this moment. */
  owners(workspaceId: string): readonly Reader[] {
    return [...this.#readers].filter(
      one => one.workspaceId === workspaceId && one.life.alive() && !one.life.paused() && one.mayRead(),
    );
  }
}

function isEarlier(one: Reader, other: Reader): boolean {
  return one.madeAt === other.madeAt ? one.epoch < other.epoch : one.madeAt < other.madeAt;
}
