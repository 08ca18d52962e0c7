import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** One thing that `npm run check` looks at: a command whose exit code 0 means clean. */
export interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

/** What came of one check; `output` is what the command printed. */
export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
  readonly ms: number;
}

/** All checks, each a command that a person can run alone. */
export const CHECKS: readonly Check[] = [
  { name: "format", command: ["prettier", "--check", "--log-level", "warn", "."] },
  { name: "lint", command: ["oxlint", "-c", ".oxlintrc.json", "--type-aware", "--deny-warnings", "--format=unix"] },
  { name: "proto lint", command: ["buf", "lint", "proto"] },
  { name: "generated code", command: ["node", "packages/api/gen.ts", "--check"] },
  { name: "types", command: ["tsc", "-b"] },
  { name: "dead code", command: ["knip", "-c", ".knip.json", "--no-progress"] },
  { name: "arrows and layout", command: ["vitest", "run", "--config", "test/vitest.config.ts", "--project", "tidy"] },
];

/** Runs one check from the repository's root; never throws for a check that fails. */
export async function runCheck(check: Check, root: string): Promise<CheckResult> {
  const startedAt = performance.now();
  const [program, ...args] = check.command;
  const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
  try {
    const { stdout, stderr } = await run(`${root}/node_modules/.bin/${program}`, args, options);
    return { name: check.name, passed: true, output: stdout + stderr, ms: performance.now() - startedAt };
  } catch (error) {
    const failed = error as { stdout?: string; stderr?: string; message: string };
    const output = `${failed.stdout ?? ""}${failed.stderr ?? ""}` || failed.message;
    return { name: check.name, passed: false, output, ms: performance.now() - startedAt };
  }
}
