import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as fleets from "@skep/devswarm/fleet.ts";
import type { Fleet } from "@skep/devswarm/fleet.ts";
import { adoptLocalEngine } from "@skep/devswarm/local-engine.ts";
import { whyNoFleet } from "@skep/devswarm/prerequisites.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { tinyRoot } from "./tiny-image.ts";
import { tracesOf } from "./traces.ts";

const reason = whyNoFleet();
if (reason !== undefined) process.stderr.write(`The tests of devswarm are skipped: ${reason}.\n`);

const names = ["devtest", "devtest2"] as const;
const options = { name: "devtest", nodes: 3, managers: 1, onStep: report } as const;
const mainFile = join(import.meta.dirname, "../../packages/devswarm/src/main.ts");
/** Engines that start or come back on a busy machine. */
const PATIENCE_MS = 60_000;
const stateFile = "/run/skep/devtest/state.json";
let before: readonly string[] = [];
let fleet: Fleet;
let files: string;

function report(text: string, ms: number): void {
  process.stdout.write(`  ${text}: ${ms} ms\n`);
}

async function timed<T>(text: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  report(text, Math.round(performance.now() - startedAt));
  return result;
}

function nodeAddress(name: string): string {
  return fleet.nodes.find(node => node.name === name)?.address ?? "";
}

async function get(host: string, port: number, path = "/", timeoutMs = 2_000): Promise<string> {
  const answer = await fetch(`http://${host}:${port}${path}`, { signal: AbortSignal.timeout(timeoutMs) });
  return answer.text();
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (value: boolean) => (): void => {
      socket.destroy();
      resolve(value);
    };
    socket.on("connect", end(true)).on("error", end(false)).on("timeout", end(false));
  });
}

async function stateInSwarm(node: string): Promise<string> {
  return (await fleets.docker(fleet, "node-1", ["node", "inspect", "-f", "{{.Status.State}}", node])).trim();
}

async function expectState(node: string, state: string): Promise<void> {
  await eventually(async () => expect(await stateInSwarm(node)).toBe(state), 90_000);
}

const stack = (image: string): string => `
version: "3.8"
services:
  web:
    image: ${image}
    deploy: { mode: global, endpoint_mode: dnsrr }
    networks: [front]
    ports: [{ target: 8080, published: 8080, mode: host }]
    secrets: [word]
    configs: [{ source: sentence, target: /sentence }]
networks: { front: { driver: overlay, attachable: true } }
secrets: { word: { file: ./word } }
configs: { sentence: { file: ./sentence } }
`;

