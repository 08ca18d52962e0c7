import type { VolumeMount } from "@skep/core/model/deployment.ts";
import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import { below, isNothing } from "./spots.ts";
import type { Entry, Spot } from "./spots.ts";
import { readBoolean, readText, readWord } from "./values.ts";

/** What a file says of a volume of its own or another's: what each mount of it has. */
export type DeclaredVolume = Pick<VolumeMount, "name" | "project" | "isExternal" | "move">;

/**
 * `volumes` of the project, by their names in the file. One without a `name` is the project's; one
 * with a name is the tenant's, as with Docker every project that names it has the same one.
 */
export function readVolumes(spot: Spot | undefined, problems: Problems): ReadonlyMap<string, DeclaredVolume> {
  if (spot?.kind !== "map") return new Map();
  return new Map([...spot.entries.values()].map(entry => [entry.key, readVolume(entry, problems)]));
}

function readVolume({ key, value }: Entry, problems: Problems): DeclaredVolume {
  if (isNothing(value)) return { name: key };
  const driver = { problem: "volumes are local to their node, without a driver", advice: "Remove it" };
  let name: { readonly text: string; readonly place: Place } | undefined;
  let external: Place | undefined;
  let move: "empty" | undefined;
  readSection(
    value,
    {
      name: "a volume",
      keys: {
        driver: (word: Spot) => {
          const isLocal = isNothing(word) || (word.kind === "scalar" && word.value === "local");
          if (!isLocal) problems.refuse(word, driver.problem, driver.advice);
        },
        name: word => {
          const text = isNothing(word) ? undefined : readText(word, problems);
          if (text !== undefined) name = { text, place: word };
        },
        external: (word, place) => {
          // An older form names it here.
          const older = word.kind === "map" ? below(word, "name") : undefined;
          const text = older === undefined ? undefined : readText(older, problems);
          if (text !== undefined) name = { text, place: older! };
          if (word.kind === "map" || readBoolean(word, problems) === true) external = place;
        },
        "x-skep": word => (move = readMove(word, problems)),
      },
      refused: { driver_opts: driver },
      ignored: { labels: { problem: "`labels` has no effect on a volume", advice: "Remove it" } },
    },
    problems,
  );
  const moves = move === undefined ? {} : { move };
  if (external !== undefined) return { ...externalVolume(name?.text ?? key, external, problems), ...moves };
  return name === undefined ? { name: key, ...moves } : { name: name.text, project: "", ...moves };
}

/** A volume that something else makes: the tenant's of that name, or that of another project. */
function externalVolume(called: string, place: Place, problems: Problems): DeclaredVolume {
  const at = called.indexOf("/");
  const [project, name] = [called.slice(0, Math.max(0, at)), called.slice(at + 1)];
  problems.note(
    place,
    `\`${called}\` is made elsewhere, and what mounts it waits until it is there`,
    at < 0
      ? `A file makes it that gives a volume the \`name: ${called}\`; a volume of another project is named \`project/volume\``
      : `The project \`${project}\` makes it with its volume \`${name}\``,
  );
  return { name, project, isExternal: true };
}

/** `x-skep` of a volume: what becomes of what mounts it while its node is away. */
function readMove(spot: Spot, problems: Problems): "empty" | undefined {
  let move: "empty" | "wait" | undefined;
  readSection(
    spot,
    { name: "x-skep", keys: { move: word => (move = readWord(word, problems, ["wait", "empty"] as const)) } },
    problems,
  );
  return move === "empty" ? "empty" : undefined;
}
