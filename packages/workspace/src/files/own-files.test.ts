import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import type { Resolve } from "../guarded-lookup.ts";
import { openOwnFiles } from "./own-files.ts";

const inside: Resolve = (_host, _options, done) => done(null, [{ address: "127.0.0.1", family: 4 }]);
const STORE = { region: "eu-1", bucket: "files", accessKey: "key", secretKey: "a-secret-word" };

it("does not connect where the name of a tenant's S3 server leads inside, and says so", async () => {
  let connections = 0;
  const server = createServer(socket => {
    connections += 1;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const open = (url: string, allowed: readonly string[]) => openOwnFiles("fleet", { url, ...STORE }, allowed, inside);
  const files = await open(`https://files.example.com:${port}`, []);
  expect(files.health().lastError).toContain("files.example.com leads into the platform's own network");
  expect(connections).toBe(0);
  await files.close();
  const allowed = await open(`http://files.example.com:${port}`, ["files.example.com"]);
  expect(connections).toBeGreaterThan(0);
  await allowed.close();
  await expect(open(`http://files.example.com:${port}`, [])).rejects.toMatchObject({ reason: "FILE_STORE_REFUSED" });
});
