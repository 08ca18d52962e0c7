import { ExecInstanceResponseSchema } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { Health, InstanceDesired, InstanceState } from "@skep/api/gen/skep/v1/instance_pb.ts";
import type { Instance } from "@skep/api/gen/skep/v1/instance_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { InvalidArgumentError } from "commander";
import { Ended } from "../exit-code.ts";
import type { Io } from "../io.ts";
import { messageJson } from "../output/print.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId, instanceId } from "../session/names.ts";
import { allPages } from "../session/pages.ts";
import type { Session } from "../session/open.ts";
import type { Setup } from "./command.ts";

interface Options {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly timeout?: number;
}

const MOST_INPUT_BYTES = 1024 * 1024;

/** `skep exec`. */
export const exec: Setup = (command, io) => {
  command
    .usage("[options] <name> -- <command> [arguments...]")
    .argument("<name>", "an instance (web.7), or a deployment for any one that runs")
    .argument("<command...>", "the program and its arguments, after `--`; no shell reads them")
    .option("-c, --container <NAME>", "the container, where a pod has several")
    .option("-i, --stdin", "give it what is piped into skep, up to 1 MiB")
    .option("--timeout <SECONDS>", "how long to wait for its end: 600, at most 3600", parseSeconds);
  examples(command, [
    ["skep exec web -- ls -l /srv", "in any running instance of web"],
    ["skep exec web.7 -c db -- psql -c 'select 1'", "in one container of one instance"],
    ["skep exec db -i -- psql < dump.sql", "with an input"],
    ["skep exec web -- sh -c 'du -s /srv/*'", "by the container's own shell"],
  ]);
  command.addHelpText(
    "after",
    `
Ends with the command's exit code, or 127 where the container has no such program. There is no terminal (TTY): what asks
questions or draws a screen does not work. A command that is given up, by Ctrl-C or by its time, is no longer read; it
may run on until it ends by itself, or its container does.`,
  );
  act(command, io, async (session, options: Options, name: string, argv: string[]) => {
    const stdin = options.stdin === true ? readStdin(io) : new Uint8Array();
    const request = {
      instanceId: instanceId(session, name) ?? (await anyRunning(session, deploymentId(session, name))),
      container: options.container ?? "",
      timeoutMs: (options.timeout ?? 0) * 1000,
      ...{ argv, stdin },
    };
    for await (const response of session.api.instances.execInstance(request, { signal: io.signal })) {
      const { event } = response;
      if (session.json) io.out(`${JSON.stringify(messageJson(ExecInstanceResponseSchema, response))}\n`);
      else if (event.case === "stdout") io.out(event.value);
      else if (event.case === "stderr") io.err(event.value);
      if (event.case === "exitCode") throw new Ended(event.value);
    }
    throw new SkepError("unavailable", "EXEC_CUT_OFF", "The platform ended the stream before the command had ended.");
  });
};

/** An instance that runs and stays; a healthy one where there is one. */
async function anyRunning({ api }: Session, id: string): Promise<string> {
  // A name that does not exist is an error of its own.
  await api.deployments.getDeployment({ deploymentId: id });
  const instances = await allPages(
    pageToken => api.instances.listInstances({ deploymentId: id, pageSize: 500, pageToken }),
    page => page.instances,
  );
  const running = instances.filter(one => one.state === InstanceState.RUNNING && one.desired === InstanceDesired.RUN);
  const isWell = ({ health }: Instance): boolean => health === Health.HEALTHY || health === Health.NONE;
  const chosen = running.find(isWell) ?? running[0];
  if (chosen !== undefined) return chosen.id;
  throw new SkepError(
    "failed_precondition",
    "NOTHING_RUNS",
    `No instance of ${id} runs: \`skep ps ${id}\` says what each waits for.`,
  );
}

function readStdin(io: Io): Uint8Array {
  const input = io.readBytes(MOST_INPUT_BYTES + 1);
  if (input.length <= MOST_INPUT_BYTES) return input;
  throw new SkepError(
    "invalid_argument",
    "INPUT_TOO_LARGE",
    "The input is larger than 1 MiB. Let the command fetch it, or bring it by a volume or an image.",
  );
}

function parseSeconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 3600)
    throw new InvalidArgumentError("Write whole seconds from 1 to 3600.");
  return value;
}
