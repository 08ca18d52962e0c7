import { execFile } from "node:child_process";
import { once } from "node:events";
import { isBuiltin } from "node:module";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleService } from "./bundle.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "skep-bundle-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/**
 * Bundles the given files (`main.ts` is the entry), runs the one file far from its sources, and
 * returns what it printed.
 */
async function printed(service: "scheduler" | "agent", files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(directory, "src", name, ".."), { recursive: true });
    await writeFile(join(directory, "src", name), text);
  }
  const bundle = await bundleService(service, join(directory, "src/main.ts"));
  await rm(join(directory, "src"), { recursive: true });
  await writeFile(join(directory, "main.mjs"), bundle);
  const { stdout } = await promisify(execFile)(process.execPath, [join(directory, "main.mjs")]);
  return stdout.trim();
}

describe("bundleService", () => {
  it("makes one file that runs without its sources", async () => {
    const files = {
      "main.ts": 'import { twice } from "./twice.ts"; console.log(twice(21));',
      "twice.ts": "export const twice = (n: number): number => n * 2;",
    };
    expect(await printed("scheduler", files)).toBe("42");
  });

  it("gives CommonJS dependencies what they expect to find", async () => {
    const files = {
      "main.ts": 'import old from "./old.cjs"; console.log(await old);',
      "old.cjs":
        'module.exports = [typeof require("node:fs").statSync, typeof __dirname, typeof __filename].join(" ");',
    };
    expect(await printed("scheduler", files)).toBe("function string string");
  });

  it("leaves out of the agent what only remote engines need", async () => {
    const files = { "main.ts": 'import ssh from "ssh2"; console.log(JSON.stringify(ssh));' };
    expect(await printed("agent", files)).toBe("{}");
  });

  it("makes of the agent one file that is a guard as well", async () => {
    const file = join(directory, "main.mjs");
    await writeFile(file, await bundleService("agent"));
    const guard = execFile(process.execPath, [file, "guard", "/nowhere/docker.sock"], { env: {} });
    const answer = once(guard.stdout!, "data");
    const ended = once(guard, "exit");
    guard.stdin?.end('{"seq":7,"at":0,"copies":[]}\n');
    expect(String(await answer)).toBe("7\n");
    expect(await ended).toEqual([0, null]);
  });

  // A library that requires one without asking whether it is there fails in the middle of its work.
  it("leaves out of a host of workspaces only what its libraries can do without", async () => {
    const text = String(await bundleService("host"));
    const required = [...text.matchAll(/__require\("([^"]+)"\)/g)].map(([, name = ""]) => name);
    const ofMongodb = ["kerberos", "@mongodb-js/zstd", "@aws-sdk/credential-providers", "gcp-metadata", "snappy"];
    const ofOthers = ["mongodb-client-encryption", "supports-color", "bufferutil", "utf-8-validate"];
    expect(new Set(required.filter(name => !isBuiltin(name)))).toEqual(new Set([...ofMongodb, ...ofOthers]));
  });

  it("makes the same bytes of the same sources", async () => {
    const entry = join(directory, "main.ts");
    await writeFile(entry, "console.log(1);");
    expect(await bundleService("agent", entry)).toEqual(await bundleService("agent", entry));
  });
});
