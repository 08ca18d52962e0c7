import { Buffer } from "node:buffer";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, connect as connectTcp, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { readProxyHeader } from "@skep/workspace/gate/proxy-header.ts";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freePort, startChild, type Child } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";
import { startGateRig, type GateRig } from "../../support/gate-rig.ts";

// The stack's own two files, with the ports of this machine in place of a node's.
const STACK = join(import.meta.dirname, "../../../stack");
const PORTS = [80, 443, 1883, 8883, 8083, 8084, 8082];

let rig: GateRig;
let traefik: Child;
let directory: string;
const ports = new Map<number, number>();

beforeAll(async () => {
  rig = await startGateRig();
  directory = await mkdtemp(join(tmpdir(), "skep-edge-"));
  for (const one of PORTS) ports.set(one, await freePort());
  let text = await readFile(join(STACK, "traefik-workspaces.yml"), "utf8");
  for (const [one, mine] of ports) text = text.replace(`address: ":${one}"`, `address: "127.0.0.1:${mine}"`);
  const routes = (await readFile(join(STACK, "mqtt-routes.yml"), "utf8"))
    .replace("gate:1883", `127.0.0.1:${rig.proxiedPort}`)
    .replace("gate:8083", `127.0.0.1:${rig.proxiedWebSocketPort}`);
  await writeFile(join(directory, "routes.yml"), routes);
  await writeFile(
    join(directory, "traefik.yml"),
    text.replace("/etc/traefik/mqtt-routes.yml", `${directory}/routes.yml`),
  );
  const { path } = await resolveProgram("traefik");
  traefik = startChild(path, [`--configFile=${directory}/traefik.yml`]);
  await eventually(async () => {
    const { status } = await fetch(`http://127.0.0.1:${ports.get(8082)}/ping`);
    if (status !== 200) throw new Error(traefik.output());
  }, 30_000);
}, 120_000);
afterAll(async () => {
  await traefik.end();
  await rig.close();
  await rm(directory, { recursive: true, force: true });
});

describe("the edge", () => {
  it.each([
    ["mqtt", 1883],
    ["mqtts", 8883],
    ["ws", 8083],
    ["wss", 8084],
  ] as const)("lets devices in by %s at %i", async (scheme, port) => {
    // An edge that has no routes yet takes the connection and says nothing.
    const patience = { reconnectPeriod: 0, connectTimeout: 2_000 };
    const login = { username: "acme/devices/d1", password: rig.secretOf("acme/d1"), ...patience };
    // Its certificate is one that it made by itself.
    const url = `${scheme}://127.0.0.1:${ports.get(port)}`;
    const device = await eventually(() => connectAsync(url, { ...login, rejectUnauthorized: false }, false), 30_000);
    onTestFinished(() => device.endAsync(true));
    await device.publishAsync("acme/devices/d1/telemetry/x", "1", { qos: 1 });
  });

  it("tells the gate who connects", async () => {
    const heard: Buffer[] = [];
    const gate = createServer(socket => socket.on("data", chunk => heard.push(chunk)).on("error", () => undefined));
    await new Promise<void>(resolve => gate.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void gate.close());
    const own = await freePort();
    const text = await readFile(join(STACK, "mqtt-routes.yml"), "utf8");
    const at = (gate.address() as AddressInfo).port;
    await writeFile(join(directory, "own.yml"), text.replace("gate:1883", `127.0.0.1:${at}`));
    const { path } = await resolveProgram("traefik");
    const args = [`--entrypoints.skep-mqtt.address=127.0.0.1:${own}`, `--providers.file.filename=${directory}/own.yml`];
    const edge = startChild(path, args);
    onTestFinished(() => edge.end());
    await eventually(
      () => {
        const socket = connectTcp({ port: own, host: "127.0.0.1", localAddress: "127.0.0.9" });
        socket.on("error", () => undefined).write("hello");
        setTimeout(() => socket.destroy(), 500);
        const header = heard[0] === undefined ? undefined : readProxyHeader(Buffer.concat(heard));
        expect(header).toMatchObject({ address: "127.0.0.9" });
      },
      15_000,
      300,
    );
  });
});
