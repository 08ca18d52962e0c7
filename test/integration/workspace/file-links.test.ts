import { createFileHost } from "@skep/workspace/files/file-host.ts";
import type { FileLink } from "@skep/workspace/files/links.ts";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { because, BUCKET, read, startFileRegions, text, type FileRegions } from "./file-regions.ts";

let at: FileRegions;
beforeAll(async () => {
  at = await startFileRegions();
});
afterAll(() => at.close());

describe("a link", () => {
  async function put({ url, headers }: FileLink, body: string, more = {}): Promise<number> {
    const { "content-type": type = "" } = headers;
    const answer = await fetch(url, { method: "PUT", body, headers: { "content-type": type, ...more } });
    await answer.arrayBuffer();
    return answer.status;
  }

  async function post({ url, fields }: FileLink, body: string, more: Record<string, string> = {}): Promise<number> {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...fields, ...more })) form.append(name, value);
    form.append("file", new Blob([body]));
    const answer = await fetch(url, { method: "POST", body: form });
    await answer.arrayBuffer();
    return answer.status;
  }

  it("reads one file, saved and not shown, and no other", async () => {
    const { files } = await at.open();
    await files.upload("a b's.json", text("{}"));
    const { url, method } = await files.linkToRead("a b's.json", 60);
    const answer = await fetch(url);
    expect([method, answer.status, await answer.text()]).toEqual(["GET", 200, "{}"]);
    expect(answer.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''a%20b%27s.json");
    expect(answer.headers.get("content-type")).toBe("application/json");
    await files.upload("other.json", text("[]"));
    const other = await fetch(url.replace(/a%20b[^?]*json/, "other.json"));
    expect(other.status).toBe(403);
    await other.arrayBuffer();
    await expect(files.linkToRead("none.json", 60)).rejects.toEqual(because("NO_FILE"));
    for (const seconds of [0, 3601, 1.5]) {
      await expect(files.linkToRead("other.json", seconds)).rejects.toEqual(because("LINK_SECONDS"));
    }
    const short = await files.linkToRead("other.json", 1);
    await eventually(async () => expect((await fetch(short.url)).status).toBe(403));
  });

  it("writes a PUT of exactly the bytes that it is for", async () => {
    const { files } = await at.open({ quota: { bytes: 10, files: 1 } });
    await expect(files.linkToWrite("a.txt", 60, { exactly: 11 })).rejects.toEqual(because("FILE_QUOTA_BYTES"));
    const link = await files.linkToWrite("a.txt", 60, { exactly: 5 });
    expect(files.usage()).toMatchObject({ heldBytes: 5, heldFiles: 1 });
    await expect(files.settle("a.txt")).rejects.toEqual(because("NO_FILE"));
    expect([await put(link, "123456"), await put(link, "1234")]).toEqual([403, 403]);
    expect(await put({ ...link, headers: { "content-type": "text/html" } }, "12345")).toBe(403);
    expect(await put(link, "12345")).toBe(200);
    expect(await files.settle("a.txt")).toMatchObject({ name: "a.txt", size: 5 });
    // Until it has expired it may write again.
    expect(files.usage()).toMatchObject({ bytes: 0, heldBytes: 5, heldFiles: 1 });
    await expect(files.upload("a.txt", text("x"))).rejects.toEqual(because("FILE_BUSY"));
    at.expire();
    await eventually(() => expect(files.usage()).toEqual({ bytes: 5, files: 1, heldBytes: 0, heldFiles: 0 }));
    await files.upload("a.txt", text("x"));
    await expect(files.settle("a.txt")).rejects.toEqual(because("NO_LINK"));
  });

  it("writes a form of at most the bytes that it is for, under its own name and type only", async () => {
    const { id, files } = await at.open();
    const link = await files.linkToWrite("a.txt", 60, { most: 5 });
    expect(await post(link, "123456")).toBe(400);
    expect(await post(link, "1234", { key: `ws/${id}/b.txt` })).toBe(403);
    expect(await post(link, "1234", { "Content-Type": "text/html" })).toBe(403);
    expect(await at.keysOf(id)).toEqual([]);
    expect(await post(link, "1234")).toBe(204);
    expect(await files.settle("a.txt")).toMatchObject({ size: 4 });
    const unused = await files.linkToWrite("b.txt", 60, { most: 5 });
    expect([unused.method, files.usage()]).toEqual(["POST", { bytes: 0, files: 0, heldBytes: 10, heldFiles: 2 }]);
    at.expire();
    await eventually(() => expect(files.usage()).toEqual({ bytes: 4, files: 1, heldBytes: 0, heldFiles: 0 }));
  });
});

