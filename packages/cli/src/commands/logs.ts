import { deploymentOf } from "@skep/core/model/instance-id.ts";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { LogLineSchema, LogStream } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import type { LogLine, StreamLogsResponse } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { InvalidArgumentError } from "commander";
import { Ended, EXIT_CODES } from "../exit-code.ts";
import { colour } from "../output/colour.ts";
import { messageJson } from "../output/print.ts";
import { forTerminal } from "../output/terminal.ts";
import { moment } from "../output/words.ts";
import { shortName } from "../output/view.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId, instanceId } from "../session/names.ts";
import type { Session } from "../session/open.ts";
import { Shown } from "../session/shown.ts";
import { follow, untilInterrupted } from "../session/stream.ts";
import { parseAge } from "../session/age.ts";
import type { Setup } from "./command.ts";

/** The platform sends no more earlier lines of a container than this. */
const MOST_LINES = 10_000;

interface Options {
  readonly follow?: boolean;
  readonly tail: number;
  readonly since?: number;
  readonly container?: string;
  readonly timestamps?: boolean;
}

/** `skep logs`. */
export const logs: Setup = (command, io) => {
  command
    .argument("<name>", "a deployment, or one of its instances (web.7)")
    .option("-f, --follow", "go on with what is printed from now on")
    .option("-n, --tail <LINES>", "last lines of each container to begin with", parseCount, 100)
    .option("--since <AGE>", "only as old as this, like 90s, 10m or 2h", parseAge)
    .option("-c, --container <NAME>", "only this container of a pod")
    .option("--timestamps", "show when each line was printed");
  examples(command, [
    ["skep logs web -f", "every instance of web, as they print"],
    ["skep logs web.7 -n 20", "the last lines of one instance"],
  ]);
  act(command, io, async (session, options: Options, name: string) => {
    const instance = instanceId(session, name);
    const request = {
      deploymentId: instance === undefined ? deploymentId(session, name) : deploymentOf(instance),
      instanceId: instance ?? "",
      container: options.container ?? "",
      follow: options.follow === true,
      tail: options.tail,
      ...(options.since === undefined ? {} : { since: timestampFromMs(io.now() - options.since) }),
    };
    const beganAt = io.now();
    const shown = new Shown();
    let unread = false;
    let lines = 0;
    const show = (chunk: StreamLogsResponse): void => {
      lines += chunk.lines.length;
      unread ||= chunk.notice !== "";
      for (const line of chunk.lines) if (isNew(shown, line)) printLine(session, options, line);
      if (chunk.notice !== "") io.err(`skep: ${chunk.notice}\n`);
    };
    const open = (again: boolean, signal: AbortSignal): AsyncIterable<StreamLogsResponse> => {
      const since = again ? shown.again(beganAt) : undefined;
      const rest = since === undefined ? {} : { since: timestampFromMs(since), tail: MOST_LINES };
      return session.api.deployments.streamLogs({ ...request, ...rest }, { signal });
    };
    await (request.follow ? follow(io, open, show) : untilInterrupted(io, open(false, io.signal), show));
    // Lines of some are an answer, though others were not read. A script must not take none for it.
    if (!request.follow && lines === 0 && unread) throw new Ended(EXIT_CODES.unavailable);
  });
};

function isNew(shown: Shown, line: LogLine): boolean {
  // Without a time it cannot be recognised: better twice than never.
  if (line.at === undefined) return true;
  const at = timestampMs(line.at);
  return shown.isNew(at, [line.instanceId, line.container, line.stream, at, line.text].join(" "));
}

/**
 * What a container prints goes to the terminal as it is: colours and progress bars are its own
 * business.
 */
function printLine(session: Session, options: Options, line: LogLine): void {
  const { io } = session;
  if (session.json) return io.out(`${JSON.stringify(messageJson(LogLineSchema, line))}\n`);
  const who = `${shortName(session, line.instanceId)} ${line.container}`;
  const at = options.timestamps === true && line.at !== undefined ? `${moment(timestampMs(line.at))} ` : "";
  const mood = line.stream === LogStream.STDERR ? "busy" : "good";
  const head = forTerminal(`${colour(io, mood, `${who} |`)} ${at}`);
  io.out(new TextEncoder().encode(`${head}${line.text}\n`));
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > MOST_LINES)
    throw new InvalidArgumentError("Write a whole number from 0 to 10000.");
  return value;
}
