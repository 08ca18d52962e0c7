import { execFile } from "node:child_process";
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

describe("the skep process", () => {
  it("ends as soon as the deployment is well, and reads a file from standard input", async () => {
    await using test = await startCommandTest();
    const env = { SKEP_URL: test.url, HOME: test.folder };
    const file = "services:\n  web:\n    image: nginx\n";
    const deployed = await skep(["deploy", "-f", "-"], env, test.folder, file);
    expect(deployed).toMatchObject({ code: 0, err: "" });
    expect(deployed.out.trimEnd().split("\n").at(-1)).toBe("ok default.web  1 of 1 healthy");
    expect(await skep(["ps", "nope"], env, test.folder)).toMatchObject({ code: 5, out: "" });
  });

  it("teaches by its help, without a platform", async () => {
    const { code, out } = await skep(["deploy", "--help"], {}, "/");
    expect(code).toBe(0);
    expect(out).toContain("Examples:\n  skep deploy -f compose.yaml");
  });
});
