import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

it("the scheduler's process ends at once, and says what to set, when it has no token", async () => {
  const program = join(import.meta.dirname, "main.ts");
  const { code, err } = await new Promise<{ code: unknown; err: string }>(resolve => {
    execFile(process.execPath, [program], { env: {}, timeout: 15_000 }, (error, _, stderr) =>
      resolve({ code: error?.code, err: stderr }),
    );
  });
  expect(code).toBe(1);
  expect(err).toContain("SKEP_API_TOKEN_FILE");
}, 20_000);
