import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrapStack } from "@skep/deploy/bootstrap.ts";
import { publishImages } from "@skep/deploy/images/publish.ts";
import { askEngine, type EngineInfo } from "@skep/devswarm/engine-api.ts";
import { docker, downFleet, upFleet, type Fleet, type FleetNode } from "@skep/devswarm/fleet.ts";
import type { SkepClient } from "@skep/sdk/index.ts";
import { connect } from "@skep/sdk/node.ts";
import { eventually } from "../support/eventually.ts";
import { root } from "../tidy/sources.ts";
import type { Bench } from "./measurement.ts";

/** The production stack on a Swarm of three engines, with images that every engine has already. */
export interface Platform {
  readonly fleet: Fleet;
  readonly manager: FleetNode;
  readonly client: SkepClient;
  readonly images: Readonly<Record<"busybox" | "go-httpbin" | "traefik", string>>;
  /** Runs the docker client against the manager. */
  docker(argv: readonly string[]): Promise<string>;
}

const FLEET = "load";
const NODES = 3;

/** Brings it up once per run; it goes with the run. */
export function sharedPlatform(bench: Bench): Promise<Platform> {
  return bench.share("platform", async defer => {
    defer("fleet", () => downFleet(FLEET));
    const fleet = await upFleet({ name: FLEET, nodes: NODES, managers: 1 });
    const [manager] = fleet.nodes;
    if (manager === undefined) throw new Error("the fleet has no node");
    const onManager = (argv: readonly string[], options = {}): Promise<string> =>
      docker(fleet, manager.name, argv, options);
    const images = await publishImages({ docker: onManager, socket: manager.socket, registry: fleet.registry });
    const secretsDir = await mkdtemp(join(tmpdir(), "skep-load-"));
    defer("secrets", () => rm(secretsDir, { recursive: true, force: true }));
    const stackFile = join(root, "stack", "skep.yml");
    const { apiToken } = await bootstrapStack({
      socket: manager.socket,
      images,
      stackFile,
      stackName: "skep",
      secretsDir,
    });
    for (const node of fleet.nodes)
      for (const name of ["busybox", "go-httpbin", "traefik"] as const)
        await docker(fleet, node.name, ["pull", "-q", images[name]]);
    const servers = fleet.nodes.map(({ address }) => `http://${address}:7700`).join(",");
    const client = connect({ url: servers, token: apiToken });
    await eventually(async () => {
      const { nodes } = await client.platform.getStatus({});
      if (nodes["ready"] !== NODES) throw new Error(`not every node is ready: ${JSON.stringify(nodes)}`);
    }, 120_000);
    const { ServerVersion } = await askEngine<EngineInfo>(manager.socket, "GET", "/info");
    bench.engine("Docker", `${ServerVersion}, ${NODES} engines in one Swarm, the production stack on them`);
    return { fleet, manager, client, images, docker: argv => onManager(argv) };
  });
}
