import type { Readable } from "node:stream";
import type { Part } from "../parts.ts";
import type { FileQuota, FileUsage } from "./ledger.ts";
import type { FileLink } from "./links.ts";

/** A file of a workspace. */
export interface FileInfo {
  readonly name: string;
  readonly size: number;
  /** ms since 1970. */
  readonly modifiedAt: number;
  readonly contentType: string;
}

/** How a file comes in. */
export interface UploadOptions {
  /** Bytes that it has, where they are known: fewer are a file that was cut. */
  readonly size?: number;
  /** Calls it off. */
  readonly signal?: AbortSignal;
}

/** Which part of a file: bytes from `first` to `last`, both included. */
export interface FileRange {
  readonly first: number;
  readonly last?: number;
}

/** Which files. */
export interface ListRequest {
  /** What their names begin with; all by default. */
  readonly prefix?: string;
  /** Name of the last file of the page before. */
  readonly after?: string;
  /** Most files of the page; 1 to 1,000. */
  readonly most?: number;
}

/** Some files, in the order of their names. */
export interface FilePage {
  readonly files: readonly FileInfo[];
  readonly isLast: boolean;
}

/** The files of one workspace (R36..R40), which no name can leave (R21). */
export interface WorkspaceFiles extends Part {
  /** Stores a file of any length in all regions; on any failure nothing of a new one stays. */
  upload(name: string, body: AsyncIterable<Uint8Array>, options?: UploadOptions): Promise<FileInfo>;
  /** The file, or a range of it; it is not held in memory. Destroy the body to give it up. */
  download(name: string, range?: FileRange): Promise<{ readonly file: FileInfo; readonly body: Readable }>;
  stat(name: string): Promise<FileInfo>;
  list(request?: ListRequest): Promise<FilePage>;
  remove(name: string): Promise<void>;
  /** Deletes all files of the workspace. */
  removeAll(): Promise<void>;
  /** A link to read a file. */
  linkToRead(name: string, seconds: number): Promise<FileLink>;
  /** A link to write a file: a PUT of exactly so many bytes, or a form of at most so many. */
  linkToWrite(name: string, seconds: number, room: { exactly: number } | { most: number }): Promise<FileLink>;
  /** Looks at what a link wrote, and brings it to the other regions. */
  settle(name: string): Promise<FileInfo>;
  usage(): FileUsage;
  setQuota(quota: FileQuota): void;
}
