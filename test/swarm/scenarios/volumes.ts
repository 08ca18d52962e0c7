import { expect, it } from "vitest";
import { docker, killNode, startNode } from "@skep/devswarm/fleet.ts";
import { InstanceState, Liveness, type Instance } from "@skep/sdk/index.ts";
import { eventually } from "../../support/eventually.ts";
import { askEdge } from "../edge-client.ts";
import type { Platform } from "../platform.ts";

const ID = "default.keeper-app";
const OWNER = "default/keeper";
const HOST = "keeper.test";

/** Data stays where it is: an app with a volume waits for the node that has it. */
export function volumeScenarios(given: () => Platform): void {
  let home = "";
  let born = "";

  it("serves what it wrote into its volume, and the volume's node is listed", async () => {
    const platform = given();
    const result = await platform.skep(["deploy", "-f", "-"], keeper(platform));
    expect(result.code, result.stdout + result.stderr).toBe(0);
    born = await servedEverywhere(platform);
    const { hostname, epoch } = await instanceOf(platform);
    home = hostname;
    expect(epoch).toBe(1);
    const { volumes } = await platform.client.volumes.listVolumes({ owner: OWNER });
    expect(volumes).toMatchObject([{ name: "data", nodeHostname: home, deploymentIds: [ID] }]);
    expect(volumes[0]?.instanceIds).toHaveLength(1);
    expect((await platform.skep(["volume", "list"])).stdout).toMatch(new RegExp(`keeper/data +${home} +\\d+ +kept`));
  });

  it("waits for its node while that is away, is placed nowhere else, and says so", async () => {
    const platform = given();
    await killNode(platform.fleet, home);
    const awaited = new RegExp(`it waits for ${home}, which has its volume data and is down since`);
    await eventually(
      async () => expect((await instanceOf(platform)).refusal?.advice ?? "").toMatch(awaited),
      60_000,
      250,
    );
    const explained = await platform.skep(["explain", "keeper-app"]);
    expect(explained.stdout.split("Decided lately")[0]).toMatch(awaited);
    // The other node fits but for the data: with what is left of the fleet, only the wait keeps it
    // from there.
    const others = platform.fleet.nodes.filter(node => node.name !== home);
    for (const { name, address } of others) {
      const label = `label=skep.deployment=${ID}`;
      expect(await docker(platform.fleet, name, ["ps", "-aq", "--filter", label]), name).toBe("");
      expect((await askEdge(address, HOST, "/born")).status, name).not.toBe(200);
    }
  });

  it("runs there again with its data when the node returns", async () => {
    const platform = given();
    await startNode(platform.fleet, home);
    expect(await servedEverywhere(platform)).toBe(born);
    await eventually(async () => {
      const instance = await instanceOf(platform);
      // The first placement still: it was placed nowhere else in between, however briefly.
      expect([instance.hostname, instance.epoch, instance.state]).toEqual([home, 1, InstanceState.RUNNING]);
      expect(instance.refusal).toBeUndefined();
    }, 60_000);
    const starts = await platform.skep(["exec", "keeper-app", "--", "cat", "/data/starts"]);
    expect(starts.stdout.split("\n").filter(Boolean).length, starts.stderr).toBeGreaterThan(1);
    await eventually(async () => {
      const { nodes } = await platform.client.nodes.listNodes({});
      expect(nodes.map(node => node.liveness)).toEqual(nodes.map(() => Liveness.READY));
    }, 60_000);
  });

  it("keeps the data of a removed app until a person removes it", async () => {
    const platform = given();
    const onNode = (): Promise<string> =>
      docker(platform.fleet, home, ["volume", "ls", "-q", "--filter", `name=skep-${OWNER.replace("/", ".")}.data.`]);
    const listed = async (): Promise<unknown[]> =>
      (await platform.client.volumes.listVolumes({ owner: OWNER })).volumes;
    await platform.client.deployments.deleteDeployment({ deploymentId: ID });
    await eventually(async () => {
      const unused = { name: "data", nodeHostname: home, deploymentIds: [], instanceIds: [] };
      expect(await listed()).toMatchObject([unused]);
    }, 60_000);
    expect((await onNode()).split("\n").filter(Boolean)).toHaveLength(1);
    const removed = await platform.skep(["volume", "rm", "keeper/data"]);
    expect(removed.code, removed.stderr).toBe(0);
    await eventually(async () => expect([await onNode(), await listed()]).toEqual(["", []]), 60_000);
  });
}

/** Writes into its volume when it was born, once, and each of its starts; it serves the volume. */
function keeper(platform: Platform): string {
  return `name: keeper
services:
  app:
    image: ${platform.images["busybox"]}
    command:
      - sh
      - -c
      - |
        [ -e /data/born ] || echo "$$SKEP_INSTANCE_ID on $$SKEP_NODE at $$(date +%s)" > /data/born
        echo started >> /data/starts
        exec httpd -f -p 8080 -h /data
    volumes: ["data:/data"]
    ports: ["8080"]
    labels:
      traefik.enable: "true"
      traefik.http.routers.keeper.rule: Host(\`${HOST}\`)
    stop_grace_period: 1s
    deploy:
      placement: { constraints: ["node.hostname != node-1"] }
      resources: { limits: { cpus: "0.2", memory: 32M } }
    x-skep:
      probe: { http: { port: 8080, path: /born }, interval: 1s }
volumes: { data: }
`;
}

async function instanceOf(platform: Platform): Promise<Instance> {
  const { instances } = await platform.client.instances.listInstances({ deploymentId: ID });
  expect(instances).toHaveLength(1);
  return instances[0]!;
}

/** What every node's edge serves from the volume. */
async function servedEverywhere(platform: Platform): Promise<string> {
  const bodies = new Set<string>();
  for (const { name, address } of platform.fleet.nodes) {
    await eventually(async () => {
      const answer = await askEdge(address, HOST, "/born");
      expect(answer.status, `${HOST} at ${name}: ${answer.body}`).toBe(200);
      bodies.add(answer.body);
    }, 120_000);
  }
  expect([...bodies]).toEqual([expect.stringContaining("keeper")]);
  return [...bodies][0]!;
}
