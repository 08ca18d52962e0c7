import { InvalidArgumentError } from "commander";
import { act, examples } from "../session/act.ts";
import { changeEach } from "../session/change.ts";
import { waitFor, waitOptions } from "../session/wait.ts";
import type { WaitOptions } from "../session/wait.ts";
import type { Setup } from "./command.ts";

/** `skep scale`. */
export const scale: Setup = (command, io) => {
  command.argument("<NAME=N...>", "deployments, and how many instances of each", parsePairs);
  waitOptions(command);
  examples(command, [
    ["skep scale web=3", "three instances of web, and wait until they run"],
    ["skep scale web=5 worker=2 --no-wait", "several at once"],
  ]);
  act(command, io, async (session, options: WaitOptions, wanted: ReadonlyMap<string, number>) => {
    const changed = await changeEach(
      session,
      [...wanted.keys()],
      (request, name) => session.api.deployments.scaleDeployment({ ...request, replicas: wanted.get(name) ?? 0 }),
      (id, deployment) => `${id}: ${deployment?.replicas} wanted`,
    );
    await waitFor(session, changed, options);
  });
};

function parsePairs(pair: string, before: ReadonlyMap<string, number> | undefined): ReadonlyMap<string, number> {
  const match = /^([^=]+)=(\d+)$/.exec(pair);
  const replicas = Number(match?.[2]);
  if (match === null || replicas > 10_000) throw new InvalidArgumentError("Write NAME=N, like web=3.");
  return new Map([...(before ?? []), [match[1] ?? "", replicas]]);
}
