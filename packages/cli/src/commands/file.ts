import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  CreateFileLinkResponseSchema,
  FileSchema,
  GetFileUsageResponseSchema,
  type File,
} from "@skep/api/gen/skep/v1/file_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Command } from "commander";
import type { Io } from "../io.ts";
import { listJson, messageJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { bytes, duration } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { ageOption } from "../session/age.ts";
import type { Session } from "../session/open.ts";
import { allPages } from "../session/pages.ts";
import { wholeNumber } from "../session/whole-number.ts";
import type { Setup } from "./command.ts";

interface LinkOptions {
  readonly for: number;
  readonly put?: number;
}

/** `skep file`. */
export const file: Setup = (command, io) => {
  examples(command, [
    ["skep file ls fleet maps/", "files by the beginning of their names"],
    ["skep file put fleet map.pdf maps/north.pdf", "store a file of this machine"],
    ["skep file get fleet maps/north.pdf map.pdf", "read one; `-` writes it to standard output"],
    ["skep file rm fleet maps/north.pdf", "delete one"],
    ["skep file usage fleet", "what they take"],
    [
      "skep file link fleet maps/north.pdf --for 10m",
      "an address for anybody, where the S3 server has one from outside",
    ],
  ]);
  setupReading(command, io);
  setupPut(command, io);
  setupChanges(command, io);
};

function setupReading(command: Command, io: Io): void {
  const list = command
    .command("ls")
    .alias("list")
    .summary("List files.")
    .argument("<workspace>", "whose they are")
    .argument("[prefix]", "what their names begin with");
  act(list, io, async (session, _options: object, workspaceId: string, prefix: string | undefined) => {
    const found = await allPages(
      pageToken => session.api.files.listFiles({ workspaceId, prefix: prefix ?? "", pageSize: 1000, pageToken }),
      page => page.files,
    );
    print(
      session,
      () => listJson(FileSchema, found),
      () => table(session, found),
    );
  });
  const get = named(command.command("get").summary("Read a file.")).argument(
    "[to]",
    "where to, `-` for standard output; its own name by default",
  );
  act(get, io, async (session, _options: object, workspaceId: string, name: string, to?: string) => {
    await read(session, workspaceId, name, to ?? basename(name));
  });
  const usage = command.command("usage").summary("Say what the files take.").argument("<workspace>", "whose they are");
  act(usage, io, async (session, _options: object, workspaceId: string) => {
    const used = await session.api.files.getFileUsage({ workspaceId });
    print(
      session,
      () => messageJson(GetFileUsageResponseSchema, used),
      () => `${used.files} files, ${bytes(Number(used.bytes))}; ${bytes(Number(used.heldBytes))} on their way\n`,
    );
  });
}

function setupPut(command: Command, io: Io): void {
  const put = command
    .command("put")
    .summary("Store a file.")
    .argument("<workspace>", "whose it will be")
    .argument("<file>", "the file of this machine")
    .argument("[name]", "its name there; that of the file by default");
  act(put, io, async (session, _options: object, workspaceId: string, from: string, given: string | undefined) => {
    const name = given ?? basename(from);
    const path = resolve(io.cwd, from);
    const opened = await open(path).catch((error: NodeJS.ErrnoException) => {
      throw new SkepError("invalid_argument", "FILE_UNREADABLE", `The file ${from} cannot be read (${error.code}).`);
    });
    try {
      const { size } = await stat(path);
      const stored = await upload(session, { workspaceId, name, size }, opened);
      print(
        session,
        () => messageJson(FileSchema, stored),
        () => `${name}: is stored, ${bytes(Number(stored.size))}\n`,
      );
    } finally {
      await opened.close();
    }
  });
}

function setupChanges(command: Command, io: Io): void {
  const remove = named(command.command("rm").summary("Delete a file."));
  act(remove, io, async (session, _options: object, workspaceId: string, name: string) => {
    await session.api.files.deleteFile({ workspaceId, name });
    print(
      session,
      () => ({}),
      () => `${name}: is deleted\n`,
    );
  });
  const link = named(command.command("link").summary("Make an address by which anybody has a file for a while."))
    .addOption(ageOption("--for <AGE>", "how long it works, an hour at most", "10m"))
    .option("--put <BYTES>", "to write a file of exactly so many bytes", wholeNumber(Number.MAX_SAFE_INTEGER));
  act(link, io, async (session, options: LinkOptions, workspaceId: string, name: string) => {
    const made = await session.api.files.createFileLink({
      ...{ workspaceId, name, seconds: Math.ceil(options.for / 1_000) },
      ...(options.put === undefined ? {} : { writeBytes: BigInt(options.put) }),
    });
    const headers = Object.entries(made.headers).map(([header, value]) => `  ${header}: ${value}\n`);
    print(
      session,
      () => messageJson(CreateFileLinkResponseSchema, made),
      () =>
        `${made.method} ${made.url}\n${headers.join("")}` +
        (made.expiresAt === undefined ? "" : `until ${timestampDate(made.expiresAt).toISOString()}\n`),
    );
  });
}

const PIECE = 1024 * 1024;

async function upload(
  session: Session,
  { workspaceId, name, size }: { readonly workspaceId: string; readonly name: string; readonly size: number },
  from: FileHandle,
): Promise<File> {
  const { files } = session.api;
  const { uploadId } = await files.beginUpload({ workspaceId, name, size: BigInt(size) });
  try {
    const piece = Buffer.alloc(PIECE);
    for (let offset = 0; ;) {
      session.io.signal.throwIfAborted();
      const { bytesRead } = await from.read(piece, 0, PIECE, offset);
      if (bytesRead === 0) break;
      const content = Uint8Array.from(piece.subarray(0, bytesRead));
      await files.writeUpload({ workspaceId, uploadId, offset: BigInt(offset), content });
      offset += bytesRead;
    }
    const { file: stored } = await files.finishUpload({ workspaceId, uploadId });
    return stored!;
  } catch (error) {
    await files.finishUpload({ workspaceId, uploadId, giveUp: true }).catch(() => undefined);
    throw error;
  }
}

/** A file that is cut off leaves nothing that looks like the whole one. */
async function read(session: Session, workspaceId: string, name: string, to: string): Promise<void> {
  const { io } = session;
  const pieces = session.api.files.readFile({ workspaceId, name }, { signal: io.signal });
  if (to === "-") {
    for await (const { content } of pieces) io.out(content);
    return;
  }
  const path = resolve(io.cwd, to);
  const part = `${path}.part`;
  const writer = await open(part, "w");
  try {
    let size = 0;
    for await (const { content } of pieces) {
      size += content.length;
      await writer.appendFile(content);
    }
    await writer.close();
    await rename(part, path);
    io.err(`${name}: ${bytes(size)} in ${to}\n`);
  } catch (error) {
    await writer.close();
    await rm(part, { force: true });
    throw error;
  }
}

function named(command: Command): Command {
  return command.argument("<workspace>", "whose it is").argument("<name>", "its name");
}

function table(session: Session, files: readonly File[]): string {
  const now = session.io.now();
  return renderTable(
    ["NAME", "SIZE", "AGE", "TYPE"].map(heading => ({ heading })),
    files.map(one => [
      ...[one.name, bytes(Number(one.size))],
      one.modifiedAt === undefined ? "?" : duration(now - timestampMs(one.modifiedAt)),
      one.contentType,
    ]),
  );
}
