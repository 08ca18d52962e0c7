import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { NetService } from "@skep/api/gen/skep/v1/net_pb.ts";
import { fullMessage } from "@skep/netd/testing/states.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChild, type Child } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";
import { openNetRig, type NetRig, type Speaker } from "../../support/net-rig.ts";

const MAIN = join(import.meta.dirname, "../../../packages/netd/src/main.ts");

let dir: string;
let rig: NetRig;
let netd: Child;
let sandboxes: readonly [string, string];
let speakers: readonly Speaker[];

function begin(): void {
  const SKEP_NETD_SOCKET = join(dir, "run/netd.sock");
  const env = { ...process.env, SKEP_NETD_SOCKET, SKEP_STATE_DIR: join(dir, "state") };
  const [program = "", ...args] = rig.nodes[0]!.argv(process.execPath, MAIN);
  netd = startChild(program, args, { env });
}

function client(): Client<typeof NetService> {
  const nodeOptions = { socketPath: join(dir, "run/netd.sock") };
  return createClient(NetService, createConnectTransport({ baseUrl: "http://netd", httpVersion: "1.1", nodeOptions }));
}

/** Both sandboxes of the sample in one network, so that they can speak. */
function state(revision: bigint) {
  const told = fullMessage(sandboxes);
  for (const one of told.attachments) one.networks = [1];
  return { ...told, revision };
}

const ask = () => speakers[0]!.tell({ kind: "tcp", host: "10.128.0.3", port: 80 });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "skep-netd-"));
  rig = await openNetRig(1);
  sandboxes = [await rig.sandbox("one"), await rig.sandbox("two")];
  speakers = [await rig.speakIn("one"), await rig.speakIn("two", "tcp:80")];
  begin();
});

afterAll(async () => {
  await netd?.end();
  await rig?.close();
  await rm(dir, { recursive: true });
});

describe("the process of netd", () => {
  it("makes the network that it is told", async () => {
    const { faults } = await eventually(() => client().apply({ state: state(1n) }), 15_000);
    expect(faults).toEqual([]);
    expect(await ask()).toBe("two saw 10.128.0.2");
  });

  it("says that it lives, to its node alone", async () => {
    const program = "fetch('http://127.0.0.1:7704/livez').then(answer => console.log(answer.status))";
    expect((await rig.nodes[0]!.run([process.execPath, "-e", program])).trim()).toBe("200");
    expect(await speakers[0]!.tell({ kind: "tcp", host: "198.18.0.11", port: 7704 })).toBe("ECONNREFUSED");
  });

  it("leaves the network when it is killed, and keeps it again by itself", async () => {
    await netd.end("SIGKILL");
    expect(await ask()).toBe("two saw 10.128.0.2");
    await rig.nodes[0]!.run(["ip", "route", "delete", "10.128.0.3"]);
    expect(await ask()).not.toContain("saw");
    begin();
    await eventually(async () => expect(await ask()).toBe("two saw 10.128.0.2"), 15_000);
    expect(await eventually(() => client().inspect({}))).toMatchObject({ revision: 1n, repairs: 0n });
    expect((await client().apply({ state: state(2n) })).done).toEqual([]);
  });

  it("ends when it is told to, and leaves the network", async () => {
    await netd.end();
    expect(netd.process.exitCode).toBe(0);
    expect(await ask()).toBe("two saw 10.128.0.2");
  });
});
