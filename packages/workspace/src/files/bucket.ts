import type { LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Clock } from "@skep/kit/clock.ts";
import { boundAnswers } from "./bounded-answers.ts";
import { isMissing, noFile, storeFailure } from "./failure.ts";

/** A place that keeps files: a bucket of an S3 server. */
export interface FileRegion {
  /** For people, such as `eu-1`. */
  readonly name: string;
  readonly endpoint: string;
  /** Where browsers and devices reach the endpoint, for links; the endpoint itself by default. */
  readonly publicEndpoint?: string;
  /** Nobody outside reaches the endpoint, so that a link would lead nowhere. */
  readonly isInside?: true;
  /** How its name is resolved; the system's own way where it is absent. */
  readonly lookup?: LookupFunction;
  /** What the server calls its region; `us-east-1` by default. */
  readonly s3Region?: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An object of a bucket. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** ms since 1970. */
  readonly modifiedAt: number;
}

/** One page of a bucket's objects, in the order of their keys. */
export interface ObjectPage {
  readonly objects: readonly StoredObject[];
  readonly isLast: boolean;
}

/** S3 takes 10,000 parts, so this bounds a file to 80 GB; two of them are in memory at a time. */
const PART_BYTES = 8 * 1024 * 1024;
/** Largest file that can be uploaded. */
export const LARGEST_FILE = PART_BYTES * 10_000;

/** Of 1,000 each: more than any workspace may have, less than a server could make up. */
export const MOST_PAGES = 30;

/** How long a region that failed is asked after the others, and when it is looked at again. */
const AVOIDED_MS = 10_000;

/** The bucket of one region, shared by all workspaces of a process. */
export class Bucket {
  readonly region: FileRegion;
  readonly s3Region: string;
  readonly #client: S3Client;
  readonly #clock: Clock;
  #problem = "";
  #failedAt = 0;
  #prepared: Promise<void> | undefined;
  #isClosed = false;
  #cancelLook = (): void => undefined;

  constructor(region: FileRegion, clock: Clock) {
    this.region = region;
    this.#clock = clock;
    this.s3Region = region.s3Region ?? "us-east-1";
    this.#client = this.clientFor(region.endpoint);
  }