describe.skipIf(reason !== undefined)("a fleet of three engines", () => {
  beforeAll(async () => {
    for (const name of names) await fleets.downFleet(name);
    before = tracesOf(names);
    files = mkdtempSync(join(tmpdir(), "devswarm-test-"));
    fleet = await timed("up", () => fleets.upFleet(options));
  });

  afterAll(async () => {
    for (const name of names) await fleets.downFleet(name);
    rmSync(files, { recursive: true, force: true });
  });

  test("is one swarm whose nodes have their own names and addresses", async () => {
    const listed = await fleets.docker(fleet, "node-1", [
      "node",
      "ls",
      "--format",
      "{{.Hostname}} {{.Status}} {{.ManagerStatus}}",
    ]);
    expect(
      listed
        .trim()
        .split("\n")
        .map(line => line.trim())
        .sort(),
    ).toEqual(["node-1 Ready Leader", "node-2 Ready", "node-3 Ready"]);
    for (const { name, address } of fleet.nodes) {
      const seen = await fleets.execOnNode(fleet, name, [
        "sh",
        "-c",
        "hostname; ip -4 -brief address show eth0; docker info -f '{{.Name}}'; mountpoint /etc/docker",
      ]);
      // Its own /etc/docker: the key of an engine that the host ran before would make all nodes one
      // engine.
      const own = "/etc/docker is a mountpoint\\n";
      expect(seen.stdout).toMatch(new RegExp(`^${name}\\neth0\\S* +UP +${address}/24 \\n${name}\\n${own}$`));
    }
    const ids = await Promise.all(
      fleet.nodes.map(node => fleets.docker(fleet, node.name, ["info", "-f", "{{.ID}} {{.Swarm.NodeID}}"])),
    );
    expect(new Set(ids.map(id => id.split(" ")[0])).size).toBe(3);
    expect(ids.map(id => id.split(" ")[1]?.trim())).toEqual(fleet.nodes.map(node => node.swarmId));
  });

  test("is returned as it is when it is wanted again, and found by its name", async () => {
    expect(await timed("up again", () => fleets.upFleet(options))).toEqual(fleet);
    expect(await fleets.openFleet("devtest")).toEqual(fleet);
    expect(await fleets.openFleet("nosuch")).toBeUndefined();
  });

  test("runs a stack on every node, with secrets, configs, an overlay and host ports that the host reaches", async () => {
    const image = `${fleet.registry}/tiny:1`;
    await timed("import", async () =>
      fleets.docker(fleet, "node-1", ["import", "--change", 'CMD ["perl","/server.pl","8080"]', "-", image], {
        input: await tinyRoot(),
      }),
    );
    await timed("push", () => fleets.docker(fleet, "node-1", ["push", image]));
    for (const [file, text] of [
      ["stack.yml", stack(image)],
      ["word", "w0rd"],
      ["sentence", "one two"],
    ] as const)
      writeFileSync(join(files, file), text);
    await timed("stack deploy, all three answering", async () => {
      await fleets.docker(fleet, "node-1", ["stack", "deploy", "-c", join(files, "stack.yml"), "tiny"]);
      for (const node of fleet.nodes) await eventually(() => get(node.address, 8080), PATIENCE_MS);
    });
    const answers = await Promise.all(fleet.nodes.map(node => get(node.address, 8080, "/run/secrets/word")));
    expect(new Set(answers.map(answer => answer.split(" ")[0])).size).toBe(3);
    expect(answers.every(answer => answer.endsWith(" w0rd"))).toBe(true);
    expect(await get(nodeAddress("node-3"), 8080, "/sentence")).toMatch(/ one two$/);
  });

  test("carries the overlay's names and traffic between nodes, also for a plain container", async () => {
    const image = `${fleet.registry}/tiny:1`;
    const askAll =
      "while read address kind rest; do [ $kind = STREAM ] && perl /client.pl $address 8080 / && echo; done";
    const tasks = await Promise.all(fleet.nodes.map(node => get(node.address, 8080)));
    const run = ["run", "--rm", "--network", "tiny_front", image, "sh", "-c", `getent ahosts web | ${askAll}; true`];
    // The names of tasks on other nodes arrive by gossip, a moment after the tasks run.
    await eventually(async () => {
      const said = await fleets.docker(fleet, "node-2", run);
      expect(said.trim().split("\n").sort()).toEqual([...tasks].sort());
    }, PATIENCE_MS);
  });

  test("fails fast on names that nobody bears, and reaches nothing outside this machine", async () => {
    const image = `${fleet.registry}/tiny:1`;
    const startedAt = performance.now();
    await expect(
      fleets.docker(fleet, "node-2", ["run", "--rm", image, "getent", "ahosts", "nosuch.example"]),
    ).rejects.toThrow(/code 2/);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    const route = await fleets.execOnNode(fleet, "node-2", ["ip", "route", "get", "192.0.2.77"]);
    expect(route.stderr).toMatch(/unreachable/i);
  });

  test("forwards a port of localhost to a node, and reports what the docker client said", async () => {
    const opened = await fleets.forward(fleet, { port: 0 }, { node: "node-2", port: 8080 });
    expect(await get("127.0.0.1", opened.port)).toBe(await get(nodeAddress("node-2"), 8080));
    await opened.close();
    expect(await canConnect("127.0.0.1", opened.port)).toBe(false);
    await expect(fleets.docker(fleet, "node-1", ["inspect", "nosuch"])).rejects.toMatchObject({
      stderr: expect.stringMatching(/no such object/i),
    });
    await expect(fleets.docker(fleet, "node-9", ["info"])).rejects.toThrow(
      /has no node "node-9"; it has node-1, node-2, node-3/,
    );
  });

  test("a paused node hangs with its containers, and goes on when it is resumed", async () => {
    const address = nodeAddress("node-3");
    await fleets.pauseNode(fleet, "node-3");
    await expect(get(address, 8080)).rejects.toThrow(/timeout/i);
    await timed("a paused node is down for the swarm", () => expectState("node-3", "down"));
    await fleets.resumeNode(fleet, "node-3");
    await timed("a resumed node is ready again", () => expectState("node-3", "ready"));
    await eventually(() => get(address, 8080), PATIENCE_MS);
  });

  test("a cut node runs on, unreachable, and comes back when it is healed", async () => {
    await fleets.cutNode(fleet, "node-3");
    expect(await canConnect(nodeAddress("node-3"), 8080)).toBe(false);
    const inside = await fleets.execOnNode(fleet, "node-3", ["docker", "ps", "-q"]);
    expect(inside.stdout.trim()).not.toBe("");
    await fleets.healNode(fleet, "node-3");
    await eventually(() => get(nodeAddress("node-3"), 8080), PATIENCE_MS);
    await expectState("node-3", "ready");
  });

  test("a killed node is gone at once with all its processes, and rejoins when it is started", async () => {
    const image = `${fleet.registry}/tiny:1`;
    await fleets.docker(fleet, "node-2", ["run", "-d", "--name", "plain", image]);
    expect(tracesOf(names).filter(line => line.includes("sk-devtest-node-2/")).length).toBeGreaterThan(4);
    await timed("kill", () => fleets.killNode(fleet, "node-2"));
    expect(tracesOf(names).filter(line => line.includes("node-2"))).toEqual([]);
    expect(await canConnect(nodeAddress("node-2"), 8080)).toBe(false);
    await expect(fleets.execOnNode(fleet, "node-2", ["true"])).rejects.toThrow(/not running/);
    await timed("a killed node is down for the swarm", () => expectState("node-2", "down"));
    await timed("start", () => fleets.startNode(fleet, "node-2"));
    await timed("a started node is ready again", () => expectState("node-2", "ready"));
    await timed("its service answers again", () => eventually(() => get(nodeAddress("node-2"), 8080), PATIENCE_MS));
    expect(await fleets.docker(fleet, "node-2", ["inspect", "-f", "{{.State.Status}}", "plain"])).toBe("exited\n");
  });

  test("a node that is killed while paused, or whose engine died, can be started again", async () => {
    await fleets.pauseNode(fleet, "node-3");
    await fleets.killNode(fleet, "node-3");
    expect(tracesOf(names).filter(line => line.includes("node-3"))).toEqual([]);
    await fleets.startNode(fleet, "node-3");
    await expectState("node-3", "ready");
    await fleets.execOnNode(fleet, "node-3", ["sh", "-c", "kill -9 $(cat /run/docker.pid)"]);
    await eventually(
      () => expect(fleets.execOnNode(fleet, "node-3", ["true"])).rejects.toThrow(/not running/),
      PATIENCE_MS,
    );
    await fleets.startNode(fleet, "node-3");
    expect(await fleets.docker(fleet, "node-3", ["info", "-f", "{{.Name}}"])).toBe("node-3\n");
  });

  test("gives each node files of its own below /var/lib and /etc, which survive its death", async () => {
    for (const { name } of fleet.nodes) {
      await fleets.execOnNode(fleet, name, ["sh", "-c", "mkdir -p /var/lib/devtest; hostname > /var/lib/devtest/name"]);
    }
    await fleets.killNode(fleet, "node-2");
    await fleets.startNode(fleet, "node-2");
    for (const { name } of fleet.nodes) {
      const seen = await fleets.execOnNode(fleet, name, ["cat", "/var/lib/devtest/name", "/etc/hostname"]);
      expect(seen.stdout).toBe(`${name}\n${name}\n`);
    }
    expect(existsSync("/var/lib/devtest")).toBe(false);
  });

  test("lives beside another fleet, in another subnet, and outlives it", async () => {
    const other = await timed("up of a second fleet", () =>
      fleets.upFleet({ name: "devtest2", nodes: 2, managers: 2 }),
    );
    expect(other.subnet).not.toBe(fleet.subnet);
    expect(await fleets.docker(other, "node-2", ["node", "ls", "-q"])).toMatch(/^\w+\n\w+\n$/);
    await fleets.downFleet("devtest2");
    expect(tracesOf(names).filter(line => line.includes("devtest2"))).toEqual([]);
    expect(await get(nodeAddress("node-1"), 8080)).toMatch(/^[0-9a-f]{12}/);
  });

  test("is adopted as a swarm of one by who finds an engine, which stays when it is given back", async () => {
    const other = await fleets.upFleet({ name: "devtest2", nodes: 1, managers: 1 });
    const socket = other.nodes[0]?.socket ?? "";
    const adopted = await adoptLocalEngine({ ask: () => Promise.reject(new Error("must not ask")), socket });
    expect(adopted?.nodes[0]).toMatchObject({ name: "node-1", role: "manager", swarmId: other.nodes[0]?.swarmId });
    await adopted?.down();
    expect(await fleets.docker(other, "node-1", ["node", "ls", "-q"])).not.toBe("");
    await fleets.docker(other, "node-1", ["swarm", "leave", "--force"]);
    expect(await adoptLocalEngine({ ask: () => Promise.resolve(false), socket })).toBeUndefined();
    const several = { ask: () => Promise.reject(new Error("must not ask")), socket: fleet.nodes[0]?.socket ?? "" };
    await expect(adoptLocalEngine(several)).rejects.toThrow("a swarm of 3 nodes");
    const formed = await adoptLocalEngine({ ask: () => Promise.resolve(true), socket });
    expect(formed?.nodes[0]?.swarmId).toMatch(/^\w+$/);
    await formed?.down();
    expect(await fleets.docker(other, "node-1", ["info", "-f", "{{.Swarm.LocalNodeState}}"])).toBe("inactive\n");
    await fleets.downFleet("devtest2");
  });

  test("leaves nothing on the machine when it is taken down, twice if need be", async () => {
    await timed("down", () => fleets.downFleet("devtest"));
    expect(tracesOf(names)).toEqual(before);
    await fleets.downFleet("devtest");
    expect(tracesOf(names)).toEqual(before);
    expect(await fleets.openFleet("devtest")).toBeUndefined();
  });

  test("forgets containers, volumes and services of its former run, and keeps images", async () => {
    fleet = await timed("second up", () => fleets.upFleet(options));
    for (const list of [
      ["service", "ls", "-q"],
      ["container", "ls", "-aq"],
      ["volume", "ls", "-q"],
      ["secret", "ls", "-q"],
    ]) {
      expect(await fleets.docker(fleet, "node-1", list)).toBe("");
    }
    expect(await fleets.docker(fleet, "node-2", ["container", "ls", "-aq"])).toBe("");
    // As many directories as images have layers: none is left of the former containers.
    const root = (await fleets.docker(fleet, "node-1", ["info", "-f", "{{.DockerRootDir}}"])).trim();
    const layers = readdirSync(join(root, "image/overlay2/layerdb/sha256"));
    expect(layers.length).toBeGreaterThan(0);
    expect(readdirSync(join(root, "overlay2")).filter(name => name !== "l")).toHaveLength(layers.length);
    const image = `${fleet.registry}/tiny:1`;
    expect(await fleets.docker(fleet, "node-1", ["run", "--rm", image, "cat", "/etc/passwd"])).toMatch(/^root/);
    expect(await fleets.docker(fleet, "node-3", ["pull", "-q", image])).toMatch(/tiny/);
    await fleets.downFleet("devtest");
  });

  test("continues its former swarm, with services and volumes, when it is not to be fresh", async () => {
    fleet = await fleets.upFleet({ ...options, nodes: 2 });
    const image = `${fleet.registry}/tiny:1`;
    const service = ["--name", "kept", "--mode", "global", "--publish", "mode=host,target=8080,published=8081", image];
    await fleets.docker(fleet, "node-1", ["service", "create", "--detach=false", "-q", ...service]);
    await fleets.docker(fleet, "node-1", ["volume", "create", "kept"]);
    await fleets.downFleet("devtest");
    const again = await timed("up that continues", () => fleets.upFleet({ ...options, nodes: 2, fresh: false }));
    expect(again).toEqual(fleet);
    for (const node of fleet.nodes) await eventually(() => get(node.address, 8081), PATIENCE_MS);
    expect(await fleets.docker(fleet, "node-1", ["volume", "ls", "-q"])).toBe("kept\n");
    await fleets.downFleet("devtest");
  });

  test("starts at the same time as another fleet, each in a subnet of its own", async () => {
    const both = await Promise.all(names.map(name => fleets.upFleet({ name, nodes: 1, managers: 1 })));
    expect(new Set(both.map(each => each.subnet)).size).toBe(2);
    await Promise.all(names.map(name => fleets.downFleet(name)));
    expect(tracesOf(names)).toEqual(before);
  });

  test("starts after the process that was starting it was killed half-way, at any moment", async () => {
    for (const delayMs of [150, 700, 1_300]) {
      const child = spawn(process.execPath, [mainFile, "up", "--fleet", "devtest"], { stdio: "ignore" });
      const ended = new Promise(resolve => child.once("close", resolve));
      await eventually(async () => readFileSync(stateFile, "utf8"), PATIENCE_MS);
      await sleep(delayMs);
      child.kill("SIGKILL");
      await ended;
      fleet = await timed(`up after a kill at ${delayMs} ms`, () => fleets.upFleet(options));
      expect(await fleets.docker(fleet, "node-1", ["node", "ls", "-q"])).toMatch(/^(\w+\n){3}$/);
      await fleets.downFleet("devtest");
      expect(tracesOf(names)).toEqual(before);
    }
  });

  test("is removed by Ctrl-C while it starts and while it is held", async () => {
    for (const phase of ["starting", "up"]) {
      const child = spawn(process.execPath, [mainFile, "up", "--hold", "--fleet", "devtest"], { stdio: "ignore" });
      const code = new Promise(resolve => child.once("close", resolve));
      await eventually(
        async () => expect(readFileSync(stateFile, "utf8")).toContain(`"phase": "${phase}"`),
        PATIENCE_MS,
      );
      child.kill("SIGINT");
      expect(await code).toBe(130);
      expect(tracesOf(names)).toEqual(before);
    }
  });

  test("is not started under a name or a size that cannot be", async () => {
    await expect(fleets.upFleet({ ...options, name: "no good" })).rejects.toThrow(/cannot be the name of a fleet/);
    await expect(fleets.upFleet({ ...options, managers: 4 })).rejects.toThrow(/1 to 3 managers, not 4/);
  });
});
