import { timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  WorkspaceLogLineSchema,
  type FollowWorkspaceLogResponse,
  type WorkspaceLogLine,
} from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { IssueTokenResponseSchema } from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import type { Command } from "commander";
import type { Io } from "../io.ts";
import { messageJson, print } from "../output/print.ts";
import { forTerminal } from "../output/terminal.ts";
import { moment } from "../output/words.ts";
import { act } from "../session/act.ts";
import { ageOption } from "../session/age.ts";
import type { Session } from "../session/open.ts";
import { Shown } from "../session/shown.ts";
import { follow, untilInterrupted } from "../session/stream.ts";
import { wholeNumber } from "../session/whole-number.ts";

interface TokenOptions {
  readonly topic: readonly string[];
  readonly for: number;
  readonly subject: string;
}

interface LogOptions {
  readonly follow?: boolean;
  readonly tail: number;
}

/** `skep workspace token` and `skep workspace logs`. */
export function setupAccess(command: Command, io: Io): void {
  const token = command
    .command("token")
    .summary("Make a token with which a program opens sockets.")
    .argument("<id>", "the workspace")
    .option("--topic <FILTER>", "what it may hear, like devices/+/telemetry/#; repeat for more", collect, [])
    .addOption(ageOption("--for <AGE>", "how long it is good, 30 days at most", "1h"))
    .option("--subject <NAME>", "whom it is for", "cli");
  act(token, io, async (session, options: TokenOptions, workspaceId: string) => {
    const lifetimeS = Math.ceil(options.for / 1_000);
    const request = { workspaceId, subject: options.subject, topics: [...options.topic], lifetimeS };
    const issued = await session.api.workspaces.issueToken(request);
    const until = issued.expiresAt === undefined ? "" : timestampDate(issued.expiresAt).toISOString();
    print(
      session,
      () => messageJson(IssueTokenResponseSchema, issued),
      () => `${issued.token}\n`,
    );
    if (!session.json) io.err(`Namespace ${issued.namespace}, path ${issued.path}, good until ${until}.\n`);
  });
  const logs = command
    .command("logs")
    .summary("Show what its host has logged about a workspace.")
    .argument("<id>", "the workspace")
    .option("-f, --follow", "go on with what is logged from now on")
    .option("-n, --tail <LINES>", "lines to begin with, the latest", wholeNumber(500), 100);
  act(logs, io, async (session, options: LogOptions, workspaceId: string) => {
    const shown = new Shown();
    const show = ({ lines, notice }: FollowWorkspaceLogResponse): void => {
      for (const line of lines) if (isNew(shown, line)) printLine(session, line);
      if (notice !== "") io.err(`skep: ${notice}\n`);
    };
    const open = (again: boolean, signal: AbortSignal): AsyncIterable<FollowWorkspaceLogResponse> => {
      if (again) shown.again(0);
      const request = { workspaceId, follow: options.follow === true, tail: again ? MOST_LINES : options.tail };
      return session.api.messages.followWorkspaceLog(request, { signal });
    };
    await (options.follow === true ? follow(io, open, show) : untilInterrupted(io, open(false, io.signal), show));
  });
}

/** A host keeps no more of them. */
const MOST_LINES = 500;

function collect(one: string, before: readonly string[]): readonly string[] {
  return [...before, one];
}

function isNew(shown: Shown, line: WorkspaceLogLine): boolean {
  const at = line.at === undefined ? 0 : timestampMs(line.at);
  return shown.isNew(at, `${at} ${line.event} ${line.sentence}`);
}

function printLine({ io, json }: Session, line: WorkspaceLogLine): void {
  if (json) return io.out(`${JSON.stringify(messageJson(WorkspaceLogLineSchema, line))}\n`);
  const at = line.at === undefined ? "" : `${moment(timestampMs(line.at))} `;
  const fields = Object.keys(line.fields ?? {}).length === 0 ? "" : ` ${JSON.stringify(line.fields)}`;
  io.out(`${at}${forTerminal(`${line.level} ${line.sentence}${fields}`)}\n`);
}
