import type { TmpfsMount } from "@skep/core/model/container-options.ts";
import type { VolumeMount } from "@skep/core/model/deployment.ts";
import type { Reading } from "./draft.ts";
import { pathFrom } from "./paths.ts";
import { readSection } from "./section.ts";
import type { Place } from "./problems.ts";
import type { Spot } from "./spots.ts";
import { readTmpfsSection, tmpfsAt } from "./tmpfs.ts";
import { describe, readBoolean, readText, readWord } from "./values.ts";

/** What a service mounts. */
export interface Mounts {
  readonly volumes: readonly VolumeMount[];
  readonly tmpfs: readonly TmpfsMount[];
}

const NAMED = "Use a named volume: `data:/path`, with `data:` under the file's `volumes`";

/**
 * `volumes` of a service: named volumes of the tenant, and tmpfs. Binds of the node's paths are
 * refused.
 */
export function readMounts(spot: Spot, reading: Reading): Mounts {
  if (spot.kind !== "list") {
    reading.problems.refuse(spot, `${describe(spot)} stands where a list of volumes belongs`, NAMED);
    return { volumes: [], tmpfs: [] };
  }
  const found = spot.items.map(item => (item.kind === "map" ? readLong(item, reading) : readShort(item, reading)));
  return { volumes: found.flatMap(mounts => mounts.volumes), tmpfs: found.flatMap(mounts => mounts.tmpfs) };
}

function readShort(spot: Spot, reading: Reading): Mounts {
  const text = readText(spot, reading.problems);
  if (text === undefined) return NOTHING;
  const [source = "", target, options = "rw", ...rest] = text.split(":");
  if (isPath(source) && target !== undefined) return refuseBind(spot, source, reading);
  if (target === undefined) {
    reading.problems.refuse(spot, `the volume at \`${source}\` has no name`, NAMED);
    return NOTHING;
  }
  const words = options.split(",");
  const odd = words.find(word => !["ro", "rw", "z", "Z", "nocopy"].includes(word)) ?? rest[0];
  if (odd !== undefined) {
    reading.problems.refuse(spot, `the option \`${odd}\` of a volume is not known`, "Write ro or rw");
    return NOTHING;
  }
  if (words.includes("nocopy")) reading.problems.note(spot, NOCOPY.problem, NOCOPY.advice);
  return { volumes: named({ name: source, target, readOnly: words.includes("ro") }, spot, reading), tmpfs: [] };
}

const NOTHING: Mounts = { volumes: [], tmpfs: [] };
const NOCOPY = {
  problem: "`nocopy` has no effect",
  advice: "A new volume begins with what the image has at its path",
};
const TYPES = ["volume", "tmpfs", "bind", "npipe", "cluster", "image"] as const;

function readLong(spot: Spot, reading: Reading): Mounts {
  const { problems } = reading;
  let type: (typeof TYPES)[number] | undefined;
  let [source, target, readOnly] = ["", "", false];
  let tmpfs: Omit<TmpfsMount, "target"> = {};
  const none = { problem: "it has no effect", advice: "Remove it" };
  readSection(
    spot,
    {
      name: "a volume",
      keys: {
        type: value => (type = readWord(value, problems, TYPES)),
        source: value => (source = readText(value, problems) ?? ""),
        target: value => (target = readText(value, problems) ?? ""),
        read_only: value => (readOnly = readBoolean(value, problems) ?? false),
        tmpfs: value => (tmpfs = readTmpfsSection(value, reading)),
        volume: value => readVolumeSection(value, reading),
      },
      ignored: { bind: none, consistency: none },
      refused: { image: { problem: "images cannot be mounted", advice: "Copy what is needed into the image" } },
    },
    problems,
  );
  if (spot.kind === "map" && !spot.entries.has("type"))
    problems.refuse(spot, "the volume has no `type`", "Write `type: volume`, its `source` and its `target`");
  if (type === undefined) return NOTHING;
  if (type === "image" || type === "cluster" || type === "npipe") {
    problems.refuse(spot, `a mount of the type \`${type}\` is not supported`, NAMED);
    return NOTHING;
  }
  if (type === "tmpfs") {
    if (readOnly) problems.refuse(spot, "a tmpfs that nobody can write to is of no use", "Remove `read_only`");
    return { volumes: [], tmpfs: tmpfsAt(target, tmpfs, spot, problems) };
  }
  if (type !== "volume" || isPath(source)) return refuseBind(spot, source, reading);
  return { volumes: named({ name: source, target, readOnly }, spot, reading), tmpfs: [] };
}

function readVolumeSection(spot: Spot, { problems }: Reading): void {
  const subpath = {
    problem: "a part of a volume cannot be mounted",
    advice: "Mount the volume whole, or use a volume for each part",
  };
  const labels = { problem: "`labels` has no effect on a volume", advice: "Remove it" };
  readSection(
    spot,
    { name: "a volume's options", keys: {}, refused: { subpath }, ignored: { nocopy: NOCOPY, labels } },
    problems,
  );
}

function isPath(source: string): boolean {
  return /^([/.~\\]|[A-Za-z]:[\\/])/.test(source);
}

function refuseBind(spot: Spot, source: string, reading: Reading): Mounts {
  const { problems } = reading;
  if (/docker\.sock/.test(source))
    problems.refuse(spot, "the Docker socket would hand over the node", "Remove it; no container gets the socket");
  else if (isOwnFile(spot, source, reading))
    problems.refuse(
      spot,
      `\`${source}\` is a file of this machine, and files cannot be handed to containers yet`,
      "Put it into the image, or pass what it says under `environment`",
    );
  else
    problems.refuse(
      spot,
      `\`${source}\` is a path of the node, and host binds cannot be mounted`,
      `${NAMED}, or put the file into the image`,
    );
  return NOTHING;
}

/** Whether a relative path leads to a file that is small enough to be handed over one day. */
function isOwnFile(spot: Spot, source: string, reading: Reading): boolean {
  if (!source.startsWith(".")) return false;
  const { text } = reading.readFile(pathFrom(spot.at.source.folder, source));
  return text !== undefined && text.length <= 1024 * 1024;
}

function named(mount: VolumeMount, place: Place, reading: Reading): readonly VolumeMount[] {
  const declared = reading.volumes.get(mount.name);
  if (!mount.target.startsWith("/"))
    reading.problems.refuse(place, `\`${mount.target}\` is no absolute path in the container`, "Begin it with /");
  else if (mount.name === "") reading.problems.refuse(place, `the volume at \`${mount.target}\` has no name`, NAMED);
  else if (declared === undefined)
    reading.problems.refuse(
      place,
      `the volume \`${mount.name}\` is not declared`,
      `Add \`${mount.name}:\` under the file's \`volumes\``,
    );
  else return [{ ...mount, ...declared }];
  return [];
}
