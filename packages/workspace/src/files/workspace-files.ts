import type { Readable } from "node:stream";
import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { contentTypeOf, fileKeyPrefix, fileNameIssues, filePrefixIssues } from "@skep/core/workspace/file-name.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { Beginning } from "./beginning.ts";
import { firstOf, LARGEST_FILE, MOST_PAGES, type Bucket, type StoredObject } from "./bucket.ts";
import { filesAway, noFile, refuseName } from "./failure.ts";
import type { FileInfo, FilePage, FileRange, ListRequest, UploadOptions, WorkspaceFiles } from "./files.ts";
import { Ledger, type FileQuota, type FileUsage, type Hold } from "./ledger.ts";
import { checkSeconds, postLink, putLink, readLink, type FileLink, type LinkTarget } from "./links.ts";
import { metered } from "./meter.ts";
import { OpenLinks, type OpenLink } from "./open-links.ts";
import { Writer } from "./writer.ts";

/** Whose files, where, and what bounds them. */
export interface FilesSetup {
  readonly id: WorkspaceId;
  /** Where they are kept; what is read comes from the first that has it. */
  readonly buckets: readonly Bucket[];
  readonly quota: FileQuota;
  readonly extensions: readonly string[];
  readonly clock: Clock;
  readonly stallMs: number;
  /** Hears of its end. */
  readonly onClosed: () => void;
}

/** Each keeps 24 MiB in memory at most. */
const MOST_UPLOADS = 4;
const MOST_DOWNLOADS = 16;
const RECOUNT_MS = 3_600_000;
const PAGE = 1000;
/** Longest that who can do without files for now waits for them. */
const WAIT_MS = 3_000;

/** The part of a container. */
export class Files implements WorkspaceFiles {
  readonly #setup: FilesSetup;
  readonly #prefix: string;
  readonly #ledger: Ledger;
  readonly #writer: Writer;
  readonly #links: OpenLinks;
  readonly #beginning: Beginning;
  /** Names that something is being done to. */
  readonly #busy = new Set<string>();
  readonly #ending = new AbortController();
  readonly #passed = { uploads: 0, uploadedBytes: 0, failedUploads: 0, downloads: 0 };
  readonly #uploads = new Set<Promise<unknown>>();
  #downloads = 0;
  #recounting = (): void => undefined;

  constructor(setup: FilesSetup) {
    this.#setup = setup;
    this.#prefix = fileKeyPrefix(setup.id);
    this.#ledger = new Ledger(setup.quota);
    this.#writer = new Writer(setup.buckets, this.#prefix);
    this.#links = new OpenLinks(setup.clock, link => this.#expire(link));
    this.#beginning = new Beginning(setup.clock, () => this.#begin());
  }

  /** Rejects where no region answers. */
  async begin(): Promise<void> {
    await this.#beginning.now();
  }

  /** Begins once a region answers; does not wait long for that. */
  async beginSoon(): Promise<void> {
    await this.#beginning.soon(WAIT_MS);
  }

