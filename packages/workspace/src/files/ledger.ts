import { SkepError } from "@skep/core/error.ts";

/** What the files of a workspace may take together. */
export interface FileQuota {
  readonly bytes: number;
  readonly files: number;
}

/** What they take, and what is held for those that are on their way. */
export interface FileUsage extends FileQuota {
  readonly heldBytes: number;
  readonly heldFiles: number;
}

/** What one file on its way may take. It counts against the quota until it is kept or let go. */
export interface Hold {
  /**
   * Holds that many bytes more.
   * @throws SkepError where the quota has no room for them.
   */
  grow(bytes: number): void;
  /** The file is stored, in place of one of `replaced` bytes where there was one. */
  keep(size: number, replaced: number | undefined): void;
  /** Nothing was stored. Does nothing after `keep`. */
  free(): void;
}

/** Counts the files of one workspace against its quota. */
export class Ledger {
  #used: FileQuota = { bytes: 0, files: 0 };
  readonly #held = { bytes: 0, files: 0 };
  #changes = 0;
  quota: FileQuota;

  constructor(quota: FileQuota) {
    this.quota = quota;
  }

  /** Grows with each change of what is used: a count made meanwhile is not to be trusted. */
  get changes(): number {
    return this.#changes;
  }

  usage(): FileUsage {
    return { ...this.#used, heldBytes: this.#held.bytes, heldFiles: this.#held.files };
  }

  /** What was counted in the store is the truth. */
  set(used: FileQuota): void {
    this.#used = used;
  }

  /**
   * Makes room for a file, with `bytes` of it; one that takes another's place needs no place of its
   * own.
   * @throws SkepError where the quota has none.
   */
  hold(bytes: number, isNew: boolean): Hold {
    const { files } = this.quota;
    const places = isNew ? 1 : 0;
    if (isNew && this.#used.files + this.#held.files >= files) {
      const text = `The workspace may keep ${files} files and does. Delete some, or raise its quota.`;
      throw new SkepError("resource_exhausted", "FILE_QUOTA_COUNT", text);
    }
    this.#grow(bytes);
    this.#held.files += places;
    let [held, isOpen] = [bytes, true];
    const free = (): void => {
      if (!isOpen) return;
      isOpen = false;
      this.#held.bytes -= held;
      this.#held.files -= places;
    };
    return {
      grow: more => {
        this.#grow(more);
        held += more;
      },
      keep: (size, replaced) => {
        if (!isOpen) return;
        free();
        this.#add(size - (replaced ?? 0), replaced === undefined ? 1 : 0);
      },
      free,
    };
  }

  /** A stored file of that size is gone. */
  remove(size: number): void {
    this.#add(-size, -1);
  }

  #add(bytes: number, files: number): void {
    this.#changes += 1;
    this.#used = { bytes: this.#used.bytes + bytes, files: this.#used.files + files };
  }

  #grow(bytes: number): void {
    if (this.#used.bytes + this.#held.bytes + bytes > this.quota.bytes) {
      const text = `The workspace may keep ${this.quota.bytes} bytes of files. Delete some, or raise its quota.`;
      throw new SkepError("resource_exhausted", "FILE_QUOTA_BYTES", text);
    }
    this.#held.bytes += bytes;
  }
}
