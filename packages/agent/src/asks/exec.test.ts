import { decodeAskReply, type ExecChunk } from "@skep/api/codec/ask-reply.ts";
import { encodeAsk, EXEC_IDLE_MS, EXEC_WINDOW, type Ask, type ExecWanted } from "@skep/api/codec/ask.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { SkepError } from "@skep/core/error.ts";
import { describe, expect, test } from "vitest";
import type { ExecRequest } from "../engine/engine.ts";
import type { MemoryCommand } from "../engine/memory-exec.ts";
import { aContainer, anInstance, aSpec } from "../testing/builders.ts";
import type { Rig } from "../testing/rig.ts";
import { box, runningRig } from "../testing/running.ts";

interface ExecRig {
  readonly rig: Rig;
  readonly chunks: ExecChunk[];
  readonly errors: SkepError[];
  /** What the engine was asked to run. */
  readonly requests: ExecRequest[];
  tell(ask: Ask): void;
  exec(over?: Partial<ExecWanted>): void;
  take(): void;
  text(stream: "stdout" | "stderr"): string;
}

const instance = box();

/** A rig whose containers know one command. */
async function execRig(command: Partial<MemoryCommand> | undefined, instances = [instance]): Promise<ExecRig> {
  const requests: ExecRequest[] = [];
  const commands = (request: ExecRequest): MemoryCommand | undefined => {
    requests.push(request);
    return command && { output: [], runsMs: 0, exitCode: 0, ...command };
  };
  const rig = await runningRig(instances, { commands });
  const { bus } = rig.scheduler;
  const inbox = bus.inbox();
  const chunks: ExecChunk[] = [];
  const errors: SkepError[] = [];
  bus.subscribe(inbox, message => {
    const reply = decodeAskReply(message.data);
    if (reply.kind === "exec") chunks.push(reply);
    if (reply.kind === "error") errors.push(reply.error);
  });
  const tell = (ask: Ask): void =>
    bus.publish(nodeSubject("ask", "node-1"), encodeAsk(ask), ask.kind === "exec" ? { replyTo: inbox } : {});
  const { instanceId } = instance;
  const wanted = { streamId: "s", instanceId, container: "app", argv: ["ls", "-l"], stdinBytes: 0, timeoutMs: 600_000 };
  return {
    ...{ rig, chunks, errors, requests, tell },
    exec: over => tell({ kind: "exec", ...wanted, ...over }),
    take: () => tell({ kind: "exec-control", streamId: "s", stop: false, taken: chunks.length }),
    text: stream => {
      const parts = chunks.flatMap(chunk => chunk.output.filter(one => one.stream === stream));
      return Buffer.concat(parts.map(part => part.data)).toString();
    },
  };
}

