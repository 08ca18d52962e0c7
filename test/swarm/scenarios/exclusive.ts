import { expect, it } from "vitest";
import { Availability, Liveness } from "@skep/sdk/index.ts";
import { eventually } from "../../support/eventually.ts";
import { seenContainers } from "../apps.ts";
import { askEdge } from "../edge-client.ts";
import type { Platform } from "../platform.ts";
import { overlaps, watchRuns, type RunWatch } from "../runs.ts";

const ID = "default.lone-app";
const HOST = "lone.test";

/** An exclusive app never has a second copy, also while it moves. */
export function exclusiveScenarios(given: () => Platform): void {
  let watch: RunWatch | undefined;
  let home = "";

  it("leaves a drained node before it starts on another, and serves from there", async () => {
    const platform = given();
    watch = await watchRuns(platform, ID);
    const result = await platform.skep(["deploy", "-f", "-"], lone(platform));
    expect(result.code, result.stdout + result.stderr).toBe(0);
    home = await servedFrom(platform.fleet.nodes);
    const drained = await platform.skep(["drain", home]);
    expect(drained.code, drained.stdout + drained.stderr).toBe(0);
    await eventually(
      async () => {
        const runs = watch?.runs() ?? [];
        expect(runs.map(run => [run.node === home, run.endedAt < Infinity])).toEqual([
          [true, true],
          [false, false],
        ]);
      },
      120_000,
      250,
    );
    // The drained node's own edge leaves with the drain.
    const others = platform.fleet.nodes.filter(node => node.name !== home);
    expect(await servedFrom(others)).not.toBe(home);
    expect(overlaps(watch.runs())).toEqual([]);
  });

  it("stays where it is when its former node is activated again", async () => {
    const platform = given();
    const before = watch?.runs();
    expect(before).toHaveLength(2);
    expect((await platform.skep(["activate", home])).code).toBe(0);
    await eventually(async () => {
      const { nodes } = await platform.client.nodes.listNodes({});
      expect(nodes.map(node => [node.liveness, node.availability])).toEqual(
        nodes.map(() => [Liveness.READY, Availability.ACTIVE]),
      );
    }, 90_000);
    expect(await servedFrom(platform.fleet.nodes)).not.toBe(home);
    expect(watch?.runs()).toEqual(before);
  });

  it("is updated without a second copy", async () => {
    const platform = given();
    expect((await platform.skep(["restart", "lone-app"])).code).toBe(0);
    await eventually(
      () => expect((watch?.runs() ?? []).map(run => run.endedAt < Infinity)).toEqual([true, true, false]),
      90_000,
      250,
    );
    await servedFrom(platform.fleet.nodes);
    expect(overlaps(watch?.stop() ?? [])).toEqual([]);
    await platform.client.deployments.deleteDeployment({ deploymentId: ID });
    await eventually(async () => expect(await seenContainers(platform, ID)).toEqual([]), 60_000);
  });
}

/** Takes two seconds to end, so that a successor that came too soon would be seen beside it. */
function lone(platform: Platform): string {
  return `name: lone
services:
  app:
    image: ${platform.images["busybox"]}
    command:
      - sh
      - -c
      - |
        mkdir -p /www && echo "$$SKEP_NODE" > /www/node
        trap 'sleep 2; exit 0' TERM
        httpd -f -p 8080 -h /www &
        wait
    ports: ["8080"]
    labels:
      traefik.enable: "true"
      traefik.http.routers.lone.rule: Host(\`${HOST}\`)
    stop_grace_period: 10s
    deploy:
      placement: { constraints: ["node.hostname != node-1"] }
      resources: { limits: { cpus: "0.2", memory: 32M } }
    x-skep:
      exclusive: true
      probe: { http: { port: 8080, path: /node }, interval: 1s }
`;
}

/** The one node that serves it through the edges of `nodes`. */
async function servedFrom(nodes: Platform["fleet"]["nodes"]): Promise<string> {
  const names = new Set<string>();
  for (const { name, address } of nodes) {
    await eventually(async () => {
      const answer = await askEdge(address, HOST, "/node");
      expect(answer.status, `${HOST} at ${name}: ${answer.body}`).toBe(200);
      names.add(answer.body.trim());
    }, 90_000);
  }
  expect([...names]).toHaveLength(1);
  return [...names][0]!;
}
