import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startCommandTest } from "./testing/command.ts";

interface Ended {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

/** Runs the command as a process of its own, killed after 15 s. */
function skep(args: readonly string[], env: Record<string, string>, cwd: string, input = ""): Promise<Ended> {
  return new Promise(resolve => {
    const argv = [join(import.meta.dirname, "main.ts"), ...args];
    const child = execFile(process.execPath, argv, { env, cwd, timeout: 15_000 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : (error.code ?? String(error.signal)), out, err }),
    );
    child.stdin?.end(input);
  });
}

// Each test starts processes, which a busy machine may take seconds for.
describe("the skep process", { timeout: 30_000 }, () => {
  it("ends as soon as the deployment is well, and reads a file from standard input", async () => {
    await using test = await startCommandTest();
    const env = { SKEP_URL: test.url, HOME: test.folder };
    const file = "services: { web: { image: nginx, cpus: 1, mem_limit: 1g, pids_limit: 9 } }";
    const deployed = await skep(["deploy", "-f", "-"], env, test.folder, file);
    expect(deployed).toMatchObject({ code: 0, err: "" });
    expect(deployed.out.trimEnd().split("\n").at(-1)).toBe("ok default.app-web  1 of 1 healthy");
    expect(await skep(["ps", "nope"], env, test.folder)).toMatchObject({ code: 5, out: "" });
  });

  it.each([
    [
      "HTTP/2",
      () => createHttp2Server((_, response) => void response.writeHead(404).end("no such page\n".repeat(9_000))),
    ],
    ["HTTP/1.1 only", () => createServer((_, response) => void response.writeHead(404).end())],
  ])("ends, and says so, where something else answers: %s", async (_, make) => {
    const other = make().listen(0, "127.0.0.1");
    await once(other, "listening");
    const env = { SKEP_URL: `http://127.0.0.1:${(other.address() as AddressInfo).port}` };
    for (const command of ["ps", "events"]) {
      const { code, err } = await skep([command], env, "/");
      expect({ code, err }).toEqual({
        code: 9,
        err: expect.stringContaining(`What answers at ${env.SKEP_URL} is no Skep`),
      });
    }
    other.close();
  });

  it("teaches by its help, without a platform", async () => {
    const { code, out } = await skep(["deploy", "--help"], {}, "/");
    expect(code).toBe(0);
    expect(out).toContain("Examples:\n  skep deploy -f compose.yaml");
  });
});
