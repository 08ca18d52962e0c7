import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import type { AskReply, ExecChunk } from "@skep/api/codec/ask-reply.ts";
import type { Ask } from "@skep/api/codec/ask.ts";
import { specToProto } from "@skep/api/codec/spec.ts";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { InstanceService } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import type { ExecInstanceResponse } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { DeploymentSpecSchema } from "@skep/api/gen/skep/v1/spec_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { runOnNode } from "./exec.ts";
import { createTestPlatform } from "./testing/platform.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const INSTANCE = "default.web.1";

async function start(pod = false) {
  const platform = createTestPlatform();
  await platform.addNodes({ id: "node1", hostname: "n1", role: "manager" });
  if (pod) {
    const one = { imageId: "sha256:1", running: true, exitCode: undefined, restarts: 0 };
    const containers = ["", "app", "side"].map(name => ({ ...one, name, id: `id-${name}` }));
    platform.setOutcome(() => ({ containers }));
  }
  await createClient(DeploymentService, platform.transport).createDeployment({
    tenantId: "default",
    spec: create(DeploymentSpecSchema, specToProto(aSpec())),
  });
  const asked: Ask[] = [];
  return {
    ...platform,
    instances: createClient(InstanceService, platform.transport),
    asked,
    /** Answers commands with these chunks, the last with this exit code. */
    answerExec: (chunks: readonly Partial<ExecChunk>[]) =>
      platform.answer("node1", ask => {
        asked.push(ask);
        if (ask.kind !== "exec") return [];
        const { streamId } = ask;
        return chunks.map((chunk, seq): AskReply => ({
          kind: "exec",
          streamId,
          seq,
          output: [],
          exitCode: undefined,
          ...chunk,
        }));
      }),
  };
}

async function eventsOf(responses: AsyncIterable<ExecInstanceResponse>): Promise<string[]> {
  const events: string[] = [];
  for await (const { event } of responses)
    events.push(
      `${event.case} ${event.value instanceof Uint8Array ? new TextDecoder().decode(event.value) : event.value}`,
    );
  return events;
}

