import { BOUNDS } from "@skep/core/model/bounds.ts";
import type { TmpfsMount } from "@skep/core/model/container-options.ts";
import type { Draft, Reading } from "./draft.ts";
import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import type { Spot } from "./spots.ts";
import { describe, isZero, readBytes, readInteger, readTexts, textOf } from "./values.ts";

/** `tmpfs` of a service, and `/run:size=64m,mode=1777` of it. */
export function readTmpfs(spot: Spot, reading: Reading): readonly TmpfsMount[] {
  if (spot.kind === "map") readTexts(spot, reading.problems, "single");
  const items = spot.kind === "list" ? spot.items : [spot];
  return items.flatMap(item => {
    const [text] = spot.kind === "map" ? [] : readTexts(item, reading.problems, "single");
    if (text === undefined) return [];
    const [path = "", ...options] = text.split(":");
    return tmpfsAt(path, readOptions(options.join(":").split(","), item, reading.problems), item, reading.problems);
  });
}

/** The same of the long form, whose path and options stand apart. */
export function tmpfsAt(
  target: string,
  options: Omit<TmpfsMount, "target">,
  place: Place,
  problems: Problems,
): readonly TmpfsMount[] {
  if (target.startsWith("/")) return [{ target, ...options }];
  problems.refuse(place, `\`${target}\` is no path of a tmpfs`, "Write an absolute path, like /run");
  return [];
}

/** `tmpfs` of a mount in its long form. */
export function readTmpfsSection(spot: Spot, { problems }: Reading): Omit<TmpfsMount, "target"> {
  const found: Draft<Omit<TmpfsMount, "target">> = {};
  const keys = {
    size: (value: Spot) => Object.assign(found, { sizeBytes: readSize(value, problems) }),
    mode: (value: Spot) => Object.assign(found, { mode: readMode(textOf(value), value, problems) }),
  };
  readSection(spot, { name: "a tmpfs", keys }, problems);
  return found;
}

/** What a tmpfs of the engine is anyway. */
const AS_IT_IS: ReadonlySet<string> = new Set(["", "rw", "noexec", "nosuid", "nodev"]);

function readOptions(options: readonly string[], place: Spot, problems: Problems): Omit<TmpfsMount, "target"> {
  const found: Draft<Omit<TmpfsMount, "target">> = {};
  for (const option of options.filter(one => !AS_IT_IS.has(one))) {
    const [, key = option, text = ""] = /^(size|mode|uid|gid)=(.*)$/.exec(option) ?? [];
    const value: Spot = { kind: "scalar", at: place.at, path: place.path, value: text };
    if (key === "size") found.sizeBytes = readSize(value, problems);
    else if (key === "mode") found.mode = readMode(text, value, problems);
    else if (key === "uid" || key === "gid") found[key] = readInteger(value, problems, BOUNDS.userId);
    else if (option === "exec") found.exec = true;
    else
      problems.refuse(place, `the option \`${option}\` of a tmpfs cannot be set`, "Write size, mode, uid, gid or exec");
  }
  return found;
}

/** 0 is the kernel's word for no size of its own. */
function readSize(spot: Spot, problems: Problems): number | undefined {
  if (isZero(spot)) return undefined;
  const { least, most } = BOUNDS.tmpfsBytes;
  const bytes = readBytes(spot, problems);
  if (bytes === undefined || (bytes >= least && bytes <= most)) return bytes;
  return problems.refuse(spot, `${describe(spot)} is no size of a tmpfs`, `Write ${least} bytes or more, like 64m`);
}

/** Compose's documents call it an octal number, with a zero in front or without. */
function readMode(text: string, place: Place, problems: Problems): number | undefined {
  const [, digits] = /^(?:0o)?([0-7]{1,5})$/.exec(text) ?? [];
  const mode = digits === undefined ? BOUNDS.fileMode.most + 1 : Number.parseInt(digits, 8);
  if (mode <= BOUNDS.fileMode.most) return mode;
  return problems.refuse(place, `\`${text}\` is no mode of a directory`, "Write octal digits, like 1777 or 0770");
}
