import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import type { AskReply } from "@skep/api/codec/ask-reply.ts";
import { specToProto } from "@skep/api/codec/spec.ts";
import { DeploymentService, StreamLogsRequestSchema } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { NodeService } from "@skep/api/gen/skep/v1/node_service_pb.ts";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { DeploymentSpecSchema } from "@skep/api/gen/skep/v1/spec_pb.ts";
import { aSpec } from "@skep/core/testing/builders.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { streamLogs } from "./deployment-logs.ts";
import { mergeLogs } from "./logs.ts";
import { LEADER, createTestPlatform } from "./testing/platform.ts";
import { watch } from "./watch.ts";
import type { Step } from "./watch.ts";

const spec = (over: Parameters<typeof aSpec>[0] = {}) => create(DeploymentSpecSchema, specToProto(aSpec(over)));

async function start() {
  const platform = createTestPlatform();
  await platform.addNodes({ id: "node1", hostname: "n1", role: "manager" }, { id: "node2", hostname: "n2" });
  return {
    ...platform,
    deployments: createClient(DeploymentService, platform.transport),
    nodes: createClient(NodeService, platform.transport),
    events: createClient(PlatformService, platform.transport),
  };
}

describe("watch", () => {
  it("reads at most each 250 ms, sends only what changed, and ends when it is told to", async () => {
    const clock = createVirtualClock();
    const aborter = new AbortController();
    let value = "1";
    let reads = 0;
    let hint = (): void => undefined;
    const hints = { subscribe: (handle: () => void) => ((hint = handle), { close: () => (hint = () => undefined) }) };
    const seen: string[] = [];
    const done = (async () => {
      const steps: AsyncGenerator<Step<string>> = watch({ clock, hints, signal: aborter.signal }, () => {
        reads++;
        return Promise.resolve({ items: new Map(value === "" ? [] : [["a", { item: value, print: value }]]) });
      });
      for await (const step of steps) seen.push(step.kind === "updated" ? step.item : step.kind);
    })();
    await clock.advance(10);
    expect(seen).toEqual(["1", "snapshot-complete"]);
    value = "2";
    for (let n = 0; n < 20; n++) {
      hint();
      await clock.advance(5);
    }
    expect(reads).toBe(1);
    await clock.advance(200);
    expect(seen.at(-1)).toBe("2");
    expect(reads).toBe(2);
    value = "";
    // No hint comes: it is found all the same.
    await clock.advance(3_000);
    expect(seen.at(-1)).toBe("deleted");
    aborter.abort();
    await clock.advance(1);
    await done;
  });
});

describe("WatchDeployments", () => {
  it("sends what there is, then each change, then what is gone", async () => {
    const { deployments, converge } = await start();
    await deployments.createDeployment({ tenantId: "default", spec: spec() });
    const seen: string[] = [];
    for await (const { change } of deployments.watchDeployments({ tenantId: "default" })) {
      if (change.case === "updated") seen.push(`${change.value.id} ${change.value.status?.healthy}`);
      if (change.case === "snapshotComplete") await converge();
      if (change.case === "updated" && change.value.status?.converged === true) {
        await deployments.deleteDeployment({ deploymentId: "default.web" });
        await converge();
      }
      if (change.case === "deleted") {
        seen.push(`deleted ${change.value}`);
        break;
      }
    }
    expect(seen).toEqual(["default.web 0", "default.web 1", "deleted default.web"]);
  });
});

describe("WatchNodes", () => {
  it("sends every node and what changes, and no beats", async () => {
    const { nodes, store, addNodes } = await start();
    const seen: string[] = [];
    for await (const { change } of nodes.watchNodes({})) {
      if (change.case === "updated") seen.push(change.value.hostname);
      if (change.case === "snapshotComplete") {
        const load = { cpuShare: 0.9, memoryShare: 0.9 };
        await store.saveBeats([{ nodeId: "node1", load }], await store.takeLease(...LEADER), Date.now() + 5);
        await addNodes({ id: "node3", hostname: "n3" });
      }
      if (seen.includes("n3")) break;
    }
    expect(seen).toEqual(["n1", "n2", "n3"]);
  });
});

