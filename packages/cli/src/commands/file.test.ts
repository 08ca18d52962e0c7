import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { FileService } from "@skep/api/gen/skep/v1/file_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { serveWorkspace } from "@skep/scheduler/api/testing/hosted.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startCommandTest, type CommandTest, type Outcome } from "../testing/command.ts";

let test: CommandTest;
let kept: Map<string, Buffer>;
let pieces: number[];
let given: boolean[];
let breaksAt: number;

beforeEach(async () => {
  [kept, pieces, given, breaksAt] = [new Map(), [], [], Infinity];
  test = await startCommandTest();
  ok(await test.skep("workspace create fleet"));
  const parts: Buffer[] = [];
  let name = "";
  const infoOf = (one: string) => ({
    ...{ name: one, size: BigInt(kept.get(one)?.length ?? 0), contentType: "text/plain" },
    modifiedAt: timestampFromMs(0),
  });
  await serveWorkspace(test.platform, "fleet", router => {
    router.service(FileService, {
      listFiles: ({ prefix }) => ({ files: [...kept.keys()].filter(one => one.startsWith(prefix)).map(infoOf) }),
      getFileUsage: () => ({ bytes: 2_048n, files: 3n, heldBytes: 0n }),
      beginUpload: request => {
        ({ name } = request);
        parts.splice(0);
        return { uploadId: "u1" };
      },
      writeUpload: ({ offset, content }) => {
        if (Number(offset) >= breaksAt) throw new SkepError("resource_exhausted", "FULL", "full");
        pieces.push(content.length);
        parts.push(Buffer.from(content));
        return {};
      },
      finishUpload: ({ giveUp }) => {
        given.push(giveUp);
        if (giveUp) return {};
        kept.set(name, Buffer.concat(parts));
        return { file: infoOf(name) };
      },
      readFile: async function* (request) {
        yield { file: infoOf(request.name) };
        yield { content: kept.get(request.name) ?? Buffer.alloc(0) };
        if (breaksAt === 0) throw new SkepError("unavailable", "GONE", "gone");
      },
      createFileLink: ({ seconds, writeBytes }) => ({
        ...{
          method: writeBytes === undefined ? "GET" : "PUT",
          url: `http://s3/${seconds}`,
          headers: { "content-length": "5" },
        },
        expiresAt: timestampFromMs(0),
      }),
      deleteFile: request => {
        kept.delete(request.name);
        return {};
      },
    });
  });
});
afterEach(() => test[Symbol.asyncDispose]());

function ok(outcome: Outcome): string {
  expect(outcome.code).toBe(0);
  return outcome.out;
}

describe("skep file", () => {
  it("stores a file piece by piece, lists it, reads it back and deletes it", async () => {
    const text = "x".repeat(2_500_000);
    test.write("map.txt", text);
    expect(ok(await test.skep("file put fleet map.txt maps/north.txt"))).toContain(
      "maps/north.txt: is stored, 2.4 MiB",
    );
    expect(pieces).toEqual([1_048_576, 1_048_576, 402_848]);
    expect(ok(await test.skep("file ls fleet maps/"))).toMatch(/^maps\/north\.txt\s+2\.4 MiB/m);
    expect(ok(await test.skep("file ls fleet other/"))).not.toContain("north");
    ok(await test.skep("file get fleet maps/north.txt"));
    expect(readFileSync(join(test.folder, "north.txt"), "utf8")).toBe(text);
    expect(ok(await test.skep("file get fleet maps/north.txt -"))).toBe(text);
    expect(ok(await test.skep("file rm fleet maps/north.txt"))).toContain("is deleted");
    expect(kept.size).toBe(0);
  });

  it("gives up an upload that cannot be finished, so that no room stays held", async () => {
    test.write("map.txt", "x".repeat(1_500_000));
    breaksAt = 1_000_000;
    expect((await test.skep("file put fleet map.txt")).err).toContain("full");
    expect([given, kept.size]).toEqual([[true], 0]);
  });

  it("leaves nothing of a file that broke off, and an older one as it was", async () => {
    kept.set("a.txt", Buffer.from("half"));
    test.write("a.txt", "before");
    breaksAt = 0;
    expect((await test.skep("file get fleet a.txt")).code).not.toBe(0);
    expect(readFileSync(join(test.folder, "a.txt"), "utf8")).toBe("before");
    expect(existsSync(join(test.folder, "a.txt.part"))).toBe(false);
  });

  it("says what they take, and makes links", async () => {
    expect(ok(await test.skep("file usage fleet"))).toBe("3 files, 2 KiB; 0 B on their way\n");
    expect(ok(await test.skep("file link fleet a.txt --for 2m"))).toMatch(/^GET http:\/\/s3\/120\n/);
    expect(ok(await test.skep("file link fleet a.txt --put 5"))).toMatch(
      /^PUT http:\/\/s3\/600\n {2}content-length: 5\n/,
    );
  });

  it("refuses a file that is not there", async () => {
    expect((await test.skep("file put fleet none.txt")).err).toContain("The file none.txt cannot be read (ENOENT)");
  });
});
