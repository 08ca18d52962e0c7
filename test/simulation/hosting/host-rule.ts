import type { Life } from "./life.ts";
import type { Platform } from "./platform.ts";

/** A container of a simulated host, as the rule sees it. */
export interface Reader {
  readonly life: Life;
  readonly workspaceId: string;
  readonly epoch: number;
  isClosed: boolean;
  mayRead(): boolean;
}

/**
 * Who reads the messages of workspaces. At no moment may two read one workspace, and what a later
 * owner has begun to read no earlier one reads on. The broker of the simulation parts nobody: a
 * real one ends the connection of the one before, which is a second fence.
 */
export class HostRule {
  readonly #platform: Platform;
  readonly #readers = new Set<Reader>();
  /** By workspace: the latest placement that has read. */
  readonly #latest = new Map<string, number>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** A container has begun. */
  begins(reader: Reader): void {
    this.#readers.add(reader);
    this.#platform.say(`${reader.life.name} begins ${reader.workspaceId}@${reader.epoch}`);
  }

  /** A container is over. */
  ends(reader: Reader): void {
    this.#readers.delete(reader);
    this.#platform.say(`${reader.life.name} ends ${reader.workspaceId}@${reader.epoch}`);
  }

  /** A container acknowledges what it has stored. */
  reads(reader: Reader): void {
    const { workspaceId, epoch, life } = reader;
    const latest = this.#latest.get(workspaceId) ?? 0;
    const other = this.owners(workspaceId).find(one => one !== reader);
    if (epoch < latest)
      this.#platform.violate(
        `${life.name} reads ${workspaceId} at epoch ${epoch}, and its owner of epoch ${latest} has read it`,
      );
    if (other !== undefined)
      this.#platform.violate(
        `${life.name} reads ${workspaceId} at epoch ${epoch} beside ${other.life.name} at epoch ${other.epoch}: two owners`,
      );
    this.#latest.set(workspaceId, Math.max(latest, epoch));
  }

  /** Who could read a workspace at this moment. */
  owners(workspaceId: string): readonly Reader[] {
    return [...this.#readers].filter(
      one =>
        one.workspaceId === workspaceId && !one.isClosed && one.life.alive() && !one.life.paused() && one.mayRead(),
    );
  }
}
