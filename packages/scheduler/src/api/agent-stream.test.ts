import { encodeAskReply } from "@skep/api/codec/ask-reply.ts";
import { decodeAsk, type Ask } from "@skep/api/codec/ask.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { createMemoryNetwork } from "@skep/kit/memory-bus.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { AgentStream, type AgentStreamOptions, type StreamFailure } from "./agent-stream.ts";

/** A stream and the agent that it asks, on one memory bus. */
function open(over: Partial<AgentStreamOptions<"logs">> = {}) {
  const clock = createVirtualClock(0);
  const network = createMemoryNetwork(clock);
  const asked: Ask[] = [];
  const chunks: string[] = [];
  const ends: (StreamFailure | undefined)[] = [];
  const agent = network.connect("agent");
  let inbox = "";
  agent.subscribe(nodeSubject("ask", "n1"), ({ data, replyTo }) => {
    asked.push(decodeAsk(data));
    inbox = replyTo ?? inbox;
  });
  const stream = new AgentStream(
    { bus: network.connect("scheduler"), clock },
    {
      kind: "logs",
      nodeId: "n1",
      isKept: true,
      control: stop => ({ kind: "logs-control", streamId: "s", stop }),
      isLast: chunk => chunk.end,
      onChunk: (chunk, isLost) => chunks.push(`${chunk.seq}${isLost ? " after a gap" : ""}`),
      onEnd: failure => ends.push(failure),
      ...over,
    },
  );
  const wanted = { instanceId: "i", container: undefined, tail: undefined, follow: true, since: undefined };
  stream.open({ kind: "logs", streamId: "s", ...wanted });
  const send = async (seq: number, end = false): Promise<void> => {
    agent.publish(inbox, encodeAskReply({ kind: "logs", streamId: "s", seq, lines: [], end, dropped: 0 }));
    await clock.advance(10);
  };
  const controls = (): boolean[] => asked.flatMap(ask => (ask.kind === "logs-control" ? [ask.stop] : []));
  const sendNothing = (): void => agent.publish(inbox, new Uint8Array());
  return { clock, stream, chunks, ends, send, sendNothing, controls };
}

describe("a stream from an agent", () => {
  it("hands on each chunk once, says where some are missing, and ends after the last", async () => {
    const { clock, chunks, ends, send, controls } = open();
    await clock.advance(10);
    for (const seq of [0, 1, 1, 3, 2]) await send(seq);
    await send(4, true);
    await send(5);
    expect(chunks).toEqual(["0", "1", "3 after a gap", "4"]);
    expect(ends).toEqual([undefined]);
    // Nobody is kept alive, or told to stop, that has ended.
    await clock.advance(60_000);
    expect(controls()).toEqual([]);
  });

  it("gives up an agent whose first chunk does not come, and tells it to stop", async () => {
    const { clock, ends, controls } = open();
    await clock.advance(5_010);
    expect([ends, controls()]).toEqual([[{ kind: "unanswered" }], [true]]);
  });

  it("gives up an agent that falls silent, unless the chunks wait for the reader here", async () => {
    let behind = true;
    const { clock, ends, send, controls } = open({ idleMs: 15_000, isBehind: () => behind });
    await clock.advance(10);
    await send(0);
    await clock.advance(31_000);
    expect([ends, controls()]).toEqual([[], [false, false, false]]);
    behind = false;
    await clock.advance(15_000);
    expect([ends, controls().at(-1)]).toEqual([[{ kind: "silent" }], true]);
  });

  it("knows at once that nobody listens", async () => {
    const { clock, ends, sendNothing } = open();
    await clock.advance(10);
    sendNothing();
    await clock.advance(10);
    expect(ends).toEqual([{ kind: "not-connected" }]);
  });

  it("tells the agent to stop once, however often it is closed", async () => {
    const { clock, stream, ends, controls } = open();
    stream.close();
    stream.close();
    await clock.advance(20_000);
    expect([ends, controls()]).toEqual([[undefined], [true]]);
  });
});