  /** A client of the same server at another address. */
  clientFor(endpoint: string): S3Client {
    const { accessKeyId, secretAccessKey, lookup } = this.region;
    const agent = { maxSockets: 256, ...(lookup === undefined ? {} : { lookup }) };
    const client = new S3Client({
      ...{ endpoint, region: this.s3Region, forcePathStyle: true, maxAttempts: 3 },
      credentials: { accessKeyId, secretAccessKey },
      // With more of them a signed link holds the checksum of nothing, and the upload fails.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      requestHandler: {
        connectionTimeout: 3_000,
        socketTimeout: 30_000,
        httpsAgent: agent,
        httpAgent: agent,
      },
    });
    return boundAnswers(client);
  }

  /** Why the last call failed; empty where it did not. */
  get problem(): string {
    return this.#problem;
  }

  /** Whether others are asked first, since the last call failed a moment ago. */
  get isAvoided(): boolean {
    return this.#problem !== "" && this.#clock.monotonic() - this.#failedAt < AVOIDED_MS;
  }

  /** Makes the bucket where there is none; asks once, until it worked. */
  prepare(): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #prepare(): Promise<void> {
    const Bucket = this.region.bucket;
    await this.#ask("open its bucket", async () => {
      try {
        await this.#client.send(new HeadBucketCommand({ Bucket }));
      } catch (error) {
        if ((error as Error).name !== "NotFound") throw error;
        await this.#client.send(new CreateBucketCommand({ Bucket }));
      }
    });
  }

  /** Stores a body of any length, in parts; where it fails, no part of it stays. */
  async put(key: string, contentType: string, body: Readable): Promise<void> {
    // `abort()` of an upload does not wait until its parts are gone: a body that fails does.
    const params = { Bucket: this.region.bucket, Key: key, ContentType: contentType, Body: body };
    const options = { client: this.#client, partSize: PART_BYTES, queueSize: 2, params };
    await this.#ask("store a file", () => new Upload(options).done(), body);
  }

  /** An object, or a range of it such as `bytes=0-9`; `undefined` where there is none. */
  async get(key: string, range?: string): Promise<{ object: StoredObject; body: Readable } | undefined> {
    const command = new GetObjectCommand({ Bucket: this.region.bucket, Key: key, Range: range });
    const found = await this.#find("read a file", () => this.#client.send(command));
    if (found?.Body === undefined) return undefined;
    const { ContentLength: size = 0, LastModified } = found;
    return { object: { key, size, modifiedAt: LastModified?.getTime() ?? 0 }, body: found.Body as Readable };
  }

  /** What is known of an object; `undefined` where there is none. */
  async head(key: string): Promise<StoredObject | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.region.bucket, Key: key });
    const found = await this.#find("look at a file", () => this.#client.send(command));
    if (found === undefined) return undefined;
    return { key, size: found.ContentLength ?? 0, modifiedAt: found.LastModified?.getTime() ?? 0 };
  }

  async remove(key: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.region.bucket, Key: key });
    await this.#find("delete a file", () => this.#client.send(command));
  }

  /** Deletes up to 1,000 objects. */
  async removeMany(keys: readonly string[]): Promise<void> {
    const Delete = { Objects: keys.map(Key => ({ Key })), Quiet: true };
    const command = new DeleteObjectsCommand({ Bucket: this.region.bucket, Delete });
    await this.#ask("delete files", async () => {
      const { Errors: [first] = [] } = await this.#client.send(command);
      if (first !== undefined) throw Object.assign(new Error(first.Message ?? ""), { name: first.Code ?? "Unknown" });
    });
  }

  /** Objects whose keys begin with the prefix and come after a key. */
  async page(prefix: string, after: string, most: number): Promise<ObjectPage> {
    const which = { Prefix: prefix, StartAfter: after === "" ? undefined : after, MaxKeys: most };
    const command = new ListObjectsV2Command({ Bucket: this.region.bucket, ...which });
    const { Contents = [], IsTruncated } = await this.#ask("list files", () => this.#client.send(command));
    const objects = Contents.map(({ Key: key = "", Size: size = 0, LastModified }) => ({
      ...{ key, size },
      modifiedAt: LastModified?.getTime() ?? 0,
    }));
    return { objects, isLast: IsTruncated !== true };
  }

  /** Deletes the parts of uploads that nobody goes on with. */
  async sweep(prefix: string, isGoingOn: (key: string) => boolean): Promise<void> {
    const which = { Bucket: this.region.bucket, Prefix: prefix };
    await this.#ask("delete parts of files", async () => {
      let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
      for (let pages = 0; pages < MOST_PAGES; pages += 1) {
        const page = await this.#client.send(new ListMultipartUploadsCommand({ ...which, ...from }));
        for (const { Key, UploadId } of page.Uploads ?? []) {
          if (Key === undefined || isGoingOn(Key)) continue;
          await this.#client.send(new AbortMultipartUploadCommand({ Bucket: which.Bucket, Key, UploadId }));
        }
        if (page.IsTruncated !== true) return;
        from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      }
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook();
    this.#client.destroy();
  }

  async #find<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    return await this.#ask(what, async () => {
      try {
        return await call();
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  /** What fails because of what was asked says nothing about the store. */
  async #ask<T>(what: string, call: () => Promise<T>, body?: Readable): Promise<T> {
    try {
      const answer = await call();
      this.#problem = "";
      this.#cancelLook();
      return answer;
    } catch (error) {
      const reason = body?.errored;
      if (reason !== undefined && reason !== null) throw reason;
      const failure = storeFailure(this.region.name, what, error);
      if (failure.reason.startsWith("FILE_STORE")) {
        this.#problem = failure.message;
        this.#failedAt = this.#clock.monotonic();
        this.#lookLater();
      }
      throw failure;
    }
  }

  /** Where nobody asks it for anything, it would be called away though it is back. */
  #lookLater(): void {
    this.#cancelLook();
    if (this.#isClosed) return;
    const look = (): Promise<unknown> => this.#client.send(new HeadBucketCommand({ Bucket: this.region.bucket }));
    this.#cancelLook = this.#clock.timer(AVOIDED_MS, () => {
      void this.#ask("open its bucket", look).catch(() => undefined);
    });
  }
}

/** Asks the regions one after another for what one of them has (R37). */
export async function firstOf<T>(
  buckets: readonly Bucket[],
  name: string,
  find: (bucket: Bucket) => Promise<T | undefined>,
): Promise<T> {
  let failure: unknown;
  for (const bucket of buckets) {
    try {
      const found = await find(bucket);
      if (found !== undefined) return found;
    } catch (error) {
      failure ??= error;
    }
  }
  // A region that did not answer may have it.
  throw failure ?? noFile(name);
}
