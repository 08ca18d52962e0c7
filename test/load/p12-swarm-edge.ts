import { docker } from "@skep/devswarm/fleet.ts";
import { askEdge } from "../swarm/edge-client.ts";
import { eventually } from "../support/eventually.ts";
import type { Defer } from "./measurement.ts";
import type { Platform } from "./platform.ts";

/** The overlay that the other Traefik shares with the services it routes to. */
export const SWARM_EDGE_NETWORK = "load-edge";

/** Where the other Traefik listens on the manager. */
export const SWARM_EDGE_PORT = 8090;

const NAME = "load-traefik";

/** A second Traefik on the manager, with its Swarm provider as it comes: it polls every 15 s. */
export async function startSwarmEdge(platform: Platform, defer: Defer): Promise<void> {
  const { fleet, manager, images } = platform;
  const onManager = (...argv: readonly string[]): Promise<string> => docker(fleet, manager.name, argv);
  defer("overlay of the Swarm provider", async () => {
    await eventually(() => onManager("network", "rm", SWARM_EDGE_NETWORK), 30_000, 500);
  });
  await onManager("network", "create", "--driver", "overlay", SWARM_EDGE_NETWORK);
  defer("Traefik with the Swarm provider", async () => void (await onManager("service", "rm", NAME)));
  await onManager(
    ...["service", "create", "--detach", "--quiet", "--name", NAME, "--network", SWARM_EDGE_NETWORK],
    ...["--constraint", "node.role==manager", "--endpoint-mode", "dnsrr"],
    ...["--publish", `mode=host,target=8080,published=${SWARM_EDGE_PORT}`],
    ...["--mount", "type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock", images.traefik],
    ...[
      "traefik",
      "--entrypoints.web.address=:8080",
      "--providers.swarm=true",
      "--providers.swarm.exposedbydefault=false",
    ],
    ...[`--providers.swarm.network=${SWARM_EDGE_NETWORK}`, "--log.level=INFO"],
  );
  await eventually(async () => {
    const { status } = await askEdge(manager.address, "nobody.test", "/", 1_000, SWARM_EDGE_PORT);
    if (status !== 404) throw new Error(`the Traefik with the Swarm provider does not answer yet (${status})`);
  }, 60_000);
}