describe("WatchEvents", () => {
  const event = (at: number, sentence: string, tenantId = "acme") => ({
    at,
    kind: "place",
    tenantId,
    deploymentId: `${tenantId}.web`,
    instanceId: undefined,
    nodeId: "node1",
    epoch: undefined,
    sentence,
  });

  it("sends what is kept and ends, filtered", async () => {
    const { events, store } = await start();
    await store.saveDecisions([event(1, "one"), event(2, "two", "other"), event(3, "three")]);
    const seen: string[] = [];
    for await (const page of events.watchEvents({ tenantId: "acme" }))
      seen.push(...page.events.map(one => one.sentence));
    expect(seen).toEqual(["one", "three"]);
  });

  it("hands on what is kept as it reads it, and not all at the end", async () => {
    const { events, store, deps } = await start();
    await store.saveDecisions(Array.from({ length: 2_200 }, (_, index) => event(index, String(index))));
    let reads = 0;
    const { listDecisions } = deps.store;
    Object.assign(deps.store, {
      listDecisions: (...args: Parameters<typeof listDecisions>) => {
        reads += 1;
        return listDecisions(...args);
      },
    });
    const seen: [reads: number, events: number][] = [];
    for await (const page of events.watchEvents({})) seen.push([reads, page.events.length]);
    expect(seen.map(([, count]) => count)).toEqual([500, 500, 500, 500, 200]);
    expect(seen[0]?.[0]).toBeLessThan(3);
    expect(reads).toBe(5);
  });

  it("follows, each event once", async () => {
    const { events, store, deps } = await start();
    const seen: string[] = [];
    const now = Date.now();
    await store.saveDecisions([event(now - 60_000, "old")]);
    setTimeout(() => void store.saveDecisions([event(now + 10_000, "new")]).then(() => deps.wake("")), 50);
    setTimeout(() => void store.saveDecisions([event(now + 10_001, "newer")]).then(() => deps.wake("")), 400);
    for await (const page of events.watchEvents({ follow: true })) {
      seen.push(...page.events.map(one => one.sentence));
      if (seen.includes("newer")) break;
    }
    expect(seen).toEqual(["new", "newer"]);
  });
});