  /** Counts what is there, and deletes the parts of uploads that ended with a process. */
  async #begin(): Promise<void> {
    await firstOf(this.#order(), "", async bucket => {
      await bucket.prepare();
      return true;
    });
    await this.#writer.tidy();
    await this.#recount();
    if (!this.#ending.signal.aborted) this.#recountLater();
  }

  async upload(name: string, body: AsyncIterable<Uint8Array>, options: UploadOptions = {}): Promise<FileInfo> {
    const key = this.#keyOf(name);
    if (this.#uploads.size >= MOST_UPLOADS) throw tooMany("uploads", MOST_UPLOADS);
    const upload = this.#alone(name, () => this.#upload(key, body, options));
    this.#uploads.add(upload);
    try {
      const file = await upload;
      this.#passed.uploads += 1;
      this.#passed.uploadedBytes += file.size;
      return file;
    } catch (error) {
      this.#passed.failedUploads += 1;
      throw error;
    } finally {
      this.#uploads.delete(upload);
    }
  }

  async #upload(key: string, body: AsyncIterable<Uint8Array>, options: UploadOptions): Promise<FileInfo> {
    const { clock, stallMs } = this.#setup;
    for (const bucket of this.#setup.buckets) await bucket.prepare();
    await this.#writer.tidy();
    const replaced = await this.#sizeOf(key);
    const hold = this.#ledger.hold(0, replaced === undefined);
    let size = 0;
    const passed = (bytes: number): void => {
      if (bytes > LARGEST_FILE) throw tooLarge();
      size = bytes;
    };
    const { signal } = this.#ending;
    const either = options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]);
    const bounds = { clock, stallMs, hold, passed, size: options.size, signal: either };
    try {
      await this.#writer.store(key, metered(body, bounds), replaced === undefined);
      hold.keep(size, replaced);
      return this.#infoOf({ key, size, modifiedAt: clock.now() });
    } finally {
      hold.free();
    }
  }

  async download(name: string, range?: FileRange): Promise<{ file: FileInfo; body: Readable }> {
    const key = this.#keyOf(name);
    if (this.#downloads >= MOST_DOWNLOADS) throw tooMany("downloads", MOST_DOWNLOADS);
    const bytes = range === undefined ? undefined : `bytes=${range.first}-${range.last ?? ""}`;
    this.#downloads += 1;
    const end = (): void => void (this.#downloads -= 1);
    try {
      const { object, body } = await firstOf(this.#order(), name, bucket => bucket.get(key, bytes));
      body.once("close", end);
      const giveUp = (): void => void body.destroy(closed());
      this.#ending.signal.addEventListener("abort", giveUp);
      body.once("close", () => this.#ending.signal.removeEventListener("abort", giveUp));
      this.#passed.downloads += 1;
      return { file: this.#infoOf(object), body };
    } catch (error) {
      end();
      throw error;
    }
  }

  async stat(name: string): Promise<FileInfo> {
    const key = this.#keyOf(name);
    return this.#infoOf(await firstOf(this.#order(), name, bucket => bucket.head(key)));
  }

  async list({ prefix = "", after = "", most = 100 }: ListRequest = {}): Promise<FilePage> {
    this.#checkOpen();
    refuseName([...filePrefixIssues(prefix), ...filePrefixIssues(after)]);
    if (!Number.isInteger(most) || most < 1 || most > PAGE) {
      const text = `A page cannot have ${most} files. Use 1 to ${PAGE}.`;
      throw new SkepError("invalid_argument", "FILE_PAGE", text);
    }
    const from = after === "" ? "" : this.#prefix + after;
    const page = await firstOf(this.#order(), "", bucket => bucket.page(this.#prefix + prefix, from, most));
    return { files: page.objects.map(object => this.#infoOf(object)), isLast: page.isLast };
  }

  async remove(name: string): Promise<void> {
    const key = this.#keyOf(name);
    await this.#alone(name, async () => {
      const { size } = await firstOf(this.#order(), name, bucket => bucket.head(key));
      for (const bucket of this.#setup.buckets) await bucket.remove(key);
      this.#ledger.remove(size);
    });
  }

  async removeAll(): Promise<void> {
    this.#checkOpen();
    for (const bucket of this.#setup.buckets) {
      for (;;) {
        const { objects, isLast } = await bucket.page(this.#prefix, "", PAGE);
        if (objects.length > 0) await bucket.removeMany(objects.map(({ key }) => key));
        if (isLast) break;
      }
    }
    await this.#writer.tidy();
    await this.#recount();
  }

  async linkToRead(name: string, seconds: number): Promise<FileLink> {
    checkSeconds(seconds);
    const target = this.#targetOf(name, seconds);
    const bucket = await firstOf(this.#order(), name, async one => {
      return (await one.head(target.key)) === undefined ? undefined : one;
    });
    return await readLink(bucket, target);
  }

  async linkToWrite(name: string, seconds: number, room: { exactly: number } | { most: number }): Promise<FileLink> {
    checkSeconds(seconds);
    const target = this.#targetOf(name, seconds);
    const bytes = "exactly" in room ? room.exactly : room.most;
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > LARGEST_FILE) throw tooLarge();
    this.#claim(name);
    let hold: Hold | undefined;
    try {
      const replaced = await this.#sizeOf(target.key);
      hold = this.#ledger.hold(bytes, replaced === undefined);
      const [bucket] = this.#order();
      if (bucket === undefined) throw noFile(name);
      await bucket.prepare();
      const link = "exactly" in room ? await putLink(bucket, target, bytes) : postLink(bucket, target, bytes);
      this.#links.add({ name, bucket, hold, replaced, expiresAt: link.expiresAt });
      return link;
    } catch (error) {
      hold?.free();
      this.#busy.delete(name);
      throw error;
    }
  }

  async settle(name: string): Promise<FileInfo> {
    const key = this.#keyOf(name);
    const found = await this.#writer.spread(key, this.#links.get(name).bucket);
    if (found === undefined) throw noFile(name);
    return this.#infoOf(found);
  }

  usage(): FileUsage {
    this.#checkBegun();
    return this.#ledger.usage();
  }

  setQuota(quota: FileQuota): void {
    this.#ledger.quota = quota;
  }

  health(): { isConnected: boolean; lastError: string } {
    const problems = this.#setup.buckets.map(bucket => bucket.problem).filter(problem => problem !== "");
    const away = this.#beginning.problem;
    const isConnected =
      away === undefined && !this.#ending.signal.aborted && problems.length < this.#setup.buckets.length;
    return { isConnected, lastError: away === undefined ? (problems[0] ?? "") : filesAway(away).message };
  }

  counts(): Readonly<Record<string, number>> {
    const now = { uploadsNow: this.#uploads.size, downloadsNow: this.#downloads, openLinks: this.#links.size };
    // What was not counted yet is not none.
    const usage = this.#beginning.problem === undefined ? this.#ledger.usage() : {};
    return { ...usage, ...this.#passed, ...now };
  }

  /** Calls off what is on its way; the clients are the host's. */
  async close(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#beginning.stop();
    this.#recounting();
    this.#links.close();
    this.#ending.abort();
    await Promise.allSettled(this.#uploads);
    this.#setup.onClosed();
  }

  async #expire(link: OpenLink): Promise<void> {
    const found = await this.#writer.spread(this.#prefix + link.name, link.bucket);
    if (found === undefined) link.hold.free();
    else link.hold.keep(found.size, link.replaced);
    this.#busy.delete(link.name);
  }

  /** Counts anew what is stored, unless something is on its way: then the count would be wrong. */
  async #recount(): Promise<void> {
    const before = this.#ledger.changes;
    if (this.#busy.size > 0) return;
    const used = await firstOf(this.#order(), "", bucket => this.#countIn(bucket));
    if (this.#busy.size === 0 && this.#ledger.changes === before) this.#ledger.set(used);
  }

  async #countIn(bucket: Bucket): Promise<FileQuota> {
    const used = { bytes: 0, files: 0 };
    let after = "";
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const { objects, isLast } = await bucket.page(this.#prefix, after, PAGE);
      for (const { size } of objects) used.bytes += size;
      used.files += objects.length;
      after = objects.at(-1)?.key ?? "";
      if (isLast || objects.length === 0) return used;
    }
    throw tooManyFiles();
  }

  #recountLater(): void {
    const again = async (): Promise<void> => {
      await this.#recount().catch(() => undefined);
      if (!this.#ending.signal.aborted) this.#recountLater();
    };
    this.#recounting = this.#setup.clock.timer(RECOUNT_MS, () => void again());
  }

  async #sizeOf(key: string): Promise<number | undefined> {
    for (const bucket of this.#setup.buckets) {
      const found = await bucket.head(key);
      if (found !== undefined) return found.size;
    }
    return undefined;
  }

  /** Those that answer, first. */
  #order(): readonly Bucket[] {
    return this.#setup.buckets.toSorted((a, b) => Number(a.isAvoided) - Number(b.isAvoided));
  }

  #keyOf(name: string): string {
    this.#checkOpen();
    refuseName(fileNameIssues(name, this.#setup.extensions));
    return this.#prefix + name;
  }

  #targetOf(name: string, seconds: number): LinkTarget {
    const key = this.#keyOf(name);
    const file = name.slice(name.lastIndexOf("/") + 1);
    return { key, file, contentType: contentTypeOf(name), seconds, now: this.#setup.clock.now() };
  }

  #infoOf({ key, size, modifiedAt }: StoredObject): FileInfo {
    const name = key.slice(this.#prefix.length);
    return { name, size, modifiedAt, contentType: contentTypeOf(name) };
  }

  #claim(name: string): void {
    if (this.#busy.has(name)) {
      const text = `Something is writing ${name} already, or a link may. Try again once that has ended.`;
      throw new SkepError("aborted", "FILE_BUSY", text);
    }
    this.#busy.add(name);
  }

  async #alone<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.#claim(name);
    try {
      return await run();
    } finally {
      this.#busy.delete(name);
    }
  }

  #checkOpen(): void {
    if (this.#ending.signal.aborted) throw closed();
    this.#checkBegun();
  }

  /** What is stored was not counted yet, so that nothing could be bounded. */
  #checkBegun(): void {
    const { problem } = this.#beginning;
    if (problem !== undefined) throw filesAway(problem);
  }
}

function closed(): SkepError {
  return new SkepError("unavailable", "FILES_CLOSED", "The files of the workspace are closed here. Ask for its host.");
}

function tooManyFiles(): SkepError {
  const text = `The storage has more than ${MOST_PAGES * PAGE} files of the workspace. Delete some there.`;
  return new SkepError("failed_precondition", "FILE_STORE_FILES", text);
}

function tooMany(what: string, most: number): SkepError {
  const text = `The workspace has ${most} ${what} on their way. Try again when one has ended.`;
  return new SkepError("resource_exhausted", "FILE_TRANSFERS", text);
}

function tooLarge(): SkepError {
  return new SkepError("invalid_argument", "FILE_SIZE", `A file has 0 to ${LARGEST_FILE} bytes. Part it.`);
}
