import type { VolumeMount } from "@skep/core/model/deployment.ts";
import type { Reading } from "./draft.ts";
import { readSection } from "./section.ts";
import type { Place, Spot } from "./tree.ts";
import { describe, readBoolean, readText, readTexts, readWord } from "./values.ts";

/** What a service mounts. */
export interface Mounts {
  readonly volumes: readonly VolumeMount[];
  readonly tmpfs: readonly string[];
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

/** `tmpfs` of a service. */
export function readTmpfs(spot: Spot, reading: Reading): readonly string[] {
  return readTexts(spot, reading.problems, "single").filter(path => {
    if (path.startsWith("/") && !path.includes(":")) return true;
    reading.problems.refuse(
      spot,
      `\`${path}\` is no path of a tmpfs`,
      "Write an absolute path without options, like /run",
    );
    return false;
  });
}

function readShort(spot: Spot, reading: Reading): Mounts {
  const nothing: Mounts = { volumes: [], tmpfs: [] };
  const text = readText(spot, reading.problems);
  if (text === undefined) return nothing;
  const [source = "", target, options = "rw", ...rest] = text.split(":");
  if (isPath(source) && target !== undefined) return refuseBind(spot, source, reading);
  if (target === undefined) {
    reading.problems.refuse(spot, `the volume at \`${source}\` has no name`, NAMED);
    return nothing;
  }
  const words = options.split(",");
  const odd = words.find(word => !["ro", "rw", "z", "Z", "nocopy"].includes(word)) ?? rest[0];
  if (odd !== undefined) {
    reading.problems.refuse(spot, `the option \`${odd}\` of a volume is not known`, "Write ro or rw");
    return nothing;
  }
  return { volumes: named({ name: source, target, readOnly: words.includes("ro") }, spot, reading), tmpfs: [] };
}

function readLong(spot: Spot, reading: Reading): Mounts {
  const { problems } = reading;
  let type: "volume" | "tmpfs" | "bind" | "npipe" | "cluster" | "image" | undefined;
  let source = "";
  let target = "";
  let readOnly = false;
  const none = { problem: "it has no effect", advice: "Remove it" };
  readSection(
    spot,
    {
      name: "a volume",
      keys: {
        type: value => (type = readWord(value, problems, ["volume", "tmpfs", "bind", "npipe", "cluster", "image"])),
        source: value => (source = readText(value, problems) ?? ""),
        target: value => (target = readText(value, problems) ?? ""),
        read_only: value => (readOnly = readBoolean(value, problems) ?? false),
      },
      ignored: { volume: none, tmpfs: none, bind: none, consistency: none },
    },
    problems,
  );
  if (type === undefined) return { volumes: [], tmpfs: [] };
  if (type === "tmpfs") return { volumes: [], tmpfs: target.startsWith("/") ? [target] : [] };
  if (type !== "volume" || isPath(source)) return refuseBind(spot, source, reading);
  return { volumes: named({ name: source, target, readOnly }, spot, reading), tmpfs: [] };
}

function isPath(source: string): boolean {
  return /^([/.~\\]|[A-Za-z]:[\\/])/.test(source);
}

function refuseBind(place: Place, source: string, reading: Reading): Mounts {
  if (/docker\.sock/.test(source))
    reading.problems.refuse(
      place,
      "the Docker socket would hand over the node",
      "Remove it; no container gets the socket",
    );
  else
    reading.problems.refuse(
      place,
      `\`${source}\` is a path of the node, and host binds cannot be mounted`,
      `${NAMED}, or put the file into the image`,
    );
  return { volumes: [], tmpfs: [] };
}

function named(mount: VolumeMount, place: Place, reading: Reading): readonly VolumeMount[] {
  if (!mount.target.startsWith("/"))
    reading.problems.refuse(place, `\`${mount.target}\` is no absolute path in the container`, "Begin it with /");
  else if (mount.name === "") reading.problems.refuse(place, `the volume at \`${mount.target}\` has no name`, NAMED);
  else if (!reading.volumes.has(mount.name))
    reading.problems.refuse(
      place,
      `the volume \`${mount.name}\` is not declared`,
      `Add \`${mount.name}:\` under the file's \`volumes\``,
    );
  else return [mount];
  return [];
}
