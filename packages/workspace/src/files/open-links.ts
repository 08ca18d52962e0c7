import { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Bucket } from "./bucket.ts";
import type { Hold } from "./ledger.ts";

/** A link that may write one file until it expires. */
export interface OpenLink {
  readonly name: string;
  /** Where it writes to. */
  readonly bucket: Bucket;
  /** The most that it may write. */
  readonly hold: Hold;
  /** Bytes of the file that was there when the link was made. */
  readonly replaced: number | undefined;
  readonly expiresAt: number;
}

/** An upload that began just before the link expired gets this much longer. */
const GRACE_MS = 5_000;
const AGAIN_MS = 30_000;

/**
 * Links that may write. What each may write at most stays held until it has expired, since it may
 * be used again until then; what it wrote is counted only after that.
 */
export class OpenLinks {
  readonly #clock: Clock;
  readonly #expire: (link: OpenLink) => Promise<void>;
  readonly #open = new Map<string, { link: OpenLink; cancel: () => void }>();
  #isClosed = false;

  /** @param expire counts what a link wrote; called again where it fails. */
  constructor(clock: Clock, expire: (link: OpenLink) => Promise<void>) {
    this.#clock = clock;
    this.#expire = expire;
  }

  get size(): number {
    return this.#open.size;
  }

  add(link: OpenLink): void {
    this.#wait(link, link.expiresAt - this.#clock.now() + GRACE_MS);
  }

  /** @throws SkepError where there is no link that writes this file. */
  get(name: string): OpenLink {
    const open = this.#open.get(name);
    if (open !== undefined) return open.link;
    throw new SkepError("not_found", "NO_LINK", `No link that writes ${name} is open. Make one first.`);
  }

  close(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#open.values()) cancel();
  }

  #wait(link: OpenLink, delayMs: number): void {
    const cancel = this.#clock.timer(delayMs, () => void this.#end(link));
    this.#open.set(link.name, { link, cancel });
  }

  async #end(link: OpenLink): Promise<void> {
    try {
      await this.#expire(link);
      this.#open.delete(link.name);
    } catch {
      // The bucket tells what is wrong with it.
      if (!this.#isClosed) this.#wait(link, AGAIN_MS);
    }
  }
}
