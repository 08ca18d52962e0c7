import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import { parseCompose } from "../compose/parse.ts";
import type { Composed } from "../compose/parse.ts";
import { formatIssue } from "../compose/problems.ts";

/** What a test says besides the files. */
export interface Around {
  readonly env?: Readonly<Record<string, string>>;
  /** Files that others name, by their path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly profiles?: readonly string[];
  readonly services?: readonly string[];
  readonly limits?: Limits;
  readonly folderName?: string;
}

/** Reads `c.yaml`, or several files by their names, of which the later ones change the earlier. */
export function compose(text: string | Readonly<Record<string, string>>, around: Around = {}): Composed {
  const { env = {}, files = {}, profiles = [], services = [], folderName = "app" } = around;
  const given = Object.entries(typeof text === "string" ? { "c.yaml": text } : text);
  return parseCompose(
    given.map(([name, content]) => ({ name, text: content })),
    {
      folder: "",
      folderName,
      env,
      readFile: path => {
        const found = Object.hasOwn(files, path) ? files[path] : undefined;
        return found === undefined ? { text: undefined, why: "it is not there" } : { text: found };
      },
      display: path => path,
      limits: around.limits ?? DEFAULT_RESOURCES,
      choice: { profiles: new Set(profiles), services: new Set(services) },
    },
  );
}

/** Every refusal, as a person sees it. */
export function refusals(text: string | Readonly<Record<string, string>>, around?: Around): string[] {
  return compose(text, around).issues.map(formatIssue);
}

/** Every note, as a person sees it. */
export function notes(text: string | Readonly<Record<string, string>>, around?: Around): string[] {
  return compose(text, around).notes.map(formatIssue);
}

/** Notes without the one about the platform's limits, which nearly every file gets. */
export function noted(text: string): string[] {
  return notes(text).filter(note => !note.includes("the platform's hold"));
}

/** A file of one service `web`, with these lines below its image. */
export function web(...lines: readonly string[]): string {
  return `services:\n  web:\n    image: a\n${lines.map(line => `    ${line}\n`).join("")}`;
}