describe("ExecInstance", () => {
  it("hands on the output by its stream and ends with the exit code", async () => {
    const { instances, converge, answerExec, asked } = await start();
    await converge();
    const output = [
      { stream: "stdout", data: bytes("out") },
      { stream: "stderr", data: bytes("err") },
    ] as const;
    answerExec([{}, { output }, { exitCode: 3 }]);
    const events = await eventsOf(instances.execInstance({ instanceId: INSTANCE, argv: ["ls", "-l"] }));
    expect(events).toEqual(["stdout out", "stderr err", "exitCode 3"]);
    expect(asked[0]).toMatchObject({ kind: "exec", instanceId: INSTANCE, container: "app", argv: ["ls", "-l"] });
    expect(asked[0]).toMatchObject({ stdinBytes: 0, timeoutMs: 600_000 });
  });

  it("writes who ran which program down, and never its arguments", async () => {
    const { instances, converge, answerExec, store } = await start();
    await converge();
    answerExec([{ exitCode: 0 }]);
    await eventsOf(
      instances.execInstance({ instanceId: INSTANCE, argv: ["psql", "password=hunter2"], stdin: bytes("s3") }),
    );
    const { items } = await store.listDecisions({ instanceId: INSTANCE }, { size: 100, token: undefined });
    const written = items.filter(one => one.kind === "exec");
    expect(written).toMatchObject([{ deploymentId: "default.web", nodeId: "node1", epoch: 1 }]);
    expect(written[0]?.sentence).toBe(`anonymous asked to run psql in container app of ${INSTANCE} on n1`);
  });

  it("sends 1 MiB of input in parts, and refuses more", async () => {
    const { instances, converge, answerExec, asked } = await start();
    await converge();
    answerExec([{ exitCode: 0 }]);
    const stdin = new Uint8Array(1024 * 1024).fill(7);
    await eventsOf(instances.execInstance({ instanceId: INSTANCE, argv: ["cat"], stdin }));
    const parts = asked.filter(ask => ask.kind === "exec-input");
    expect(parts.map(part => part.offset)).toEqual([0, 262_144, 524_288, 786_432]);
    expect(Buffer.concat(parts.map(part => part.data)).equals(stdin)).toBe(true);
    const tooMuch = instances.execInstance({
      instanceId: INSTANCE,
      argv: ["cat"],
      stdin: new Uint8Array(stdin.length + 1),
    });
    await expect(eventsOf(tooMuch)).rejects.toThrow("stdin");
  });

  it("refuses an instance that does not run, and one that is not there", async () => {
    const { instances, converge } = await start();
    const run = (instanceId: string) => eventsOf(instances.execInstance({ instanceId, argv: ["ls"] }));
    await expect(run(INSTANCE)).rejects.toThrow("There is no instance");
    const waiting = await start();
    waiting.setOutcome(() => ({ state: "preparing", health: "none", message: "pulls the image" }));
    await waiting.converge();
    await expect(eventsOf(waiting.instances.execInstance({ instanceId: INSTANCE, argv: ["ls"] }))).rejects.toThrow(
      "is preparing (pulls the image)",
    );
    await converge();
    await expect(run("default.web.99")).rejects.toThrow("There is no instance");
  });

  it("names the containers where the wanted one is unknown, or several could be meant", async () => {
    const { instances, converge } = await start(true);
    await converge();
    const run = (container: string) =>
      eventsOf(instances.execInstance({ instanceId: INSTANCE, container, argv: ["ls"] }));
    await expect(run("nope")).rejects.toThrow(`${INSTANCE} has no container nope. It has: app, side.`);
    await expect(run("")).rejects.toThrow("name the one to run the command in. It has: app, side.");
  });

  it.each([
    ["without a program", { argv: [] }],
    ["with an empty program", { argv: ["", "x"] }],
    ["with too many arguments", { argv: Array.from({ length: 65 }, () => "x") }],
    ["with an argument that is too long", { argv: ["x".repeat(4097)] }],
    ["with too long a time", { argv: ["ls"], timeoutMs: 3_600_001 }],
  ])("refuses a command %s", async (_, request) => {
    const { instances } = await start();
    await expect(eventsOf(instances.execInstance({ instanceId: INSTANCE, ...request }))).rejects.toThrow("not valid");
  });

  it("fails as the agent says", async () => {
    const { instances, converge, answer } = await start();
    await converge();
    const error = new SkepError("failed_precondition", "PROGRAM_NOT_RUN", 'exec: "nope": not found');
    answer("node1", ask => (ask.kind === "exec" ? [{ kind: "error", error }] : []));
    await expect(eventsOf(instances.execInstance({ instanceId: INSTANCE, argv: ["nope"] }))).rejects.toThrow(
      'exec: "nope": not found',
    );
  });

  it("fails rather than leave out output that was lost on the way, and tells the agent to stop", async () => {
    const { instances, converge, answerExec, asked } = await start();
    await converge();
    answerExec([{}, { seq: 2, output: [{ stream: "stdout", data: bytes("late") }] }]);
    await expect(eventsOf(instances.execInstance({ instanceId: INSTANCE, argv: ["ls"] }))).rejects.toThrow("was lost");
    expect(asked.at(-1)).toMatchObject({ kind: "exec-control", stop: true });
  });

  it("tells the agent to stop when the reader leaves", async () => {
    const { instances, converge, answer } = await start();
    await converge();
    const stopped = Promise.withResolvers<boolean>();
    const reader = new AbortController();
    answer("node1", ask => {
      if (ask.kind === "exec-control" && ask.stop) stopped.resolve(true);
      if (ask.kind !== "exec") return [];
      const output = [{ stream: "stdout", data: bytes("x") }] as const;
      return [{ kind: "exec", streamId: ask.streamId, seq: 0, output, exitCode: undefined }];
    });
    const read = async (): Promise<void> => {
      const request = { instanceId: INSTANCE, argv: ["sleep", "9"] };
      for await (const _ of instances.execInstance(request, { signal: reader.signal })) reader.abort();
    };
    await expect(read()).rejects.toThrow("abort");
    expect(await stopped.promise).toBe(true);
  });
});

describe("a node that is gone", () => {
  it.each([
    ["never answers", [], "does not answer"],
    ["falls silent", [{}], "fell silent"],
  ])("is named when it %s", async (_, chunks, words) => {
    const { deps, answerExec, asked } = await start();
    answerExec(chunks);
    // The silent node is given up on after its time, which this clock does not have to wait for.
    const clock = { ...deps.clock, timer: (ms: number, run: () => void) => deps.clock.timer(ms / 200, run) };
    const wanted = { streamId: "s", instanceId: INSTANCE, container: "app", argv: ["ls"], timeoutMs: 1_000 };
    const place = { nodeId: "node1", hostname: "n1" };
    const run = runOnNode({ ...deps, clock }, place, wanted, new Uint8Array(), new AbortController().signal);
    await expect(eventsOf(run)).rejects.toMatchObject({ code: "unavailable", reason: "NODE_UNREACHABLE" });
    // What was taken was told, so that the agent could have sent more.
    const taken = asked.flatMap(ask => (ask.kind === "exec-control" ? [ask.taken] : []));
    expect(taken.includes(1)).toBe(chunks.length > 0);
    const again = runOnNode({ ...deps, clock }, place, wanted, new Uint8Array(), new AbortController().signal);
    await expect(eventsOf(again)).rejects.toThrow(words);
  });
});
