import { expect, test } from "vitest";
import { demultiplex } from "./docker-logs.ts";
import type { LogLine } from "./engine.ts";

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test("frames that are cut anywhere give the same lines", async () => {
  const whole = Buffer.concat([
    frame(1, "2026-01-01T00:00:00.500000000Z hällo welt\n"),
    frame(2, "2026-01-01T00:00:01.000000000Z \n"),
    frame(1, "no time\n"),
  ]);
  for (let cut = 0; cut <= whole.length; cut++) {
    const lines: LogLine[] = [];
    for await (const line of demultiplex([whole.subarray(0, cut), whole.subarray(cut)])) lines.push(line);
    expect(lines).toEqual([
      { stream: "stdout", at: Date.UTC(2026, 0, 1, 0, 0, 0, 500), text: "hällo welt" },
      { stream: "stderr", at: Date.UTC(2026, 0, 1, 0, 0, 1), text: "" },
      { stream: "stdout", at: 0, text: "no time" },
    ]);
  }
});
