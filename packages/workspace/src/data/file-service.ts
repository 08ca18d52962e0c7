import { randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { fromUint64, toUint64 } from "@skep/api/codec/number.ts";
import type { FileSchema, FileService } from "@skep/api/gen/skep/v1/file_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { FileInfo, WorkspaceFiles } from "../files/files.ts";
import { servedOf } from "./call.ts";
import type { ServedWorkspace } from "./served.ts";
import { createUploads, type Uploads } from "./uploads.ts";

const LINK_SECONDS = 600;
const PIECE = 256 * 1024;

/** Files of the workspace that a call is for. */
export function fileService(clock: Clock): ServiceImpl<typeof FileService> {
  const uploads = new WeakMap<ServedWorkspace, Uploads>();
  /** Of the call's own workspace: an id of another one's is none here. */
  function uploadsOf(context: HandlerContext): Uploads {
    const served = servedOf(context);
    const known = uploads.get(served) ?? createUploads(clock, () => randomBytes(18).toString("base64url"));
    uploads.set(served, known);
    return known;
  }

  return {
    listFiles: async ({ prefix, pageSize, pageToken }, context) => {
      const { files, isLast } = await filesOf(context).list({ prefix, after: pageToken, most: pageSize || 100 });
      return { files: files.map(toProto), nextPageToken: isLast ? "" : (files.at(-1)?.name ?? "") };
    },
    getFileUsage: async (_, context) => {
      const { bytes, files, heldBytes } = filesOf(context).usage();
      return { bytes: toUint64(bytes), files: toUint64(files), heldBytes: toUint64(heldBytes) };
    },
    readFile: async function* ({ name, offset }, context) {
      const first = fromUint64(offset, "offset");
      const { file, body } = await filesOf(context).download(name, first === 0 ? undefined : { first });
      const end = (): void => void body.destroy();
      context.signal.addEventListener("abort", end, { once: true });
      try {
        yield { file: toProto(file) };
        for await (const chunk of body as AsyncIterable<Uint8Array>)
          for (let at = 0; at < chunk.length; at += PIECE)
            yield { content: Uint8Array.from(chunk.subarray(at, at + PIECE)) };
      } finally {
        end();
      }
    },
    beginUpload: async ({ name, size }, context) => {
      const bytes = size === undefined ? undefined : fromUint64(size, "size");
      return { uploadId: uploadsOf(context).begin(filesOf(context), name, bytes) };
    },
    writeUpload: async ({ uploadId, offset, content }, context) => {
      const written = await uploadsOf(context).write(uploadId, fromUint64(offset, "offset"), content);
      return { written: toUint64(written) };
    },
    finishUpload: async ({ uploadId, giveUp }, context) => {
      if (!giveUp) return { file: toProto(await uploadsOf(context).finish(uploadId)) };
      await uploadsOf(context).giveUp(uploadId);
      return {};
    },
    createFileLink: async ({ name, seconds, writeBytes }, context) => {
      const files = filesOf(context);
      const link =
        writeBytes === undefined
          ? await files.linkToRead(name, seconds || LINK_SECONDS)
          : await files.linkToWrite(name, seconds || LINK_SECONDS, { exactly: fromUint64(writeBytes, "write_bytes") });
      const { method, url, headers, expiresAt } = link;
      return { method, url, headers, expiresAt: timestampFromMs(expiresAt) };
    },
    deleteFile: async ({ name }, context) => {
      await filesOf(context).remove(name);
      return {};
    },
  };
}

/** @throws SkepError `failed_precondition` `FILES_OFF` where there are none. */
function filesOf(context: HandlerContext): WorkspaceFiles {
  const { id, files } = servedOf(context);
  if (files !== undefined) return files;
  const says = `The workspace ${id} has no files: its host has no file storage. An operator sets SKEP_S3_URL there.`;
  throw new SkepError("failed_precondition", "FILES_OFF", says);
}

function toProto({ name, size, modifiedAt, contentType }: FileInfo): MessageInitShape<typeof FileSchema> {
  return { name, size: toUint64(size), modifiedAt: timestampFromMs(modifiedAt), contentType };
}