describe("StreamLogs", () => {
  it("merges what the agents send and names the node that does not answer", async () => {
    const { deployments, converge, answer, deps } = await start();
    await deployments.createDeployment({
      tenantId: "default",
      spec: spec({ replicas: 2, placement: { maxPerNode: 1 } }),
    });
    await converge();
    answer("node1", ask => {
      if (ask.kind !== "logs") return [];
      const line = { instanceId: ask.instanceId, container: "app", stream: "stderr", at: 5, text: "hello" } as const;
      const chunk = { kind: "logs", streamId: ask.streamId, dropped: 0 } as const;
      const replies: AskReply[] = [
        { ...chunk, seq: 0, lines: [line], end: false },
        { ...chunk, seq: 2, lines: [{ ...line, text: "again" }], end: true },
      ];
      return replies;
    });
    // The silent node is given up on after its time, which this clock does not have to wait for.
    const quick = {
      ...deps,
      clock: { ...deps.clock, timer: (ms: number, run: () => void) => deps.clock.timer(ms / 50, run) },
    };
    const request = create(StreamLogsRequestSchema, { deploymentId: "default.web" });
    const lines: string[] = [];
    const notices: string[] = [];
    for await (const chunk of streamLogs(quick, request, new AbortController().signal)) {
      lines.push(...chunk.lines.map(line => `${line.nodeId} ${line.stream} ${line.text}`));
      if (chunk.notice !== "") notices.push(chunk.notice);
    }
    expect(lines).toEqual(["node1 2 hello", "node1 2 again"]);
    expect(notices).toHaveLength(2);
    expect(notices[0]).toContain("were lost on the way");
    expect(notices[1]).toMatch(/^Node n2 does not answer: the lines of default\.web\.\d are missing$/);
  });

  it("tells agents to stop when the reader leaves", async () => {
    const { deployments, converge, answer } = await start();
    await deployments.createDeployment({ tenantId: "default", spec: spec() });
    await converge();
    const stopped = Promise.withResolvers<boolean>();
    for (const node of ["node1", "node2"])
      answer(node, ask => {
        if (ask.kind === "logs-control") stopped.resolve(ask.stop);
        if (ask.kind !== "logs") return [];
        const { streamId, instanceId } = ask;
        const line = { instanceId, container: "app", stream: "stdout", at: 1, text: "x" } as const;
        return [{ kind: "logs", streamId, seq: 0, lines: [line], end: false, dropped: 0 }];
      });
    const reader = new AbortController();
    const read = async (): Promise<void> => {
      const request = { deploymentId: "default.web", follow: true };
      for await (const chunk of deployments.streamLogs(request, { signal: reader.signal })) {
        expect(chunk.lines).toHaveLength(1);
        reader.abort();
      }
    };
    await expect(read()).rejects.toThrow("abort");
    expect(await stopped.promise).toBe(true);
  });

  it("holds on to nothing for each chunk of a stream that is followed, and ends when its reader leaves", async () => {
    const { deployments, converge, answer, deps } = await start();
    await deployments.createDeployment({ tenantId: "default", spec: spec() });
    await converge();
    const line = { instanceId: "default.web.1", container: "app", stream: "stdout", at: 1, text: "x" } as const;
    for (const node of ["node1", "node2"])
      answer(node, ask =>
        ask.kind === "logs"
          ? [0, 1, 2, 3].map(seq => {
              return { kind: "logs", streamId: ask.streamId, seq, lines: [line], end: false, dropped: 0 } as const;
            })
          : [],
      );
    const request = create(StreamLogsRequestSchema, { deploymentId: "default.web", follow: true });
    const reader = new AbortController();
    const stream = streamLogs(deps, request, reader.signal);
    let listeners = 0;
    for (let chunk = 0; chunk < 4; chunk++) {
      expect((await stream.next()).value?.lines).toHaveLength(1);
      if (chunk === 0) listeners = getEventListeners(reader.signal, "abort").length;
    }
    const next = stream.next();
    await new Promise(resolve => setTimeout(resolve, 10));
    expect(getEventListeners(reader.signal, "abort")).toHaveLength(listeners);
    reader.abort();
    expect((await next).done).toBe(true);
  });

  it("follows a deployment through a restart, and a container that was started again, until it is removed", async () => {
    const { deployments, converge, answer } = await start();
    await deployments.createDeployment({ tenantId: "default", spec: spec() });
    await converge();
    const asked: (readonly [string, number | undefined, boolean])[] = [];
    for (const node of ["node1", "node2"])
      answer(node, ask => {
        if (ask.kind !== "logs") return [];
        const { streamId, instanceId, since, tail } = ask;
        asked.push([instanceId, since, tail === undefined]);
        const text = `${instanceId} ${asked.length}`;
        // Its containers end at once, and are started again by their agent.
        const line = { instanceId, container: "app", stream: "stdout", at: Date.now() + 60_000, text } as const;
        return [{ kind: "logs", streamId, seq: 0, lines: [line], end: true, dropped: 0 }];
      });
    const lines: string[] = [];
    for await (const chunk of deployments.streamLogs({ deploymentId: "default.web", follow: true })) {
      lines.push(...chunk.lines.map(line => line.text));
      expect(chunk.notice).toBe("");
      if (lines.length === 2) await deployments.restartDeployment({ deploymentId: "default.web" });
      if (lines.length === 3) await deployments.deleteDeployment({ deploymentId: "default.web" });
      if (lines.length > 1) await converge();
    }
    expect(lines).toEqual(["default.web.1 1", "default.web.1 2", "default.web.2 3"]);
    expect(asked[1]?.[1]).toBeGreaterThan(Date.now() + 30_000);
    expect(asked[2]).toEqual(["default.web.2", undefined, true]);
  });

  it("asks for nothing that it found only after its reader had left", async () => {
    const { deployments, converge, answer, deps, store } = await start();
    await deployments.createDeployment({ tenantId: "default", spec: spec() });
    await converge();
    const { items } = await store.listInstances({ deploymentId: "default.web" }, { size: 1, token: undefined });
    const locations = items.flatMap(item => item.locations);
    expect(locations).toHaveLength(1);
    const asked: string[] = [];
    for (const node of ["node1", "node2"])
      answer(node, ask => {
        asked.push(ask.kind);
        return [];
      });
    const looked = Promise.withResolvers<void>();
    async function* newcomers() {
      await looked.promise;
      yield* locations;
    }
    const wanted = { container: undefined, tail: 1, follow: true, since: undefined };
    const reader = new AbortController();
    const next = mergeLogs(deps, locations, id => id, wanted, reader.signal, newcomers).next();
    reader.abort();
    expect((await next).done).toBe(true);
    looked.resolve();
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(asked).toEqual(["logs", "logs-control"]);
  });

  it("refuses a container that is not there", async () => {
    const { deployments } = await start();
    await deployments.createDeployment({ tenantId: "default", spec: spec() });
    const read = async (): Promise<void> => {
      for await (const _ of deployments.streamLogs({ deploymentId: "default.web", container: "no" }));
    };
    await expect(read()).rejects.toThrow("It has: app");
  });
});
