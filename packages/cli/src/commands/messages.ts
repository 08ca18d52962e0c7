import { toJson } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs, ValueSchema, type Timestamp } from "@bufbuild/protobuf/wkt";
import { DeadLetterSchema, MessageSchema } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import type { DeadLetter, FollowMessagesResponse, Message } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import type { Command } from "commander";
import { listJson, messageJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { forTerminal } from "../output/terminal.ts";
import { bytes, duration, moment } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { parseAge } from "../session/age.ts";
import { storedMessages } from "../session/stored-messages.ts";
import type { Session } from "../session/open.ts";
import { Shown } from "../session/shown.ts";
import { follow } from "../session/stream.ts";
import { wholeNumber } from "../session/whole-number.ts";
import type { Setup } from "./command.ts";

interface Options {
  readonly follow?: boolean;
  readonly device?: string;
  readonly category?: string;
  readonly type?: string;
  readonly since?: number;
  readonly number: number;
  readonly dead?: boolean;
  readonly letter?: string;
  readonly replay?: string;
  readonly forget?: string;
}

/** `skep messages`. */
export const messages: Setup = (command, io) => {
  examples(command, [
    ["skep messages fleet", "the latest messages"],
    ["skep messages fleet -f --device car-1", "those of a device, as they are stored"],
    ["skep messages fleet --since 1h --category telemetry -o json", "those of an hour, for a program"],
    ["skep messages fleet --dead", "what could not be stored as what it claims to be, and why"],
    ["skep messages fleet --letter ID", "one of those with its bytes"],
    ["skep messages fleet --replay ID", "have it stored by the rules of now"],
    ["skep messages fleet --forget ID", "forget it"],
  ]);
  act(withOptions(command), io, async (session, options: Options, workspaceId: string) => {
    if (options.replay !== undefined) return await replay(session, workspaceId, options.replay);
    if (options.forget !== undefined) return await forget(session, workspaceId, options.forget);
    if (options.letter !== undefined) return await showLetter(session, workspaceId, options.letter);
    if (options.dead === true) return await showLetters(session, workspaceId, options.number);
    if (options.follow === true) return await followAll(session, workspaceId, options);
    const found = await storedMessages(session, workspaceId, { ...options, most: options.number });
    print(
      session,
      () => listJson(MessageSchema, found),
      () => found.map(lineOf).join(""),
    );
  });
};

function withOptions(command: Command): Command {
  return command
    .argument("<workspace>", "whose they are")
    .option("-f, --follow", "go on with what is stored from now on")
    .option("--device <ID>", "only of this device")
    .option("--category <NAME>", "only of this category, like telemetry")
    .option("--type <NAME>", "only of this type")
    .option("--since <AGE>", "only as old as this, like 90s, 10m or 2h", parseAge)
    .option("-n, --number <N>", "how many at most, where they are not followed", wholeNumber(10_000), 20)
    .option("--dead", "what could not be stored, in place of messages")
    .option("--letter <ID>", "one of those with its bytes")
    .option("--replay <ID>", "have one of those stored by the rules of now")
    .option("--forget <ID>", "forget one of those");
}

async function followAll(session: Session, workspaceId: string, options: Options): Promise<void> {
  const { io } = session;
  const { device: deviceId = "", category = "", type = "" } = options;
  const beganAt = io.now();
  const shown = new Shown();
  // A device may say that its message is of next year: what is old is told by when it was received.
  let since = -Infinity;
  const show = ({ messages: found, notice }: FollowMessagesResponse): void => {
    for (const one of found) {
      const at = msOf(one.receivedAt);
      if (at >= since && shown.isNew(at, one.id)) io.out(session.json ? jsonLine(one) : lineOf(one));
    }
    if (notice !== "") io.err(`skep: ${notice}\n`);
  };
  const open = (again: boolean, signal: AbortSignal): AsyncIterable<FollowMessagesResponse> => {
    since = again ? (shown.again(beganAt) ?? beganAt) : -Infinity;
    const first = options.since === undefined ? undefined : io.now() - options.since;
    const from = again ? since : first;
    const request = { workspaceId, deviceId, category, type };
    return session.api.messages.followMessages(
      { ...request, ...(from === undefined ? {} : { since: timestampFromMs(from) }) },
      { signal },
    );
  };
  await follow(io, open, show);
}

async function replay(session: Session, workspaceId: string, letterId: string): Promise<void> {
  await session.api.messages.replayDeadLetter({ workspaceId, letterId });
  print(
    session,
    () => ({}),
    () => `${letterId}: is stored now, and no dead letter any more\n`,
  );
}

async function forget(session: Session, workspaceId: string, letterId: string): Promise<void> {
  await session.api.messages.deleteDeadLetter({ workspaceId, letterId });
  print(
    session,
    () => ({}),
    () => `${letterId}: is forgotten\n`,
  );
}

async function showLetter(session: Session, workspaceId: string, letterId: string): Promise<void> {
  const { letter } = await session.api.messages.getDeadLetter({ workspaceId, letterId });
  if (letter === undefined) return;
  print(
    session,
    () => messageJson(DeadLetterSchema, letter),
    () => renderLetter(letter),
  );
}

async function showLetters(session: Session, workspaceId: string, most: number): Promise<void> {
  const pageSize = Math.min(most, 1_000);
  const { letters, nextPageToken } = await session.api.messages.listDeadLetters({ workspaceId, pageSize });
  const now = session.io.now();
  print(
    session,
    () => listJson(DeadLetterSchema, letters),
    () =>
      renderTable(
        ["ID", "AGE", "TOPIC", "BECAUSE"].map(heading => ({ heading })),
        letters.map(one => [one.id, duration(now - msOf(one.receivedAt)), one.topic, one.because]),
      ) + (nextPageToken === "" ? "" : "There are more: ask for them by -n.\n"),
  );
}

function renderLetter({ topic, because, payload, cutFrom, receivedAt }: DeadLetter): string {
  const cut = cutFrom === 0n ? "" : `, the first ${payload.length} of ${cutFrom} bytes`;
  const head = [`${moment(msOf(receivedAt))} ${topic}${cut}`, because].map(forTerminal).join("\n");
  return `${head}\n${bytesInWords(payload)}\n`;
}

/** A text as it is, for people; all else as base64. */
function bytesInWords(payload: Uint8Array): string {
  try {
    return forTerminal(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return `base64 ${Buffer.from(payload).toString("base64")}`;
  }
}

function jsonLine(message: Message): string {
  return `${JSON.stringify(messageJson(MessageSchema, message))}\n`;
}

function lineOf({ at, deviceId, category, type, content }: Message): string {
  const what = type === "" ? category : `${category}/${type}`;
  return `${moment(msOf(at))} ${forTerminal(`${deviceId} ${what}`)} ${contentOf(content)}\n`;
}

function contentOf(content: Message["content"]): string {
  if (content.case === "payload")
    return `(${bytes(content.value.length)}) ${bytesInWords(content.value.slice(0, 200))}`;
  return content.case === "value" ? forTerminal(JSON.stringify(toJson(ValueSchema, content.value))) : "";
}

function msOf(at: Timestamp | undefined): number {
  return at === undefined ? 0 : timestampMs(at);
}
