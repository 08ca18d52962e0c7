import { decodeAskReply, type LogChunk } from "@skep/api/codec/ask-reply.ts";
import { encodeAsk, LOGS_IDLE_MS } from "@skep/api/codec/ask.ts";
import { decodeSwarmNodes, type SwarmNodes } from "@skep/api/codec/swarm.ts";
import { everyNode, nodeSubject } from "@skep/api/subjects.ts";
import { describe, expect, test } from "vitest";
import type { SwarmNodeView } from "../engine/engine.ts";
import type { MemoryProgram } from "../engine/memory-container.ts";
import { aContainer, anAssignment, anInstance, aSpec } from "../testing/builders.ts";
import { someFacts } from "../testing/facts.ts";
import { openRig, settle, type Rig } from "../testing/rig.ts";

const instance = anInstance({ spec: aSpec({ containers: [aContainer({ image: "box" })] }) });

function aNode(over: Partial<SwarmNodeView> = {}): SwarmNodeView {
  const words = { role: "manager", availability: "active", state: "ready" } as const;
  return { nodeId: "node-1", hostname: "n1", address: "10.0.0.1", labels: {}, versionIndex: 1, ...words, ...over };
}

describe("logs", () => {
  async function logRig(
    lines: readonly string[],
  ): Promise<{ rig: Rig; chunks: LogChunk[]; ask: (follow: boolean) => void }> {
    const programs = (): MemoryProgram => ({ lines, runsMs: undefined, exitCode: 0 });
    const rig = await openRig({ images: ["box"], programs });
    rig.scheduler.assign(anAssignment({ instances: [instance] }));
    await rig.clock.advance(2_000);
    const chunks: LogChunk[] = [];
    const { bus } = rig.scheduler;
    const inbox = bus.inbox();
    bus.subscribe(inbox, message => {
      const reply = decodeAskReply(message.data);
      if (reply.kind === "logs") chunks.push(reply);
    });
    const ask = (follow: boolean): void => {
      const { instanceId } = instance;
      const wanted = {
        kind: "logs",
        streamId: "s",
        instanceId,
        container: undefined,
        tail: undefined,
        since: undefined,
      } as const;
      bus.publish(nodeSubject("ask", "node-1"), encodeAsk({ ...wanted, follow }), { replyTo: inbox });
    };
    return { rig, chunks, ask };
  }

  test("come in numbered chunks with an end, and none is left out however many there are", async () => {
    const lines = Array.from({ length: 1_000 }, (_, at) => `line ${at}`);
    const { rig, chunks, ask } = await logRig(lines);
    ask(false);
    await rig.clock.advance(2_000);
    expect(chunks.flatMap(chunk => chunk.lines.map(line => line.text))).toEqual(lines);
    expect(chunks.map(chunk => chunk.seq)).toEqual(chunks.map((_, at) => at));
    expect(chunks.map(chunk => chunk.end)).toEqual([...chunks.slice(1).map(() => false), true]);
    expect(chunks.every(chunk => chunk.lines.length <= 256)).toBe(true);
  });

  test("that are asked for twice by one message that was doubled come once", async () => {
    const { rig, chunks, ask } = await logRig(["one"]);
    ask(false);
    ask(false);
    await rig.clock.advance(2_000);
    expect(chunks.flatMap(chunk => chunk.lines.map(line => line.text))).toEqual(["one"]);
  });

  test("a stream whose reader went silent ends by itself", async () => {
    const { rig, chunks, ask } = await logRig(["one"]);
    ask(true);
    await rig.clock.advance(LOGS_IDLE_MS - 1_000);
    expect(chunks.some(chunk => chunk.end)).toBe(false);
    expect(await settle(rig, rig.scheduler.ask({ kind: "logs-control", streamId: "s", stop: false }))).toEqual({
      kind: "done",
    });
    await rig.clock.advance(LOGS_IDLE_MS - 1_000);
    expect(chunks.some(chunk => chunk.end)).toBe(false);
    await rig.clock.advance(2_000);
    expect(chunks.at(-1)?.end).toBe(true);
  });

  test("of an instance that is not here are refused with the advice to ask elsewhere", async () => {
    const { rig } = await logRig([]);
    const wanted = {
      streamId: "s",
      instanceId: "acme.web.9",
      container: undefined,
      tail: 1,
      follow: false,
      since: undefined,
    };
    const reply = await settle(rig, rig.scheduler.ask({ kind: "logs", ...wanted }));
    const message = expect.stringContaining("not made yet, or has moved. `skep ps` says") as string;
    expect(reply).toMatchObject({ kind: "error", error: { code: "not_found", reason: "NO_SUCH_CONTAINER", message } });
  });
});

