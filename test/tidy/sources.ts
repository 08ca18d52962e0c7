import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The repository's root. */
export const root: string = dirname(dirname(import.meta.dirname));

/** A source file that people wrote: its path from the root, its text, and what it imports. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly imports: readonly string[];
}

let files: readonly string[] | undefined;

/** Every TypeScript and JavaScript file that is tracked or about to be, without generated code. */
export function sourceFiles(): readonly string[] {
  files ??= execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.mjs"], {
    cwd: root,
    encoding: "utf8",
  })
    .split("\n")
    .filter(file => file !== "" && !file.startsWith("packages/api/src/gen/"));
  return files;
}

/** All of them, read. */
export function sources(): readonly Source[] {
  return sourceFiles().map(file => {
    const text = readFileSync(join(root, file), "utf8");
    const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(match => match[1] ?? "");
    return { file, text, imports };
  });
}
