import { createHash } from "node:crypto";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import type { WorkspaceFiles } from "@skep/workspace/files/files.ts";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { because, BUCKET, read, startFileRegions, text, type FileRegions } from "./file-regions.ts";

const MIB = 1024 * 1024;
let at: FileRegions;
beforeAll(async () => {
  at = await startFileRegions();
});
afterAll(() => at.close());

/** Bytes that are made as they are read. */
async function* made(bytes: number, failure?: Error): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(MIB, "skep");
  for (let at = 0; at < bytes; at += MIB) {
    await Promise.resolve();
    yield chunk.subarray(0, Math.min(MIB, bytes - at));
  }
  if (failure !== undefined) throw failure;
}

async function digestOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}

describe("the files of a workspace (R36..R40)", () => {
  it("come back as they went in, whole and in ranges, however large they are", async () => {
    const { files } = await at.open();
    const large = 37 * MIB + 5;
    expect(await files.upload("a/large.bin", made(large), { size: large })).toMatchObject({ size: large });
    const { file, body } = await files.download("a/large.bin");
    expect(file).toMatchObject({ name: "a/large.bin", size: large, contentType: "application/octet-stream" });
    expect(await digestOf(body)).toBe(await digestOf(made(large)));
    await files.upload("empty.txt", text(""));
    await files.upload("größe 1.txt", text("0123456789"));
    expect(await read(files, "empty.txt")).toBe("");
    const range = await files.download("größe 1.txt", { first: 2, last: 4 });
    expect((await buffer(range.body)).toString()).toBe("234");
    await expect(files.download("größe 1.txt", { first: 10 })).rejects.toEqual(because("FILE_RANGE"));
    await expect(files.download("none.txt")).rejects.toEqual(because("NO_FILE"));
    expect(files.usage()).toEqual({ bytes: large + 10, files: 3, heldBytes: 0, heldFiles: 0 });
    expect(files.counts()).toMatchObject({ uploads: 3, downloads: 3, uploadsNow: 0, downloadsNow: 0 });
    expect(files.health()).toEqual({ isConnected: true, lastError: "" });
  });

  it("are listed by pages, and are counted until they are deleted", async () => {
    const { id, files } = await at.open();
    for (const name of ["b/2.txt", "b/1.txt", "a.txt", "b/3.txt", "c.txt"]) await files.upload(name, text(name));
    const first = await files.list({ most: 2 });
    expect([first.files.map(({ name }) => name), first.isLast]).toEqual([["a.txt", "b/1.txt"], false]);
    const rest = await files.list({ after: "b/1.txt" });
    expect([rest.files.map(({ name }) => name), rest.isLast]).toEqual([["b/2.txt", "b/3.txt", "c.txt"], true]);
    expect((await files.list({ prefix: "b/" })).files.map(({ size }) => size)).toEqual([7, 7, 7]);
    await files.upload("a.txt", text("longer than it was"));
    expect(files.usage()).toMatchObject({ bytes: 18 + 3 * 7 + 5, files: 5 });
    await files.remove("a.txt");
    await expect(files.remove("a.txt")).rejects.toEqual(because("NO_FILE"));
    await expect(files.stat("a.txt")).rejects.toEqual(because("NO_FILE"));
    expect(files.usage()).toMatchObject({ bytes: 3 * 7 + 5, files: 4 });
    // Another owner counts the same.
    expect((await hostedElsewhere(id)).usage()).toEqual(files.usage());
    await files.removeAll();
    expect([await at.keysOf(id), files.usage().files]).toEqual([[], 0]);
    for (const most of [0, 1001, 1.5]) await expect(files.list({ most })).rejects.toEqual(because("FILE_PAGE"));
  });

  it("are nobody else's (R21)", async () => {
    const { files } = await at.open({ id: "shop" });
    const { files: neighbour } = await at.open({ id: "shop2" });
    await files.upload("mine.txt", text("mine"));
    for (const name of [
      "../shop/mine.txt",
      "..%2fshop/mine.txt",
      "/ws/shop/mine.txt",
      "..\\shop\\mine.txt",
      "a\0.txt",
    ]) {
      const all = [
        neighbour.download(name),
        neighbour.stat(name),
        neighbour.upload(name, text("x")),
        neighbour.remove(name),
        neighbour.linkToRead(name, 60),
        neighbour.linkToWrite(name, 60, { exactly: 1 }),
        neighbour.settle(name),
      ];
      for (const one of all) await expect(one).rejects.toEqual(because("FILE_NAME"));
    }
    for (const prefix of ["../shop/", "/"]) {
      await expect(neighbour.list({ prefix })).rejects.toEqual(because("FILE_NAME"));
      await expect(neighbour.list({ after: prefix })).rejects.toEqual(because("FILE_NAME"));
    }
    expect((await neighbour.list()).files).toEqual([]);
    await neighbour.removeAll();
    expect(await read(files, "mine.txt")).toBe("mine");
    const { files: picky } = await at.open({ extensions: ["csv"] });
    await expect(picky.upload("a.txt", text("x"))).rejects.toThrow("use one of csv");
    await picky.upload("a.csv", text("x"));
  });

  it("are forgotten by their host once they are closed", async () => {
    const host = at.another();
    const { files } = await at.open({}, host);
    const close = vi.spyOn(files, "close");
    await files.close();
    await host.close();
    expect(close).toHaveBeenCalledTimes(1);
  });
});