describe("a command", () => {
  test("begins with a sign of life, and ends with its output and its exit code", async () => {
    const { rig, chunks, exec, text, requests } = await execRig({
      output: [
        ["stdout", "one\n"],
        ["stderr", "two\n"],
      ],
      runsMs: 200,
      exitCode: 7,
    });
    exec();
    await rig.clock.advance(5);
    expect(chunks).toMatchObject([{ seq: 0, output: [], exitCode: undefined }]);
    await rig.clock.advance(100);
    expect([text("stdout"), text("stderr")]).toEqual(["one\n", "two\n"]);
    await rig.clock.advance(200);
    expect(chunks.map(chunk => chunk.exitCode)).toEqual([undefined, undefined, 7]);
    expect(chunks.map(chunk => chunk.seq)).toEqual([0, 1, 2]);
    expect(requests).toEqual([{ argv: ["ls", "-l"], stdin: new Uint8Array() }]);
  });

  test("is read no further than its reader takes it, and loses nothing by that", async () => {
    const piece = "x".repeat(64 * 1024);
    const { rig, chunks, exec, take, text } = await execRig({
      output: Array.from({ length: 40 }, () => ["stdout", piece] as const),
    });
    exec();
    await rig.clock.advance(5_000);
    expect(chunks).toHaveLength(EXEC_WINDOW);
    for (let round = 0; round < 5; round++) {
      take();
      await rig.clock.advance(1_000);
    }
    expect(chunks.at(-1)?.exitCode).toBe(0);
    expect(text("stdout").length).toBe(40 * piece.length);
  });

  test("says that it still runs while it prints nothing, until its reader is silent", async () => {
    const { rig, chunks, exec, take } = await execRig({ runsMs: undefined });
    exec();
    await rig.clock.advance(EXEC_IDLE_MS - 1_000);
    take();
    await rig.clock.advance(EXEC_IDLE_MS - 1_000);
    expect(chunks.length).toBeGreaterThanOrEqual(5);
    await rig.clock.advance(2_000);
    const before = chunks.length;
    await rig.clock.advance(60_000);
    expect(chunks).toHaveLength(before);
  });

  test("starts once all of its input is there, and not when a part of it was lost", async () => {
    const { rig, chunks, errors, requests, exec, tell } = await execRig({});
    const data = new Uint8Array([1, 2, 3]);
    exec({ stdinBytes: 6 });
    tell({ kind: "exec-input", streamId: "s", offset: 0, data });
    await rig.clock.advance(1_000);
    expect(requests).toEqual([]);
    tell({ kind: "exec-input", streamId: "s", offset: 3, data });
    await rig.clock.advance(1_000);
    expect(requests).toEqual([{ argv: ["ls", "-l"], stdin: new Uint8Array([1, 2, 3, 1, 2, 3]) }]);
    expect(chunks.at(-1)?.exitCode).toBe(0);
    exec({ streamId: "t", stdinBytes: 6 });
    tell({ kind: "exec-input", streamId: "t", offset: 3, data });
    await rig.clock.advance(1_000);
    expect(errors).toMatchObject([{ code: "unavailable", reason: "INPUT_LOST" }]);
    expect(requests).toHaveLength(1);
  });

  test("that does not end in its time is told so, and that it may run on", async () => {
    const { rig, errors, exec } = await execRig({ runsMs: undefined });
    exec({ timeoutMs: 5_000 });
    await rig.clock.advance(4_900);
    expect(errors).toEqual([]);
    await rig.clock.advance(200);
    expect(errors).toMatchObject([{ code: "deadline_exceeded", reason: "EXEC_DEADLINE" }]);
    expect(errors[0]?.message).toContain("within 5 s");
  });

  test("runs once, however often the question arrives", async () => {
    const { rig, requests, exec } = await execRig({ runsMs: 1_000 });
    exec();
    exec();
    await rig.clock.advance(2_000);
    expect(requests).toHaveLength(1);
  });

  test("whose program is not there is refused in the engine's words", async () => {
    const { rig, errors, exec } = await execRig(undefined);
    exec({ argv: ["nope"] });
    await rig.clock.advance(1_000);
    expect(errors).toMatchObject([{ code: "failed_precondition", reason: "PROGRAM_NOT_RUN" }]);
    expect(errors[0]?.message).toContain('"nope": executable file not found');
  });
});

describe("a command is refused", () => {
  const pod = anInstance({
    instanceId: "acme.web.1",
    spec: aSpec({ containers: [aContainer({ image: "box" }), aContainer({ image: "box", name: "side" })] }),
  });

  test.each([
    ["in a container that is not here", { container: "other" }, "NO_SUCH_CONTAINER"],
    ["in an instance that is not here", { instanceId: "acme.web.9" }, "NO_SUCH_CONTAINER"],
    ["in the sandbox of a pod", { container: "" }, "SANDBOX"],
    ["with more input than is taken", { stdinBytes: 1024 * 1024 + 1 }, "INPUT_TOO_LARGE"],
  ])("%s", async (_, over, reason) => {
    const { rig, errors, requests, exec } = await execRig({}, [pod]);
    exec(over);
    await rig.clock.advance(1_000);
    expect(errors).toMatchObject([{ reason }]);
    expect(requests).toEqual([]);
  });

  test("in a container that has ended", async () => {
    const { rig, errors, exec } = await execRig({});
    const [container] = rig.engine.containers();
    rig.engine.crash(container?.id ?? "", 1);
    exec();
    await rig.clock.advance(500);
    expect(errors).toMatchObject([{ code: "failed_precondition", reason: "CONTAINER_NOT_RUNNING" }]);
  });

  test("in a container that nobody of ours made", async () => {
    const { rig, errors, exec } = await execRig({});
    rig.engine.plant({ other: "label" });
    await rig.clock.advance(11_000);
    exec({ instanceId: "", container: "" });
    await rig.clock.advance(500);
    expect(errors).toMatchObject([{ reason: "NO_SUCH_CONTAINER" }]);
  });

  test("when too many are under way", async () => {
    const { rig, errors, exec } = await execRig({ runsMs: undefined });
    for (let n = 0; n < 17; n++) exec({ streamId: `s${n}` });
    await rig.clock.advance(500);
    expect(errors).toMatchObject([{ code: "resource_exhausted", reason: "TOO_MANY_COMMANDS" }]);
  });
});
