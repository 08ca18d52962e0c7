import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeAskReply, type LogChunk } from "@skep/api/codec/ask-reply.ts";
import { encodeAsk } from "@skep/api/codec/ask.ts";
import { decodeSwarmNodes, type SwarmNodes } from "@skep/api/codec/swarm.ts";
import { everyNode, nodeSubject } from "@skep/api/subjects.ts";
import { aContainer, anAssignment, anInstance, aSpec } from "@skep/agent/testing/builders.ts";
import { fakeScheduler, type FakeScheduler } from "@skep/agent/testing/fake-scheduler.ts";
import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import type { ContainerSpec } from "@skep/core/model/deployment.ts";
import { docker, downFleet, upFleet, type Fleet, type FleetNode } from "@skep/devswarm/fleet.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createDockerEnder } from "@skep/agent/guard/docker-ender.ts";
import { enderContract } from "@skep/agent/guard/ender.contract.ts";
import { createNatsBus } from "@skep/kit/nats-bus.ts";
import type { Bus } from "@skep/kit/bus.ts";
import { importBusybox } from "../support/busybox.ts";
import { freePort, startChild, type Child } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { startNatsServer, type NatsServer } from "../support/nats-server.ts";

const IMAGE = "skep-test/box";
const MAIN = join(import.meta.dirname, "../../packages/agent/src/main.ts");

let fleet: Fleet;
let node: FleetNode;
let nats: NatsServer;
let bus: Bus;
let scheduler: FakeScheduler;
let agent: Child;
let probePort: number;
let stateDir: string;
let revision = 0;
const swarms: SwarmNodes[] = [];

beforeAll(async () => {
  fleet = await upFleet({ name: "agentrun", nodes: 1, managers: 1 });
  node = fleet.nodes[0]!;
  await importBusybox(argv => docker(fleet, node.name, argv), IMAGE);
  nats = await startNatsServer();
  bus = createNatsBus({ servers: [nats.url], name: "scheduler", log: createRecordingLog() });
  scheduler = fakeScheduler(bus, node.swarmId);
  bus.subscribe(everyNode("swarm"), message => swarms.push(decodeSwarmNodes(message.data)));
  stateDir = await mkdtemp(join(tmpdir(), "skep-agent-"));
  probePort = await freePort();
  agent = startAgent();
});

afterAll(async () => {
  await agent?.end("SIGKILL");
  await bus?.close();
  await nats?.close();
  await downFleet("agentrun");
  await rm(stateDir, { recursive: true, force: true });
});

function startAgent(): Child {
  const env = {
    ...process.env,
    SKEP_NATS_URL: nats.url,
    SKEP_NATS_USER: "agent",
    SKEP_PROBE_PORT: String(probePort),
    SKEP_STATE_DIR: stateDir,
    SKEP_DOCKER_SOCKET: node.socket,
    SKEP_PAUSE_IMAGE: IMAGE,
  };
  return startChild(process.execPath, [MAIN], { env });
}

function box(
  serial: number,
  over: Partial<ContainerSpec> = {},
  more: Partial<AssignedInstance> = {},
): AssignedInstance {
  const container = aContainer({ image: IMAGE, command: ["sleep", "100000"], ...over });
  return anInstance({
    instanceId: `acme.web.${serial}`,
    spec: aSpec({ containers: [container], stopGraceMs: 1_000 }),
    ...more,
  });
}

function assign(instances: readonly AssignedInstance[]): void {
  scheduler.assign(anAssignment({ nodeId: node.swarmId, revision: ++revision, instances }));
}

function statusOf(serial: number) {
  const status = scheduler.known.get(`acme.web.${serial}@1`);
  if (status === undefined)
    throw new Error(`nothing is known of acme.web.${serial} yet; the agent said:\n${agent.output()}`);
  return status;
}

const engine = (...argv: string[]): Promise<string> => docker(fleet, node.name, argv);
const idOf = async (name: string): Promise<string> =>
  (await engine("ps", "-q", "--no-trunc", "--filter", `name=^${name}$`)).trim();
const livez = async (): Promise<number> => (await fetch(`http://127.0.0.1:${probePort}/livez`)).status;

