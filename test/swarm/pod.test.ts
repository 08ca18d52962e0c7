import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publishImages } from "@skep/deploy/images/publish.ts";
import { docker, downFleet, upFleet, type Fleet, type FleetNode } from "@skep/devswarm/fleet.ts";
import { signCall } from "@skep/kit/workspace-token.ts";
import { WorkspaceDesired } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import { connectorToProto } from "@skep/api/codec/connector.ts";
import { aConnector } from "@skep/core/testing/connector.ts";
import type { SkepClient } from "@skep/sdk/index.ts";
import { connect as connectApi } from "@skep/sdk/node.ts";
import { connectAsync } from "mqtt";
import { io } from "socket.io-client";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { importBusybox } from "../support/busybox.ts";
import { freePort, startChild, type Child } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { startStoreServer } from "../support/postgres.ts";
import { startScheduler, type SchedulerProcess } from "../support/scheduler-process.ts";
import { createDevices } from "../support/workspace-fleet.ts";
import { startTraefik, type Traefik } from "../support/traefik.ts";
import { root } from "../tidy/sources.ts";

const PAUSE = "skep-test/box";
const FLEET = "podtest";
const SECRET = "sk_live_0123456789";
const GATE_SECRET = "what-the-gates-show";
const ID = "fleet";
const DEPLOYMENT = `default.ws_${ID}`;

let fleet: Fleet;
let node: FleetNode;
let scheduler: SchedulerProcess;
let client: SkepClient;
let gatePort: number;
let edge: Traefik;
const ends: (() => Promise<unknown>)[] = [];

const engine = (...argv: string[]): Promise<string> => docker(fleet, node.name, argv);
const container = async (name: string): Promise<string> =>
  (await engine("ps", "-q", "--no-trunc", "--filter", `name=-${name}$`)).trim();

// One real engine; a scheduler, an agent, a gate and an edge as processes beside it.
beforeAll(async () => {
  fleet = await upFleet({ name: FLEET, nodes: 1, managers: 1 });
  ends.push(() => downFleet(FLEET));
  node = fleet.nodes[0]!;
  await importBusybox(argv => docker(fleet, node.name, argv), PAUSE);
  const images = await publishImages({
    docker: (argv, options) => docker(fleet, node.name, argv, options),
    ...{ socket: node.socket, registry: "", which: ["workspace", "mosquitto", "mongo", "versitygw"] },
  });
  const [store, nats] = await Promise.all([startStoreServer(), startNatsServer()]);
  ends.push(
    () => store.server.close(),
    () => nats.close(),
  );
  const edgePort = await freePort();
  scheduler = await startScheduler(store.server, await store.createDatabase(), nats, [], apiPort => ({
    SKEP_WORKSPACE_API_URL: `http://${fleet.hostAddress}:${apiPort}`,
    ...{ SKEP_WORKSPACE_IMAGE: images.workspace, SKEP_MOSQUITTO_IMAGE: images.mosquitto },
    ...{ SKEP_MONGO_IMAGE: images.mongo, SKEP_VERSITYGW_IMAGE: images.versitygw },
    // The API is open: the host in a pod is known by what it shows all the same.
    ...{ SKEP_API_OPEN: "yes", SKEP_GATE_SECRET: GATE_SECRET, SKEP_EDGE_PORT: String(edgePort) },
  }));
  ends.push(() => scheduler.close());
  client = connectApi({ url: scheduler.apiUrl });
  edge = await startTraefik(`http://127.0.0.1:${edgePort}/routes`);
  ends.push(() => edge.close());
  const stateDir = await mkdtemp(join(tmpdir(), "skep-pod-"));
  ends.push(() => rm(stateDir, { recursive: true, force: true }));
  program("agent/src/main.ts", {
    ...{ SKEP_NATS_URL: nats.url, SKEP_NATS_USER: "agent", SKEP_PROBE_PORT: String(await freePort()) },
    ...{ SKEP_STATE_DIR: stateDir, SKEP_DOCKER_SOCKET: node.socket, SKEP_PAUSE_IMAGE: PAUSE },
  });
  gatePort = await freePort();
  const gate = program("workspace/src/gate/main.ts", {
    ...{ SKEP_URL: scheduler.apiUrl, SKEP_BROKER_HOST: "127.0.0.1", SKEP_BROKER_PORT: String(await freePort()) },
    ...{ SKEP_MQTT_PORT: String(gatePort), SKEP_MQTT_WEBSOCKET_PORT: "0", SKEP_GATE_PROBE_PORT: "0" },
    SKEP_GATE_SECRET: GATE_SECRET,
  });
  await eventually(() => expect(gate.output()).toContain("gate.listening"), 20_000);
});

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

function program(file: string, environment: Readonly<Record<string, string>>): Child {
  const options = { cwd: root, env: { ...process.env, ...environment } };
  const child = startChild(process.execPath, [join(root, "packages", file)], options);
  ends.push(() => child.end("SIGKILL"));
  return child;
}

async function create(): Promise<void> {
  const connector = aConnector({ id: ID }, { secret: SECRET }, {}, "standalone");
  await client.workspaces.createWorkspace({ tenantId: "default", connector: connectorToProto(connector) });
}

