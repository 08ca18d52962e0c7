import type { LogLine } from "./engine.ts";

const HEADER_BYTES = 8;

/**
 * Splits the engine's multiplexed output into lines: each frame is one message, an 8-byte header (stream, length) and a
 * text that begins with its time. Long messages come in several frames and become several lines.
 */
export async function* demultiplex(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<LogLine> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + rest.readUInt32BE(at + 4);
      if (end > rest.length) break;
      yield toLine(rest[at] === 2 ? "stderr" : "stdout", rest.toString("utf8", at + HEADER_BYTES, end));
      at = end;
    }
    rest = rest.subarray(at);
  }
}

function toLine(stream: LogLine["stream"], message: string): LogLine {
  const space = message.indexOf(" ");
  const at = Date.parse(message.slice(0, space));
  const text = (Number.isNaN(at) ? message : message.slice(space + 1)).replace(/\r?\n$/, "");
  return { stream, at: Number.isNaN(at) ? 0 : at, text };
}
