import type { Reading, ServiceDraft } from "./draft.ts";
import type { Place, Problems } from "./problems.ts";
import { below } from "./spots.ts";
import type { Spot } from "./spots.ts";

/** `build`: with an image beside it the image is what runs, as with a stack of Swarm's. */
export function readBuild(draft: ServiceDraft, key: Place, problems: Problems): void {
  if (below(draft.value, "image") === undefined)
    problems.refuse(key, "images are not built here", "Build and push the image first, then name it with `image:`");
  else problems.note(key, "`build` has no effect: the image is run as it is", "Build and push it before");
}

/**
 * What a container starts. An empty `entrypoint` clears the image's own, so that the command is
 * the program, the image's where the file has none. An empty `command` is none.
 */
export function readEntrypoint(draft: ServiceDraft, { problems }: Reading): void {
  const { container } = draft;
  if (container.command !== undefined && isBlank(container.command)) {
    const spot = below(draft.value, "command");
    container.command = undefined;
    if (spot !== undefined && container.entrypoint === undefined)
      problems.note(spot, "an empty command leaves the image's own", "Write an `entrypoint` to run something else");
  }
  if (container.entrypoint === undefined || !isBlank(container.entrypoint)) return;
  const spot = below(draft.value, "entrypoint") as Spot;
  container.entrypoint = [];
  if (container.command === undefined && !problems.isRefused(`${draft.value.path}.command`, draft.value.path))
    problems.note(
      spot,
      "the image's entrypoint is cleared, and its own command is the program",
      "Write another program into `command`",
    );
}

function isBlank(words: readonly string[]): boolean {
  return words.length === 0 || (words.length === 1 && words[0] === "");
}
