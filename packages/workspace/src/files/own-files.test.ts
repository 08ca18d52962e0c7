import { once } from "node:events";
import { createServer as createHttpServer, type ServerResponse } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
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

describe("an S3 server that a tenant made up", () => {
  /** Answers lists of files as it is told, and all else as a good one does. */
  async function serve(list: (response: ServerResponse, asked: number) => void): Promise<string> {
    let asked = 0;
    const http = createHttpServer((request, response) => {
      if (request.method === "HEAD") return response.end();
      if (request.url?.includes("list-type=2") === true) return list(response, (asked += 1));
      return response.end("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
    }).listen(0, "127.0.0.1");
    await once(http, "listening");
    onTestFinished(() => {
      http.closeAllConnections();
      http.close();
    });
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  }
  async function problemAt(url: string): Promise<string> {
    const files = await openOwnFiles("fleet", { url, ...STORE }, ["127.0.0.1"]);
    const { lastError } = files.health();
    await files.close();
    return lastError;
  }

  it("fills no memory by an answer without an end", async () => {
    let written = 0;
    const url = await serve(response => {
      const more = (): void => {
        if (response.destroyed) return;
        written += 65_536;
        response.write("<Contents><Key>x</Key></Contents>".padEnd(65_536), () => setImmediate(more));
      };
      more();
    });
    expect(await problemAt(url)).toMatch(/answered with more than 4194304 bytes/);
    expect(written).toBeLessThan(40 * 1024 * 1024);
  });

  it("is not asked for ever by lists without an end", async () => {
    let last = 0;
    const url = await serve((response, asked) => {
      last = asked;
      const key = `<Contents><Key>ws/fleet/${String(asked).padStart(9, "0")}</Key><Size>1</Size></Contents>`;
      response.end(`<ListBucketResult><IsTruncated>true</IsTruncated>${key}</ListBucketResult>`);
    });
    expect(await problemAt(url)).toContain("more than 30000 files of the workspace");
    expect(last).toBe(30);
  });
});
