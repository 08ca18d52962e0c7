import { expect, test } from "vitest";
import { followPull } from "./docker-pull.ts";

async function* inPieces(...pieces: readonly string[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece);
}

test("a pull answers the digest of what the name leads to, whether or not anything was downloaded", async () => {
  const lines = [
    '{"status":"Pulling from acme/web","id":"1"}\n{"status":"Dig',
    'est: sha256:0123"}\r\n{"status":"Status: Image is up to date for acme/web:1"}\r\n',
  ];
  expect(await followPull(inPieces(...lines), () => undefined)).toBe("sha256:0123");
  expect(await followPull(inPieces('{"status":"Pull complete","id":"1"}\n'), () => undefined)).toBe("");
});

test("a pull that fails on the way throws the registry's words", async () => {
  const failing = followPull(inPieces('{"error":"unauthorized: authentication required"}\n'), () => undefined);
  await expect(failing).rejects.toMatchObject({ code: "denied" });
});
