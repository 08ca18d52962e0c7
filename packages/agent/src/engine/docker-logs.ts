import type { LogLine } from "./engine.ts";

const HEADER_BYTES = 8;

/** One piece of a program's output as the engine hands it on. */
export interface Frame {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

/**
 * Splits the engine's multiplexed output into its frames: an 8-byte header (stream, length), then
 * the bytes.
 */
export async function* readFrames(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + rest.readUInt32BE(at + 4);
      if (end > rest.length) break;
      yield { stream: rest[at] === 2 ? "stderr" : "stdout", data: rest.subarray(at + HEADER_BYTES, end) };
      at = end;
    }
    rest = rest.subarray(at);
  }
}

/**
 * Splits the engine's multiplexed output into lines: each frame is one message that begins with its
 * time. Long messages come in several frames and become several lines.
 */
export async function* demultiplex(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<LogLine> {
  for await (const { stream, data } of readFrames(chunks)) yield toLine(stream, data.toString("utf8"));
}

function toLine(stream: LogLine["stream"], message: string): LogLine {
  const space = message.indexOf(" ");
  const at = Date.parse(message.slice(0, space));
  const text = (Number.isNaN(at) ? message : message.slice(space + 1)).replace(/\r?\n$/, "");
  return { stream, at: Number.isNaN(at) ? 0 : at, text };
}
