import { afterAll, expect, it } from "vitest";
import { docker } from "@skep/devswarm/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { seenContainers, webApp } from "../apps.ts";
import { askSteadily } from "../edge-client.ts";
import { nodeOf, type Platform } from "../platform.ts";
import { agentContainer } from "../thief.ts";
import { answersEverywhere } from "./deploy.ts";

const NODE = "node-2";
const CLONE = "skep-clone";
const STATE = "skep-clone-state";
/** A refused session is forgotten after 30 s of silence. */
const QUIET_MS = 60_000;

/** A second agent with the id, the key and the journal of a node, beside the first. */
export function clonedScenarios(given: () => Platform): void {
  afterAll(() => removeClone(given()));

  it("is recognised and named, while the original goes on and tenants answer all the time", async () => {
    const platform = given();
    const result = await platform.skep(["deploy", "-f", "-"], webApp(platform, "steady", 3));
    expect(result.code, result.stdout + result.stderr).toBe(0);
    await answersEverywhere(platform, "steady.test", 3);
    const before = await runsOf(platform, "default.steady-app");
    const original = await sessionOf(platform);
    const clients = platform.fleet.nodes.map(({ address }) => askSteadily(address, "steady.test", "/status/200"));

    await startClone(platform);
    await eventually(async () => {
      const { stdout } = await platform.skep(["status"]);
      expect(stdout).toMatch(new RegExp(`Two agents speak as node ${NODE} .*session ${original} was there first`));
    }, 30_000);
    // What the node is told is carried out, and the original is the one that reports it.
    const scaled = await platform.skep(["scale", "steady-app=6"]);
    expect(scaled.code, scaled.stdout + scaled.stderr).toBe(0);
    await answersEverywhere(platform, "steady.test", 6, 60_000);
    const during = await runsOf(platform, "default.steady-app");
    expect(during).toHaveLength(6);
    expect(during).toEqual(expect.arrayContaining([...before]));
    expect(await sessionOf(platform)).toBe(original);
    // It hears why with the next report that it tries, and says so where a person finds it.
    await eventually(async () => expect(await cloneLog(platform)).toContain("session.refused"), 15_000);
    const failures = await Promise.all(clients.map(client => client.stop()));
    expect(failures.flatMap(one => one.failures)).toEqual([]);
  });

  it("leaves everything quiet when it goes", async () => {
    const platform = given();
    const [before, original] = [await runsOf(platform, "default.steady-app"), await sessionOf(platform)];
    await removeClone(platform);
    await eventually(async () => {
      const { warnings, nodes } = await platform.client.platform.getStatus({});
      expect([warnings, nodes]).toEqual([[], { ready: platform.fleet.nodes.length }]);
    }, QUIET_MS);
    expect([await runsOf(platform, "default.steady-app"), await sessionOf(platform)]).toEqual([before, original]);
    expect((await platform.skep(["rm", "steady-app"])).code).toBe(0);
    await eventually(async () => expect(await seenContainers(platform, "default.steady-app")).toEqual([]), 30_000);
  });
}

/** Copies the state of the node's agent and starts a second agent on the copy. */
async function startClone(platform: Platform): Promise<void> {
  await removeClone(platform);
  const agent = await agentContainer(platform, NODE);
  const [found] = JSON.parse(await docker(platform.fleet, NODE, ["inspect", agent])) as [Inspected];
  // A copy of the machine's disk has the key, and with it needs no join secret.
  const settings = found.Config.Env.filter(one => one.startsWith("SKEP_"))
    .map(one => one.replace(/JOIN_SECRET_FILE=.*/, "JOIN_SECRET=unknown"))
    .map(one => one.replace(/(PROBE_PORT)=.*/, "$1=7799"));
  const run = ["run", "-d", "--name", CLONE, "--network", `container:${agent}`];
  const copy = ["run", "--rm", "--volumes-from", `${agent}:ro`, "-v", `${STATE}:/copy`, "--entrypoint", "cp"];
  await docker(platform.fleet, NODE, [...copy, found.Image, "-a", "/var/lib/skep/.", "/copy/"]);
  const env = settings.flatMap(one => ["-e", one]);
  const mounts = ["/sys/fs/cgroup:/host/sys/fs/cgroup:ro", "/proc:/host/proc:ro", `${STATE}:/var/lib/skep`];
  const socket = found.Mounts.find(one => one.Destination === "/var/run/docker.sock");
  const binds = [...mounts, `${socket?.Source}:/var/run/docker.sock`].flatMap(one => ["-v", one]);
  await docker(platform.fleet, NODE, [...run, ...env, ...binds, found.Image]);
}

interface Inspected {
  readonly Image: string;
  readonly Config: { readonly Env: readonly string[] };
  readonly Mounts: readonly { readonly Source: string; readonly Destination: string }[];
}

async function removeClone(platform: Platform): Promise<void> {
  await docker(platform.fleet, NODE, ["rm", "-f", CLONE]).catch(() => "");
  await docker(platform.fleet, NODE, ["volume", "rm", STATE]).catch(() => "");
}

/** `docker logs` tells what the agent writes to its standard output. */
async function cloneLog(platform: Platform): Promise<string> {
  return docker(platform.fleet, NODE, ["logs", CLONE]);
}

async function sessionOf(platform: Platform): Promise<string> {
  const id = nodeOf(platform.fleet, NODE).swarmId;
  const [row] = await platform.sql(`SELECT session_id FROM node_metadata WHERE node_id = '${id}'`);
  return String(row?.["session_id"]);
}

/** What runs by the records, once that is what the engines say. */
async function runsOf(platform: Platform, deployment: string): Promise<readonly string[]> {
  return eventually(async () => {
    const rows = await platform.sql(`SELECT instance_id, epoch, node_id, c ->> 'id' AS id FROM deployment_locations,
      jsonb_array_elements(containers) c WHERE deployment_id = '${deployment}' AND status = 'running'`);
    const recorded = rows
      .map(row => [row["instance_id"], row["epoch"], row["node_id"], row["id"]].join(" "))
      .toSorted();
    const seen = await seenContainers(platform, deployment);
    expect(recorded).toEqual(seen.map(one => `${one.instance} ${one.epoch} ${one.nodeId} ${one.id}`).toSorted());
    return recorded;
  }, 30_000);
}
