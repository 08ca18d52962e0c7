import { InvalidArgumentError } from "commander";
import { act, examples } from "../session/act.ts";
import { changeNodes } from "../session/change-nodes.ts";
import type { Setup } from "./command.ts";

interface Labels {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** `skep label`. */
export const label: Setup = (command, io) => {
  command
    .argument("<node>", "the node, by id or hostname")
    .argument("<labels...>", "KEY=VALUE to set, KEY- to remove", parseLabel);
  examples(command, [
    ["skep label node-2 compute=true", "constraints like `node.labels.compute == true` then take it"],
    ["skep label node-2 zone=a compute-", "set one, remove another"],
  ]);
  act(command, io, (session, _options: object, node: string, labels: Labels) =>
    changeNodes(
      session,
      [node],
      request => session.api.nodes.labelNode({ ...request, set: { ...labels.set }, remove: [...labels.remove] }),
      (hostname, after) =>
        `${hostname}: ${Object.entries(after?.labels ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(" ")}`.trimEnd(),
    ),
  );
};

function parseLabel(word: string, before: Labels | undefined): Labels {
  const labels = before ?? { set: {}, remove: [] };
  const set = /^([^=]+)=(.*)$/.exec(word);
  const key = set?.[1] ?? word.slice(0, -1);
  if (!/^[a-zA-Z0-9][\w./-]{0,127}$/.test(key))
    throw new InvalidArgumentError(
      "A key begins with a letter or digit and has letters, digits, and any of . _ / - in it.",
    );
  if (set !== null) return { ...labels, set: { ...labels.set, [set[1] ?? ""]: set[2] ?? "" } };
  if (/^[^=]+-$/.test(word)) return { ...labels, remove: [...labels.remove, word.slice(0, -1)] };
  throw new InvalidArgumentError("Write KEY=VALUE to set a label, or KEY- to remove it.");
}
