import type { SwarmNode } from "@skep/core/model/report.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";
import type { InstanceId } from "@skep/core/model/instance.ts";
import { AskReplySchema } from "../gen/skep/v1/agent_pb.ts";
import type { LogChunk as LogChunkMessage } from "../gen/skep/v1/agent_pb.ts";
import { decodeMessage, encodeMessage } from "./envelope.ts";
import { detailToProto, fromCodeAndDetail } from "./error-detail.ts";
import type { HeldPart } from "./held-parts.ts";
import { heldFromProto, heldToProto, type HeldState } from "./held.ts";
import { fromUint64, toUint64 } from "./number.ts";
import { swarmNodeFromProto, swarmNodeToProto } from "./swarm.ts";

/** One line that a container printed. */
export interface LogLine {
  readonly instanceId: InstanceId;
  readonly container: string;
  readonly stream: "stdout" | "stderr";
  readonly at: number;
  readonly text: string;
}

/** Some lines of a log stream. */
export interface LogChunk {
  readonly streamId: string;
  /** From 0, growing by one: a gap means that chunks were lost. */
  readonly seq: number;
  readonly lines: readonly LogLine[];
  /** The last chunk of the stream. */
  readonly end: boolean;
  /** Lines that were left out because the reader was slow. */
  readonly dropped: number;
}

/** Something that a command printed; bytes are as the program wrote them. */
export interface ExecOutput {
  readonly stream: "stdout" | "stderr";
  readonly data: Uint8Array;
}

/** Some output of a command, or its end; one without either says that it still runs. */
export interface ExecChunk {
  readonly streamId: string;
  /** From 0, growing by one: a gap means that output was lost. */
  readonly seq: number;
  readonly output: readonly ExecOutput[];
  /** Set on the last chunk. */
  readonly exitCode: number | undefined;
}

/** What an agent answers to an `Ask`; a stream of `logs` for logs, and of `exec` for a command. */
export type AskReply =
  | { readonly kind: "done" }
  | { readonly kind: "probe"; readonly answered: boolean; readonly detail: string }
  | ({ readonly kind: "logs" } & LogChunk)
  | { readonly kind: "node"; readonly node: SwarmNode }
  | ({ readonly kind: "exec" } & ExecChunk)
  | { readonly kind: "held"; readonly held: HeldState }
  /** Where it is too large for one message; the others are asked for one by one. */
  | { readonly kind: "held-part"; readonly part: HeldPart }
  | { readonly kind: "error"; readonly error: SkepError };

/** Writes an answer. */
export function encodeAskReply(reply: AskReply): Uint8Array {
  return encodeMessage(AskReplySchema, { answer: answerToProto(reply) });
}

function answerToProto(reply: AskReply): NonNullable<MessageInitShape<typeof AskReplySchema>["answer"]> {
  switch (reply.kind) {
    case "done":
      return { case: "done", value: {} };
    case "probe":
      return { case: "probe", value: { answered: reply.answered, detail: reply.detail } };
    case "logs": {
      const { streamId, seq, lines, end, dropped } = reply;
      return {
        case: "logs",
        value: {
          streamId,
          seq: toUint64(seq),
          end,
          dropped,
          lines: lines.map(({ stream, at, ...line }) => ({
            ...line,
            stderr: stream === "stderr",
            atMs: BigInt(Math.trunc(at)),
          })),
        },
      };
    }
    case "node":
      return { case: "node", value: swarmNodeToProto(reply.node) };
    case "exec": {
      const { streamId, seq, output, exitCode } = reply;
      const parts = output.map(({ stream, data }) => ({ stderr: stream === "stderr", data }));
      return { case: "exec", value: { streamId, seq: toUint64(seq), output: parts, exitCode } };
    }
    case "held":
      return { case: "held", value: heldToProto(reply.held) };
    case "held-part":
      return { case: "heldPart", value: { ...reply.part } };
    case "error": {
      const { code, message } = reply.error;
      return { case: "error", value: { code, message, detail: detailToProto(reply.error) } };
    }
  }
}

/**
 * @throws SkepError as `decodeMessage`; `unimplemented` for an answer that this version does not
 * know.
 */
export function decodeAskReply(bytes: Uint8Array): AskReply {
  const { answer } = decodeMessage(AskReplySchema, bytes);
  switch (answer.case) {
    case "done":
      return { kind: "done" };
    case "probe":
      return { kind: "probe", answered: answer.value.answered, detail: answer.value.detail };
    case "logs":
      return { kind: "logs", ...chunkFromProto(answer.value) };
    case "node":
      return { kind: "node", node: swarmNodeFromProto(answer.value) };
    case "exec": {
      const { streamId, seq, output, exitCode } = answer.value;
      const parts = output.map(({ stderr, data }): ExecOutput => ({ stream: stderr ? "stderr" : "stdout", data }));
      return { kind: "exec", streamId, seq: fromUint64(seq, "exec.seq"), output: parts, exitCode };
    }
    case "held":
      return { kind: "held", held: heldFromProto(answer.value) };
    case "heldPart": {
      const { snapshot, totalBytes, offset, data } = answer.value;
      return { kind: "held-part", part: { snapshot, totalBytes, offset, data } };
    }
    case "error": {
      const { code, message, detail } = answer.value;
      return { kind: "error", error: fromCodeAndDetail(code, message, detail) };
    }
    case undefined:
      throw new SkepError(
        "unimplemented",
        "UNKNOWN_REPLY",
        "The agent answered in a newer version; update the scheduler.",
      );
  }
}

function chunkFromProto(message: LogChunkMessage): LogChunk {
  return {
    streamId: message.streamId,
    seq: fromUint64(message.seq, "logs.seq"),
    end: message.end,
    dropped: message.dropped,
    lines: message.lines.map(line => ({
      instanceId: line.instanceId,
      container: line.container,
      stream: line.stderr ? "stderr" : "stdout",
      at: fromUint64(line.atMs, "logs.at_ms"),
      text: line.text,
    })),
  };
}
