import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import type { Spot } from "./spots.ts";
import { describe, readText, readTexts } from "./values.ts";

/** A text with its place. */
export interface Named {
  readonly text: string;
  readonly place: Place;
}

/** One entry of `include`. */
export interface Include {
  /** The file, and others that change what it says. */
  readonly paths: readonly Named[];
  /** Where its paths begin; where none is given, beside the file. */
  readonly folder: string | undefined;
  readonly envFiles: readonly Named[];
}

/** `include` of a file, in its short and its long form. */
export function readIncludes(spot: Spot, problems: Problems): readonly Include[] {
  if (spot.kind !== "list") {
    problems.refuse(
      spot,
      `${describe(spot)} stands where a list of files belongs`,
      "Write one path per line, after `- `",
    );
    return [];
  }
  return spot.items.map(item => {
    if (item.kind !== "map") return { paths: namedTexts(item, problems), folder: undefined, envFiles: [] };
    let [paths, envFiles]: [readonly Named[], readonly Named[]] = [[], []];
    let folder: string | undefined;
    readSection(
      item,
      {
        name: "an include",
        keys: {
          path: value => (paths = namedTexts(value, problems)),
          project_directory: value => (folder = readText(value, problems)),
          env_file: value => (envFiles = namedTexts(value, problems)),
        },
      },
      problems,
    );
    if (!item.entries.has("path")) problems.refuse(item, "the include has no `path`", "Write `path: file.yaml`");
    return { paths, folder, envFiles };
  });
}

function namedTexts(spot: Spot, problems: Problems): readonly Named[] {
  const items = spot.kind === "list" ? spot.items : [spot];
  return items.flatMap(item => {
    const [text] = readTexts(item, problems, "single");
    return text === undefined || !isHere(text, item, problems) ? [] : [{ text, place: item }];
  });
}

/** Whether a path is one of this machine: what stands on others is not read. */
export function isHere(path: string, place: Place, problems: Problems): boolean {
  if (!/^([a-z][a-z0-9+.-]*:\/\/|git@|oci:)/i.test(path)) return true;
  problems.refuse(place, `\`${path}\` is no file of this machine`, "Fetch it, and name the file");
  return false;
}
