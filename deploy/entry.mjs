// The one entry of every npm script. It runs under whatever Node the machine has (18 or newer)
// without a single dependency: it installs the packages when they are missing or stale, then runs
// the wanted program under Node 24.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "node_modules", ".skep-install");
const pnpm = "pnpm@12.21.0";

const programs = {
  start: ["deploy/start.ts"],
  test: ["test/run/test.ts"],
  check: ["test/run/check.ts"],
  format: ["test/run/format.ts"],
  "test:unit": ["test/run/test.ts", "unit", "simulation"],
  "test:integration": ["test/run/test.ts", "integration"],
  "test:swarm": ["test/run/test.ts", "swarm"],
  "test:long": ["test/run/test.ts", "long"],
  load: ["test/load/main.ts"],
  sim: ["test/simulation/main.ts"],
  gen: ["packages/api/gen.ts"],
  bootstrap: ["deploy/bootstrap/main.ts"],
  skep: ["packages/cli/src/main.ts"],
  devswarm: ["packages/devswarm/src/main.ts"],
};

/** Hash of everything that decides what an install brings. */
function wanted() {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch}`);
  const files = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "deploy/package.json", "test/package.json"];
  for (const name of readdirSync(join(root, "packages")).sort()) files.push(`packages/${name}/package.json`);
  for (const file of files) if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

function install() {
  const hash = wanted();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  const startedAt = Date.now();
  process.stderr.write("skep: installing packages (about 15 s the first time) ...\n");
  const result = spawnSync("npx", ["-y", pnpm, "install", "--frozen-lockfile", "--reporter=append-only"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, npm_config_yes: "true" },
  });
  if (result.error || result.status !== 0) {
    process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}\n`);
    process.stderr.write(
      "skep: the packages could not be installed (see above). Is the npm registry reachable? Then run the same command again.\n",
    );
    process.exit(1);
  }
  writeFileSync(stamp, hash);
  process.stderr.write(`skep: packages installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
}

/** Node 24 of the npm platform package, or the running one where it is new enough. */
function runtime() {
  const local = join(root, "node_modules", ".bin", "node");
  if (existsSync(local)) return local;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 12)) return process.execPath;
  process.stderr.write(
    `skep: no Node 24 for ${process.platform}-${process.arch} among the packages. Install Node 24.12 or newer and run the same command with it.\n`,
  );
  process.exit(1);
}

const [name, ...rest] = process.argv.slice(2);
const program = programs[name];
if (!program) {
  process.stderr.write(`skep: no program "${name ?? ""}". Known: ${Object.keys(programs).join(", ")}.\n`);
  process.exit(2);
}
install();
const node = runtime();
const child = spawn(
  node,
  ["--disable-warning=ExperimentalWarning", join(root, program[0]), ...program.slice(1), ...rest],
  {
    stdio: "inherit",
    // The command's own folder stays the caller's, so that `npm run skep -- deploy -f
    // ./compose.yaml` means what it says.
    cwd: name === "skep" ? (process.env.INIT_CWD ?? process.cwd()) : root,
    env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH ?? ""}` },
  },
);
// A terminal sends Ctrl-C to the whole group: the child cleans up, this process only waits for it.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