describe("the Swarm", () => {
  async function managerRig(): Promise<{ rig: Rig; told: SwarmNodes[]; swarm: Map<string, SwarmNodeView> }> {
    const swarm = new Map([["node-1", aNode()]]);
    const rig = await openRig({ facts: someFacts({ manager: true }), swarm });
    const told: SwarmNodes[] = [];
    rig.scheduler.bus.subscribe(everyNode("swarm"), message => told.push(decodeSwarmNodes(message.data)));
    await rig.clock.advance(15_000);
    return { rig, told, swarm };
  }

  test("is told every ten seconds, and within two when it changed elsewhere", async () => {
    const { rig, told, swarm } = await managerRig();
    const before = told.length;
    await rig.clock.advance(30_000);
    expect(told.length - before).toBeGreaterThanOrEqual(2);
    expect(told.length - before).toBeLessThanOrEqual(4);
    swarm.set("node-2", aNode({ nodeId: "node-2", availability: "drain" }));
    await rig.clock.advance(2_100);
    expect(told.at(-1)?.nodes.map(node => node.availability)).toEqual(["active", "drain"]);
  });

  test("a node is drained and labelled on request, which is told at once", async () => {
    const { rig, told } = await managerRig();
    const drained = rig.scheduler.ask({ kind: "node", nodeId: "node-1", change: { action: "drain" } });
    expect(await settle(rig, drained)).toMatchObject({ kind: "node", node: { availability: "drain" } });
    const change = { action: "label", set: { compute: "true" }, remove: [] } as const;
    await settle(rig, rig.scheduler.ask({ kind: "node", nodeId: "node-1", change }));
    await rig.clock.advance(150);
    expect(told.at(-1)?.nodes[0]).toMatchObject({ availability: "drain", labels: { compute: "true" } });
  });

  test("a node that nobody knows is refused by its code", async () => {
    const { rig } = await managerRig();
    const reply = await settle(rig, rig.scheduler.ask({ kind: "node", nodeId: "x", change: { action: "pause" } }));
    expect(reply).toMatchObject({ kind: "error", error: { code: "not_found" } });
  });

  test("a worker says nothing of it", async () => {
    const rig = await openRig({ swarm: new Map([["node-1", aNode()]]) });
    let told = 0;
    rig.scheduler.bus.subscribe(everyNode("swarm"), () => told++);
    await rig.clock.advance(30_000);
    expect(told).toBe(0);
  });
});

test("a peer that answers anything at all is alive", async () => {
  const rig = await openRig({}, { prober: async () => ({ ok: false, answered: true, detail: "/livez answered 503" }) });
  const reply = await settle(
    rig,
    rig.scheduler.ask({ kind: "probe", address: "10.0.0.2", port: 7702, timeoutMs: 1_000 }),
  );
  expect(reply).toEqual({ kind: "probe", answered: true, detail: "/livez answered 503" });
});

test("what is no question is refused, not left waiting", async () => {
  const rig = await openRig();
  const garbage = rig.scheduler.bus.request(nodeSubject("ask", "node-1"), new Uint8Array([255]), { timeoutMs: 1_000 });
  expect(decodeAskReply(await settle(rig, garbage))).toMatchObject({
    kind: "error",
    error: { code: "invalid_argument" },
  });
});
