import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { beforeEach, describe, expect, it } from "vitest";
import type { UploadOptions, WorkspaceFiles } from "../files/files.ts";
import { createUploads, type Uploads } from "./uploads.ts";

let clock: ReturnType<typeof createVirtualClock>;
let uploads: Uploads;
let kept: Map<string, string>;
let failure: Error | undefined;
/** Whether the store takes anything at present. */
let open: () => void;
let isOpen: Promise<void>;

const files = {
  upload: async (name: string, body: AsyncIterable<Uint8Array>, { size }: UploadOptions = {}) => {
    const parts: Uint8Array[] = [];
    for await (const part of body) {
      await isOpen;
      if (failure !== undefined) throw failure;
      parts.push(part);
    }
    const text = Buffer.concat(parts).toString();
    if (size !== undefined && size !== text.length) throw new Error("cut off");
    kept.set(name, text);
    return { name, size: text.length, modifiedAt: 0, contentType: "text/plain" };
  },
} as unknown as WorkspaceFiles;

const bytes = (text: string): Uint8Array => Buffer.from(text);

beforeEach(() => {
  let ids = 0;
  clock = createVirtualClock();
  uploads = createUploads(clock, () => `u${++ids}`);
  [kept, failure, isOpen, open] = [new Map(), undefined, Promise.resolve(), () => undefined];
});

describe("an upload that comes in pieces", () => {
  it("is stored once it is finished, whatever was repeated", async () => {
    const id = uploads.begin(files, "a.txt", 6);
    expect(await uploads.write(id, 0, bytes("abc"))).toBe(3);
    expect(await uploads.write(id, 0, bytes("abc"))).toBe(3);
    expect(await uploads.write(id, 3, bytes("def"))).toBe(6);
    expect(kept.size).toBe(0);
    expect(await uploads.finish(id)).toMatchObject({ name: "a.txt", size: 6 });
    expect(kept.get("a.txt")).toBe("abcdef");
    expect(await uploads.finish(id)).toMatchObject({ size: 6 });
  });

  it("refuses a piece that does not follow, and one that is too large or empty", async () => {
    const id = uploads.begin(files, "a.txt", undefined);
    await uploads.write(id, 0, bytes("abc"));
    await expect(uploads.write(id, 5, bytes("x"))).rejects.toMatchObject({ reason: "UPLOAD_ORDER" });
    await expect(uploads.write(id, 2, bytes("cd"))).rejects.toMatchObject({ reason: "UPLOAD_ORDER" });
    for (const piece of [new Uint8Array(), new Uint8Array(1024 * 1024 + 1)])
      await expect(uploads.write(id, 3, piece)).rejects.toMatchObject({ reason: "UPLOAD_PIECE" });
    await uploads.giveUp(id);
  });

  it("takes no more than the store does", async () => {
    isOpen = new Promise(resolve => (open = resolve));
    const id = uploads.begin(files, "a.txt", undefined);
    const piece = new Uint8Array(1024 * 1024);
    let written = 0;
    const writing = (async () => {
      for (let at = 0; at < 3; at += 1) written = await uploads.write(id, at * piece.length, piece);
    })();
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(written).toBeLessThan(2 * piece.length);
    open();
    await writing;
    expect(await uploads.finish(id)).toMatchObject({ size: 3 * piece.length });
  });

  it("says why it failed, to each further piece and at its end", async () => {
    const id = uploads.begin(files, "a.txt", undefined);
    failure = new Error("the store is full");
    await uploads.write(id, 0, bytes("abc"));
    await new Promise(resolve => setTimeout(resolve, 10));
    await expect(uploads.write(id, 3, bytes("def"))).rejects.toThrow("the store is full");
    await expect(uploads.finish(id)).rejects.toThrow("the store is full");
    await clock.advance(60_001);
    await expect(uploads.finish(id)).rejects.toMatchObject({ reason: "NO_UPLOAD" });
  });

  it("keeps nothing of one that is given up, and knows no other's id", async () => {
    const id = uploads.begin(files, "a.txt", undefined);
    await uploads.write(id, 0, bytes("abc"));
    await uploads.giveUp(id);
    expect(kept.size).toBe(0);
    await expect(uploads.write(id, 3, bytes("x"))).rejects.toMatchObject({ reason: "NO_UPLOAD" });
    await expect(uploads.write("another", 0, bytes("x"))).rejects.toMatchObject({ reason: "NO_UPLOAD" });
  });
});
