import { spawn } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CHECKS, runCheck } from "./checks.ts";
import { addReport, emptyTally, summary, type Tally } from "./tally.ts";
import { readWanted, USAGE, type Wanted } from "./wanted.ts";

const root = dirname(dirname(import.meta.dirname));
const reports = join(root, ".build", "reports");

const wanted = readWanted(process.argv.slice(2));
if (wanted === "help") console.log(USAGE);
else process.exitCode = await runWanted(wanted);

/**
 * Runs what is wanted and answers the exit code: 0 only where something passed and nothing failed.
 */
async function runWanted(what: Wanted): Promise<number> {
  const tally = emptyTally();
  await mkdir(reports, { recursive: true });
  if (what.checks) await runChecks(tally);
  if (what.patterns.length > 0 || what.name !== undefined) await runVitest("chosen", narrowed(what), tally);
  else for (const project of what.projects) await runVitest(project, ["--project", project], tally);
  for (const line of summary(tally)) console.log(line);
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}

/**
 * Vitest's words for some files or tests of the wanted kinds; a kind without any of them is no
 * failure.
 */
function narrowed({ projects, patterns, name }: Wanted): readonly string[] {
  return [
    ...projects.flatMap(project => ["--project", project]),
    ...patterns,
    ...(name === undefined ? [] : ["-t", name]),
  ];
}

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

/**
 * Runs vitest with its output shown, and counts from its report under `title`; a run without a
 * report is a failure.
 */
async function runVitest(title: string, args: readonly string[], into: Tally): Promise<void> {
  const startedAt = performance.now();
  console.log(`\n== ${title}`);
  const report = join(reports, `${title}.json`);
  await rm(report, { force: true });
  const code = await vitest([...args, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]);
  const text = await readFile(report, "utf8").catch(() => undefined);
  if (text !== undefined) addReport(into, title, JSON.parse(text));
  if (text === undefined || (code !== 0 && into.failed === 0)) {
    into.failed += 1;
    into.failures.push(`${title}: vitest ended with code ${code}${text === undefined ? " and wrote no report" : ""}`);
  }
  console.log(`== ${title}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** Resolves with vitest's exit code; Ctrl-C reaches it through the terminal and is waited for. */
function vitest(args: readonly string[]): Promise<number> {
  const program = join(root, "node_modules", ".bin", "vitest");
  const child = spawn(program, ["run", "--config", "test/vitest.config.ts", ...args], { cwd: root, stdio: "inherit" });
  process.on("SIGINT", () => {});
  return new Promise(resolve => child.on("exit", code => resolve(code ?? 1)));
}
