import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { LogLineSchema, LogStream } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import type { LogLine } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { InvalidArgumentError } from "commander";
import { colour } from "../output/colour.ts";
import { messageJson } from "../output/print.ts";
import { moment } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId, instanceId, shortName } from "../session/names.ts";
import type { Session } from "../session/open.ts";
import { untilInterrupted } from "../session/stream.ts";
import { parseAge } from "../session/age.ts";
import type { Setup } from "./index.ts";

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
      deploymentId: instance === undefined ? deploymentId(session, name) : instance.split(".").slice(0, 2).join("."),
      instanceId: instance ?? "",
      container: options.container ?? "",
      follow: options.follow === true,
      tail: options.tail,
      ...(options.since === undefined ? {} : { since: timestampFromMs(io.now() - options.since) }),
    };
    await untilInterrupted(io, session.api.deployments.streamLogs(request, { signal: io.signal }), chunk => {
      for (const line of chunk.lines) io.out(renderLine(session, options, line));
      if (chunk.notice !== "") io.err(`skep: ${chunk.notice}\n`);
    });
  });
};

function renderLine(session: Session, options: Options, line: LogLine): string {
  if (session.json) return `${JSON.stringify(messageJson(LogLineSchema, line))}\n`;
  const who = `${shortName(session, line.instanceId)} ${line.container}`;
  const at = options.timestamps === true && line.at !== undefined ? `${moment(timestampMs(line.at))} ` : "";
  const mood = line.stream === LogStream.STDERR ? "busy" : "good";
  return `${colour(session.io, mood, `${who} |`)} ${at}${line.text}\n`;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 10_000)
    throw new InvalidArgumentError("Write a whole number from 0 to 10000.");
  return value;
}