describe("files in two regions (R37)", () => {
  const both = { regions: ["east", "west"] };

  it("are in both, are read from the one that is there, and are written to both or not at all", async () => {
    const { files } = await at.open(both);
    await files.upload("a.txt", text("kept"));
    await at.east.kill();
    expect(await read(files, "a.txt")).toBe("kept");
    expect((await files.list()).files.map(({ name }) => name)).toEqual(["a.txt"]);
    expect((await fetch((await files.linkToRead("a.txt", 60)).url)).status).toBe(200);
    expect(files.health()).toMatchObject({ isConnected: true, lastError: expect.stringContaining("Region east") });
    await expect(files.upload("b.txt", text("new"))).rejects.toEqual(because("FILE_STORE_UNAVAILABLE"));
    await expect(files.stat("b.txt")).rejects.toEqual(because("FILE_STORE_UNAVAILABLE"));
    await at.east.start();
    await expect(files.stat("b.txt")).rejects.toEqual(because("NO_FILE"));
    await files.upload("b.txt", text("new"));
    expect(files.usage()).toEqual({ bytes: 7, files: 2, heldBytes: 0, heldFiles: 0 });
    await at.west.kill();
    expect(await read(files, "b.txt")).toBe("new");
    await at.west.start();
    await files.remove("b.txt");
    await expect(files.stat("b.txt")).rejects.toEqual(because("NO_FILE"));
  });

  it("are brought to the other region once a link has written them to one", async () => {
    const { files } = await at.open(both);
    const link = await files.linkToWrite("a.txt", 60, { exactly: 4 });
    const { headers, url } = link;
    await fetch(url, { method: "PUT", body: "kept", headers: { "content-type": headers["content-type"] ?? "" } });
    await files.settle("a.txt");
    await at.east.kill();
    expect(await read(files, "a.txt")).toBe("kept");
    await at.east.start();
  });

  it("are where their workspace says", async () => {
    const { id, files } = await at.open({ regions: ["west"] });
    await files.upload("a.txt", text("west"));
    expect(await at.keysOf(id)).toEqual([]);
    await expect(at.open({ regions: ["north"] })).rejects.toEqual(because("NO_FILE_REGION"));
    expect(() => createFileHost({ regions: [] })).toThrow("Name at least one");
  });

  it("are well again once their region is, though nobody asks for a file", async () => {
    const { files } = await at.open();
    await at.east.kill();
    await expect(files.list()).rejects.toEqual(because("FILE_STORE_UNAVAILABLE"));
    expect(files.health().isConnected).toBe(false);
    await at.east.start();
    at.expire();
    await eventually(() => expect(files.health()).toEqual({ isConnected: true, lastError: "" }));
  });

  it("tell the operator what to mend, and no secret", async () => {
    const { url, accessKeyId } = at.east;
    const region = { name: "east", endpoint: url, bucket: BUCKET, accessKeyId, secretAccessKey: "not-the-secret" };
    const wrong = createFileHost({ regions: [region] });
    onTestFinished(() => wrong.close());
    const failure = wrong.open({ id: "a" });
    await expect(failure).rejects.toThrow(/Region east .*/);
    await expect(failure).rejects.not.toThrow("not-the-secret");
  });
});