describe("the agent on a real engine and a real bus", () => {
  test("says who its node is, beats, and tells the Swarm's nodes", async () => {
    await eventually(() => expect(scheduler.beats.length).toBeGreaterThan(1), 20_000);
    expect(scheduler.reports[0]).toMatchObject({
      full: true,
      facts: { nodeId: node.swarmId, hostname: node.name, address: node.address, os: "linux" },
    });
    await eventually(() =>
      expect(swarms.at(-1)).toMatchObject({
        managerNodeId: node.swarmId,
        nodes: [{ nodeId: node.swarmId, role: "manager", availability: "active", address: node.address }],
      }),
    );
    expect(await livez()).toBe(200);
  });

  test("runs what it is told, with limits and without rights, and finds it healthy through its host port", async () => {
    const health = {
      probe: { kind: "http", port: 8080, path: "/etc/passwd" } as const,
      intervalMs: 1_000,
      timeoutMs: 500,
      retries: 2,
      startPeriodMs: 5_000,
    };
    const ports = [{ container: "app", containerPort: 8080, protocol: "tcp" as const, hostPort: 20_080 }];
    const httpd = box(
      1,
      {
        command: ["httpd", "-f", "-p", "8080", "-h", "/"],
        health,
        ports: [{ containerPort: 8080, protocol: "tcp", hostPort: undefined }],
      },
      { ports },
    );
    assign([httpd]);
    await eventually(() => expect(statusOf(1)).toMatchObject({ state: "running", health: "healthy" }), 15_000);
    const [inspected] = JSON.parse(await engine("inspect", "skep-acme.web.1-e1-app")) as [
      { HostConfig: object; Config: { Env: string[]; Hostname: string } },
    ];
    expect(inspected.HostConfig).toMatchObject({
      Privileged: false,
      PidsLimit: 512,
      NanoCpus: 1e9,
      Memory: 512 * 1024 ** 2,
      SecurityOpt: ["no-new-privileges:true"],
      NetworkMode: "skep-acme",
    });
    expect(inspected.Config.Env).toEqual(
      expect.arrayContaining(["SKEP_INSTANCE_ID=acme.web.1", `SKEP_NODE=${node.name}`, "SKEP_TENANT=acme"]),
    );
    expect(inspected.Config.Hostname).toBe("acme-web-1");
  });

  test("a container that somebody removed answers again within two seconds", async () => {
    const before = await idOf("skep-acme.web.1-e1-app");
    await engine("rm", "-f", before);
    const removedAt = performance.now();
    await eventually(
      async () => expect((await fetch(`http://${node.address}:20080/etc/passwd`)).status).toBe(200),
      10_000,
      20,
    );
    expect(performance.now() - removedAt).toBeLessThan(2_000);
    expect(await idOf("skep-acme.web.1-e1-app")).not.toBe(before);
  });

  test("tells what an instance uses", async () => {
    await eventually(
      () => expect(scheduler.reports.some(report => report.usage.some(one => one.memoryBytes > 0))).toBe(true),
      30_000,
    );
  });

  test("sends what a container printed, and what it prints from then on", async () => {
    assign([box(2, { command: ["sh", "-c", "echo one; sleep 2; echo two; sleep 100000"] })]);
    await eventually(() => expect(statusOf(2).state).toBe("running"), 15_000);
    const inbox = bus.inbox();
    const chunks: LogChunk[] = [];
    bus.subscribe(inbox, message => {
      const reply = decodeAskReply(message.data);
      if (reply.kind === "logs") chunks.push(reply);
    });
    const ask = {
      kind: "logs",
      streamId: "s",
      instanceId: "acme.web.2",
      container: undefined,
      tail: 10,
      follow: true,
      since: undefined,
    } as const;
    bus.publish(nodeSubject("ask", node.swarmId), encodeAsk(ask), { replyTo: inbox });
    await eventually(
      () => expect(chunks.flatMap(chunk => chunk.lines.map(line => line.text))).toEqual(["one", "two"]),
      10_000,
    );
    expect(await scheduler.ask({ kind: "logs-control", streamId: "s", stop: true })).toEqual({ kind: "done" });
    await eventually(() => expect(chunks.at(-1)?.end).toBe(true));
    expect(chunks.map(chunk => chunk.seq)).toEqual(chunks.map((_, at) => at));
  });

  test("a container whose program ends is started again, and the report says why", async () => {
    assign([box(3, { command: ["sh", "-c", "sleep 1; exit 7"] })]);
    const messages = () => scheduler.reports.flatMap(report => report.statuses.map(one => one.message));
    await eventually(() => expect(messages()).toContainEqual(expect.stringContaining("exit code 7")), 15_000);
    await eventually(() => expect(statusOf(3).containers[0]?.restarts).toBeGreaterThan(0), 15_000);
    assign([box(3, {}, { desired: "stop" })]);
    await eventually(async () => expect(await idOf("skep-acme.web.3-e1-app")).toBe(""), 15_000);
  });

  test("a pod's containers reach each other on the loopback of their sandbox", async () => {
    const containers = [
      aContainer({ image: IMAGE, command: ["httpd", "-f", "-p", "8081", "-h", "/"] }),
      aContainer({
        name: "side",
        image: IMAGE,
        command: ["sh", "-c", "sleep 1; wget -q -O - http://127.0.0.1:8081/etc/passwd && echo reached; sleep 100000"],
      }),
    ];
    assign([anInstance({ instanceId: "acme.web.4", spec: aSpec({ containers, stopGraceMs: 1_000 }) })]);
    await eventually(
      () =>
        expect(statusOf(4)).toMatchObject({
          state: "running",
          containers: [{ name: "" }, { name: "app" }, { name: "side" }],
        }),
      15_000,
    );
    await eventually(async () => expect(await engine("logs", "skep-acme.web.4-e1-side")).toContain("reached"), 10_000);
  });

  test("labels and availability of a Swarm node are changed on request, and told", async () => {
    const reply = await scheduler.ask({
      kind: "node",
      nodeId: node.swarmId,
      change: { action: "label", set: { compute: "true" }, remove: [] },
    });
    expect(reply).toMatchObject({ kind: "node", node: { labels: { compute: "true" } } });
    await eventually(() => expect(swarms.at(-1)?.nodes[0]?.labels).toEqual({ compute: "true" }));
  });

  test("an unknown image is told in the engine's words", async () => {
    assign([box(5, { image: "127.0.0.1:9/no/such" }), box(6)]);
    await eventually(() => expect(statusOf(6).state).toBe("running"), 15_000);
    await eventually(() => expect(statusOf(5).message).toContain("cannot be pulled"), 15_000);
    assign([box(5, {}, { desired: "stop" }), box(6)]);
  });

  test("a crash and a new start of the agent leave containers as they are, and without a bus it restarts what dies", async () => {
    await eventually(() => expect(statusOf(6).state).toBe("running"), 15_000);
    const before = await idOf("skep-acme.web.6-e1-app");
    await agent.end("SIGKILL");
    await nats.kill();
    agent = startAgent();
    await eventually(async () => expect(await livez()).toBe(200), 20_000);
    expect(await idOf("skep-acme.web.6-e1-app")).toBe(before);
    await engine("kill", before);
    await eventually(async () => expect(await idOf("skep-acme.web.6-e1-app")).toBe(before), 10_000);
    scheduler.heard.length = 0;
    await nats.start();
    await eventually(() => expect(scheduler.heard.includes("beat")).toBe(true), 20_000);
    expect(scheduler.heard[0]).toBe("full");
  });

  test("an exclusive copy whose agent is paused ends by itself, and comes back once when the agent goes on", async () => {
    scheduler.leaseMs = 8_000;
    const container = aContainer({ image: IMAGE, command: ["sleep", "100000"] });
    const spec = aSpec({ containers: [container], exclusive: true, stopGraceMs: 1_000 });
    const one = anInstance({ instanceId: "acme.solo.1", spec });
    const solo = () => ({ state: "", message: "", ...scheduler.known.get("acme.solo.1@1") });
    assign([box(6), one]);
    await eventually(() => expect(statusOf(6).state).toBe("running"), 15_000);
    await eventually(() => expect(solo().state).toBe("running"), 20_000);
    const copy = await idOf("skep-acme.solo.1-e1-app");
    const neighbour = await idOf("skep-acme.web.6-e1-app");
    agent.process.kill("SIGSTOP");
    const pausedAt = performance.now();
    try {
      await eventually(async () => expect(await idOf("skep-acme.solo.1-e1-app")).toBe(""), 30_000);
      // The scheduler places the copy again after 1.2 leases and 6 s.
      expect(performance.now() - pausedAt).toBeLessThan(8_000 * 1.2 + 6_000);
      expect(await idOf("skep-acme.web.6-e1-app")).toBe(neighbour);
      expect(agent.output()).toContain('"event":"guard.ended"');
    } finally {
      scheduler.leaseMs = undefined;
      agent.process.kill("SIGCONT");
    }
    await eventually(() => expect(solo().message).toContain("its lease could not be renewed since"), 15_000);
    expect(await idOf("skep-acme.solo.1-e1-app")).toBe("");
    scheduler.leaseMs = 15_000;
    await eventually(() => expect(solo().state).toBe("running"), 20_000);
    const all = await engine("ps", "-a", "-q", "--no-trunc", "--filter", "label=skep.instance=acme.solo.1");
    expect(all.trim()).toBe(copy);
    assign([box(6), { ...one, desired: "stop" }]);
    await eventually(async () => expect(await idOf("skep-acme.solo.1-e1-app")).toBe(""), 15_000);
  });

  test("told to end, it says so and leaves tenants running", async () => {
    const before = await idOf("skep-acme.web.6-e1-app");
    const ended = once(agent.process, "exit");
    agent.process.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(scheduler.beats.some(beat => beat.leaving)).toBe(true);
    expect(await idOf("skep-acme.web.6-e1-app")).toBe(before);
  });
});

enderContract("a real Docker engine", async () => {
  const run = async (...argv: string[]): Promise<string> =>
    (await engine("run", "-d", ...argv, IMAGE, "sleep", "100000")).trim();
  return {
    ender: createDockerEnder(node.socket),
    runOurs: () => run("--label", "skep.instance=acme.guarded.1"),
    runForeign: () => run("--label", "some=label"),
    isRunning: async id => (await engine("inspect", "-f", "{{.State.Running}}", id)).trim() === "true",
    within: promise => promise,
    close: async () => undefined,
  };
});
