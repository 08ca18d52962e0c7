import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";

const root = dirname(dirname(import.meta.dirname));
const named = process.argv.slice(2);
const prettier = join(root, "node_modules", ".bin", "prettier");
const files = named.length === 0 ? ["."] : named;
execFileSync(prettier, ["--write", "--log-level", "warn", ...files], { cwd: root, stdio: "inherit" });
