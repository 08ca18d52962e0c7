import { spawn } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CHECKS, runCheck } from "./checks.ts";
import { addReport, emptyTally, summary, type Tally } from "./tally.ts";

const root = dirname(dirname(import.meta.dirname));
const reports = join(root, ".build", "reports");
const PROJECTS = ["unit", "simulation", "integration", "swarm"];

const wanted = process.argv.slice(2);
const tally = emptyTally();
await mkdir(reports, { recursive: true });
if (wanted.length === 0) await runChecks(tally);
for (const project of wanted.length === 0 ? PROJECTS : wanted) await runProject(project, tally);
for (const line of summary(tally)) console.log(line);
process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;

/** Every check counts as one test. */
async function runChecks(into: Tally): Promise<void> {
  console.log("\n== check");
  for (const check of CHECKS) {
    const result = await runCheck(check, root);
    console.log(`${result.passed ? " ok   " : " FAIL "} ${result.name} (${(result.ms / 1000).toFixed(1)} s)`);
    if (result.passed) into.passed += 1;
    else {
      into.failed += 1;
      into.failures.push(`check: ${result.name}`);
      console.log(result.output.trimEnd());
    }
  }
}

/** Runs one vitest project with its output shown, and counts from its report; a run without a report is a failure. */
async function runProject(project: string, into: Tally): Promise<void> {
  const startedAt = performance.now();
  console.log(`\n== ${project}`);
  const report = join(reports, `${project}.json`);
  await rm(report, { force: true });
  const code = await vitest([
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ]);
  const text = await readFile(report, "utf8").catch(() => undefined);
  if (text !== undefined) addReport(into, project, JSON.parse(text));
  if (text === undefined || (code !== 0 && into.failed === 0)) {
    into.failed += 1;
    into.failures.push(`${project}: vitest ended with code ${code}${text === undefined ? " and wrote no report" : ""}`);
  }
  console.log(`== ${project}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** Resolves with vitest's exit code; Ctrl-C reaches it through the terminal and is waited for. */
function vitest(args: readonly string[]): Promise<number> {
  const program = join(root, "node_modules", ".bin", "vitest");
  const child = spawn(program, ["run", "--config", "test/vitest.config.ts", ...args], { cwd: root, stdio: "inherit" });
  process.on("SIGINT", () => {});
  return new Promise(resolve => child.on("exit", code => resolve(code ?? 1)));
}