it("uploads and downloads of one workspace are bounded, and a name has one writer", async () => {
  const { files } = await at.open();
  const stop = new AbortController();
  async function* waits(): AsyncGenerator<Uint8Array> {
    await new Promise(() => undefined);
    yield* made(1);
  }
  const all = [1, 2, 3].map(n => files.upload(`${n}.bin`, waits(), { signal: stop.signal }).catch(() => "off"));
  await expect(files.upload("1.bin", text("x"))).rejects.toEqual(because("FILE_BUSY"));
  await expect(files.remove("1.bin")).rejects.toEqual(because("FILE_BUSY"));
  await files.upload("4.bin", made(8 * MIB));
  all.push(files.upload("5.bin", waits(), { signal: stop.signal }).catch(() => "off"));
  await expect(files.upload("6.bin", text("x"))).rejects.toEqual(because("FILE_TRANSFERS"));
  stop.abort();
  expect(await Promise.all(all)).toEqual(["off", "off", "off", "off"]);
  const bodies = await Promise.all(Array.from({ length: 16 }, () => files.download("4.bin")));
  await expect(files.download("4.bin")).rejects.toEqual(because("FILE_TRANSFERS"));
  for (const { body } of bodies) {
    body.destroy();
    if (!body.closed) await once(body, "close");
  }
  expect(files.counts()["downloadsNow"]).toBe(0);
  expect((await read(files, "4.bin")).length).toBe(8 * MIB);
});

async function hostedElsewhere(id: string): Promise<WorkspaceFiles> {
  const other = at.another();
  onTestFinished(() => other.close());
  return await other.open({ id });
}

describe("an upload that does not end well leaves nothing behind and counts nothing", () => {
  const none = { bytes: 0, files: 0, heldBytes: 0, heldFiles: 0 };

  it("where it is cut, stalls, is shorter than it said, or is called off", async () => {
    const quick = at.another(300);
    onTestFinished(() => quick.close());
    const { id, files } = await at.open({}, quick);
    const cut = files.upload("cut.bin", made(30 * MIB, new Error("ECONNRESET")));
    await expect(cut).rejects.toEqual(because("FILE_CUT"));
    const short = files.upload("short.bin", made(20 * MIB), { size: 5 * 1024 * MIB });
    await expect(short).rejects.toEqual(because("FILE_CUT"));
    async function* stalls(): AsyncGenerator<Uint8Array> {
      yield* made(20 * MIB);
      await new Promise(() => undefined);
    }
    await expect(files.upload("stalls.bin", stalls())).rejects.toEqual(because("FILE_STALLED"));
    const stop = new AbortController();
    async function* stopped(): AsyncGenerator<Uint8Array> {
      yield* made(20 * MIB);
      stop.abort();
      yield* made(20 * MIB);
    }
    const off = files.upload("off.bin", stopped(), { signal: stop.signal });
    await expect(off).rejects.toEqual(because("FILE_CALLED_OFF"));
    expect([await at.partsOf(id), await at.keysOf(id), files.usage()]).toEqual([0, [], none]);
    expect(files.health()).toEqual({ isConnected: true, lastError: "" });
  });

  it("where the quota has no room for it", async () => {
    const { id, files } = await at.open({ quota: { bytes: 20 * MIB, files: 2 } });
    await expect(files.upload("a.bin", made(21 * MIB))).rejects.toEqual(because("FILE_QUOTA_BYTES"));
    expect([await at.partsOf(id), await at.keysOf(id), files.usage()]).toEqual([0, [], none]);
    await files.upload("a.txt", text("a"));
    await files.upload("b.txt", text("b"));
    await expect(files.upload("c.txt", text("c"))).rejects.toEqual(because("FILE_QUOTA_COUNT"));
    await files.upload("b.txt", text("b again"));
    files.setQuota({ bytes: 20 * MIB, files: 3 });
    await files.upload("c.txt", text("c"));
    expect(files.usage()).toMatchObject({ bytes: 9, files: 3, heldFiles: 0 });
  });

  it("where its process died: the next owner deletes its parts, and no neighbour's", async () => {
    const neighbour = await at.open();
    const dead = await at.open();
    for (const { id } of [neighbour, dead]) {
      await at.s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: `ws/${id}/half.bin` }));
    }
    await hostedElsewhere(dead.id);
    expect([await at.partsOf(dead.id), await at.partsOf(neighbour.id)]).toEqual([0, 1]);
  });

  it("and takes no parts of another that goes on", async () => {
    const { files } = await at.open();
    let goOn = (): void => undefined;
    const going = new Promise<void>(resolve => (goOn = resolve));
    async function* waits(): AsyncGenerator<Uint8Array> {
      yield* made(20 * MIB);
      await going;
      yield* made(MIB);
    }
    const upload = files.upload("a.bin", waits());
    const cut = files.upload("b.bin", made(20 * MIB, new Error("ECONNRESET")));
    await expect(cut).rejects.toEqual(because("FILE_CUT"));
    goOn();
    expect(await upload).toMatchObject({ size: 21 * MIB });
  });

  it("where the workspace closes meanwhile", async () => {
    const { id, files } = await at.open();
    let begun = (): void => undefined;
    const going = new Promise<void>(resolve => (begun = resolve));
    async function* waits(): AsyncGenerator<Uint8Array> {
      yield* made(20 * MIB);
      begun();
      await new Promise(() => undefined);
    }
    const upload = expect(files.upload("a.bin", waits())).rejects.toEqual(because("FILE_CALLED_OFF"));
    await going;
    await files.close();
    await files.close();
    await upload;
    expect(await at.partsOf(id)).toBe(0);
    await expect(files.list()).rejects.toEqual(because("FILES_CLOSED"));
    expect(files.health().isConnected).toBe(false);
  });
});
