import { once } from "node:events";
import { PassThrough } from "node:stream";
import { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { FileInfo, WorkspaceFiles } from "../files/files.ts";

/** Uploads that come piece by piece, each call with one of them. */
export interface Uploads {
  /** Begins one; answers its id, which nobody can guess. */
  begin(files: WorkspaceFiles, name: string, size: number | undefined): string;
  /** Takes the next piece once there is room for it; answers how many bytes there are now. */
  write(id: string, offset: number, content: Uint8Array): Promise<number>;
  /** Resolves once the file is stored. */
  finish(id: string): Promise<FileInfo>;
  /** Nothing of it is kept. */
  giveUp(id: string): Promise<void>;
}

interface Upload {
  readonly body: PassThrough;
  readonly done: Promise<FileInfo>;
  written: number;
}

/** How long somebody may ask what became of one that has ended. */
const REMEMBERED_MS = 60_000;
const MOST_PIECE = 1024 * 1024;

/** Makes them for one workspace. An upload that gets nothing ends by the files' own bound. */
export function createUploads(clock: Clock, newId: () => string): Uploads {
  const all = new Map<string, Upload>();

  function find(id: string): Upload {
    const found = all.get(id);
    if (found !== undefined) return found;
    const says = "There is no such upload at this host: it has ended, or the workspace has moved. Begin it anew.";
    throw new SkepError("not_found", "NO_UPLOAD", says);
  }

  return {
    begin: (files, name, size) => {
      const body = new PassThrough();
      // Whoever waits for the upload hears of it.
      body.on("error", () => undefined);
      const done = files.upload(name, body, size === undefined ? {} : { size });
      const id = newId();
      all.set(id, { body, done, written: 0 });
      const forget = (): void => void clock.timer(REMEMBERED_MS, () => void all.delete(id));
      done.then(forget, () => {
        body.destroy();
        forget();
      });
      return id;
    },
    write: async (id, offset, content) => {
      const upload = find(id);
      if (content.length === 0 || content.length > MOST_PIECE) throw badPiece(content.length);
      if (offset + content.length <= upload.written) return upload.written;
      if (offset !== upload.written) throw outOfOrder(offset, upload.written);
      upload.written += content.length;
      if (upload.body.destroyed) await upload.done;
      if (!upload.body.write(content)) await Promise.race([once(upload.body, "drain"), upload.done]);
      return upload.written;
    },
    finish: async id => {
      const { body, done } = find(id);
      body.end();
      return await done;
    },
    giveUp: async id => {
      const { body, done } = find(id);
      body.destroy(new SkepError("aborted", "UPLOAD_GIVEN_UP", "The upload was given up."));
      await done.catch(() => undefined);
      all.delete(id);
    },
  };
}

function badPiece(length: number): SkepError {
  const says = `A piece has 1 to ${MOST_PIECE} bytes, and this one ${length}.`;
  return new SkepError("invalid_argument", "UPLOAD_PIECE", says);
}

function outOfOrder(offset: number, written: number): SkepError {
  const says = `The piece begins at ${offset} and ${written} bytes are written; send what follows those.`;
  return new SkepError("invalid_argument", "UPLOAD_ORDER", says, { details: { written: String(written) } });
}
