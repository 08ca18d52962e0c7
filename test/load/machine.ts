import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);
const GIB = 2 ** 30;

/** The machine in one line; a figure without it says nothing. */
export async function describeMachine(): Promise<string> {
  const cores = cpus();
  const model = cores[0]?.model.trim() ?? "unknown cpu";
  return [
    `${model}, ${cores.length} cores, ${Math.round(totalmem() / GIB)} GiB`,
    `${await distribution()}, kernel ${release()}, node ${process.versions.node}`,
    `load average ${(loadavg()[0] ?? 0).toFixed(2)}`,
  ].join("; ");
}

/** First version number in what a program answers to `--version`, or "unknown". */
export async function programVersion(program: string): Promise<string> {
  const answer = await run(program, ["--version"]).catch(() => ({ stdout: "" }));
  return /\d+(?:\.\d+)+/.exec(answer.stdout)?.[0] ?? "unknown";
}

async function distribution(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? process.platform;
}