async function untilActive(): Promise<void> {
  await eventually(async () => {
    const { status, lastError } = await client.containers.getContainerStatus({ containerId: ID });
    const { workspace } = await client.workspaces.getWorkspace({ workspaceId: ID });
    expect(status, `${lastError} ${workspace?.waiting}`).toBe("healthy");
  }, 60_000);
}

async function readFile(name: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const { content } of client.files.readFile({ workspaceId: ID, name })) parts.push(content);
  return Buffer.concat(parts).toString();
}

it("a standalone workspace runs in a pod of its own: what a device publishes through the gate is stored there", async () => {
  await create();
  await untilActive();
  expect((await client.workspaces.getWorkspace({ workspaceId: ID })).workspace?.location?.nodeId).toBe(node.swarmId);

  // By the edge, as everybody from outside: sockets, and calls of its data.
  const url = `http://127.0.0.1:${edge.ports.web}/ws/${ID}`;
  const socket = io(url, { path: `/ws/${ID}/socket.io`, transports: ["websocket"], auth: { secret: SECRET } });
  onTestFinished(() => void socket.disconnect());
  const heard: unknown[] = [];
  socket.on("event", ({ data }: { readonly data: unknown }) => heard.push(data));
  await eventually(() => expect(socket.connected).toBe(true), 10_000);
  expect(await socket.emitWithAck("subscribe", { filters: ["devices/#"] })).toMatchObject({ ok: true });

  const [device] = await createDevices(client, ID, 1, true);
  const login = { username: device!.user, password: device!.secret };
  const one = await connectAsync(`mqtt://127.0.0.1:${gatePort}`, { ...login, protocolVersion: 5 });
  onTestFinished(() => one.endAsync(true));
  await one.publishAsync(`${device!.user}/telemetry/speed`, '{"kmh":80}', { qos: 1 });
  // It is told to sockets once a majority of the database has it.
  await eventually(() => expect(heard).toHaveLength(1), 10_000);
  const listed = async (token: string): Promise<unknown> => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    return (await fetch(`${url}/skep.v1.MessageService/ListMessages`, { method: "POST", body: "{}", headers })).json();
  };
  const token = signCall(ID, SECRET, "data", "test", Date.now());
  expect(await listed(token)).toMatchObject({ messages: [{ deviceId: "d0", type: "speed", value: { kmh: 80 } }] });
  expect(await listed(signCall(ID, "another secret", "data", "test", Date.now()))).toMatchObject({
    code: "unauthenticated",
  });

  const { uploadId } = await client.files.beginUpload({ workspaceId: ID, name: "maps/a.txt", size: 5n });
  await client.files.writeUpload({ workspaceId: ID, uploadId, content: Buffer.from("hello") });
  await client.files.finishUpload({ workspaceId: ID, uploadId });
  expect(await readFile("maps/a.txt")).toBe("hello");

  for (const name of ["host", "mosquitto", "mongod", "versitygw"]) {
    const [inspected] = JSON.parse(await engine("inspect", await container(name))) as [
      { Config: { Cmd: string[]; Labels: object; Env: string[] }; HostConfig: { Memory: number } },
    ];
    const shown = JSON.stringify([
      inspected.Config.Cmd,
      inspected.Config.Labels,
      await engine("top", await container(name)),
    ]);
    const secrets = inspected.Config.Env.filter(line =>
      /^(SKEP_HOST_SECRET|SKEP_MQTT_PASSWORD|SKEP_S3_SECRET_KEY|ROOT_SECRET_KEY|PASSWORDS)=/.test(line),
    );
    for (const line of secrets) expect(shown).not.toContain(line.slice(line.indexOf("=") + 1));
    expect(inspected.HostConfig.Memory).toBeGreaterThan(0);
    expect(await engine("logs", await container(name))).not.toContain(SECRET);
  }
});

it("keeps its data as it is stopped and dropped, finds it again, and loses it where that is asked", async () => {
  const volumes = async () => (await client.volumes.listVolumes({ owner: DEPLOYMENT })).volumes.map(one => one.name);
  const onEngine = async () => (await engine("volume", "ls", "-q")).split("\n").filter(one => one.includes(`ws_${ID}`));
  const all = ["broker", "database", "files"];
  await client.workspaces.updateWorkspace({ workspaceId: ID, desired: WorkspaceDesired.STOPPED });
  await eventually(async () => expect(await container("host")).toBe(""), 60_000);
  const { data } = await client.workspaces.deleteWorkspace({ workspaceId: ID });
  expect(data).toEqual([
    expect.stringMatching(/^The volumes broker, database, files of its pod stay on .*skep volume rm/),
  ]);
  await eventually(async () => {
    expect((await client.deployments.listDeployments({})).deployments).toEqual([]);
    expect((await client.workspaces.listWorkspaces({})).workspaces).toEqual([]);
  }, 60_000);
  expect([await volumes(), (await onEngine()).length]).toEqual([all, 3]);
  await create();
  await untilActive();
  expect(await readFile("maps/a.txt")).toBe("hello");
  await client.workspaces.deleteWorkspace({ workspaceId: ID, removeData: true });
  await eventually(async () => expect([await volumes(), await onEngine()]).toEqual([[], []]), 60_000);
  expect((await client.deployments.listDeployments({})).deployments).toEqual([]);
});
