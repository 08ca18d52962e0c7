import { SkepError } from "@skep/core/error.ts";
import { contentTypeOf } from "@skep/core/workspace/file-name.ts";
import type { Bucket, StoredObject } from "./bucket.ts";
import { fanOut } from "./fan-out.ts";

/** Stores the objects of one workspace in the buckets of all its regions. */
export class Writer {
  readonly #buckets: readonly Bucket[];
  readonly #prefix: string;
  /** Keys whose parts are needed. */
  readonly #storing = new Set<string>();
  /** Buckets that parts may have stayed behind in; at first all, by a process that died. */
  readonly #unswept: Set<Bucket>;

  /** @param prefix what all keys of the workspace begin with. */
  constructor(buckets: readonly Bucket[], prefix: string) {
    this.#buckets = buckets;
    this.#prefix = prefix;
    this.#unswept = new Set(buckets);
  }

  /** Stores a body in all regions, or leaves nothing of it where there was nothing before. */
  store(key: string, body: AsyncIterable<Uint8Array>, isNew: boolean): Promise<void> {
    return this.#storeIn(this.#buckets, key, body, isNew);
  }

  /** Brings what a link wrote in one region to the others; tells what it is. */
  async spread(key: string, from: Bucket): Promise<StoredObject | undefined> {
    const found = await from.head(key);
    const others = this.#buckets.filter(other => other !== from);
    if (found === undefined || others.length === 0) return found;
    const read = await from.get(key);
    if (read === undefined) return undefined;
    await this.#storeIn(others, key, read.body, false);
    return read.object;
  }

  /** Deletes parts that stayed behind, since a process died or a region was away. */
  async tidy(): Promise<void> {
    for (const bucket of this.#unswept) {
      try {
        await bucket.sweep(this.#prefix, key => this.#storing.has(key));
        this.#unswept.delete(bucket);
      } catch {
        // The bucket tells what is wrong with it; the next upload tries again.
      }
    }
  }

  async #storeIn(
    buckets: readonly Bucket[],
    key: string,
    body: AsyncIterable<Uint8Array>,
    isNew: boolean,
  ): Promise<void> {
    const type = contentTypeOf(key);
    const sinks = buckets.map(bucket => (pipe: Parameters<Bucket["put"]>[2]) => bucket.put(key, type, pipe));
    this.#storing.add(key);
    const { error, took } = await fanOut(body, sinks).finally(() => this.#storing.delete(key));
    if (error === undefined) return;
    const done = buckets.filter((_, index) => took[index]);
    for (const bucket of buckets) if (!done.includes(bucket)) this.#unswept.add(bucket);
    if (isNew) await Promise.allSettled(done.map(bucket => bucket.remove(key)));
    await this.tidy();
    if (isNew || done.length === 0) throw error;
    const names = done.map(({ region }) => region.name).join(", ");
    const text = `${(error as Error).message} Only ${names} has the new file.`;
    throw new SkepError("unavailable", "FILE_TORN", text, { cause: error });
  }
}
