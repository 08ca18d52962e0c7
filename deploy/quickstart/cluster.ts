import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { docker, type Fleet } from "@skep/devswarm/fleet.ts";
import type { SkepClient } from "@skep/sdk/index.ts";
import { connect } from "@skep/sdk/node.ts";
import { bootstrapStack } from "../bootstrap.ts";
import { publishImages } from "../images/publish.ts";
import { imageNames, workspaceEngines, type ImageName } from "../images/names.ts";
import { findGround, type Ground } from "./ground.ts";
import type { StartOptions } from "./options.ts";
import type { Steps } from "./steps.ts";

/** A running local cluster, as the rest of the start needs it. */
export interface Cluster {
  readonly fleet: Fleet;
  readonly client: SkepClient;
  readonly images: Readonly<Record<ImageName, string>>;
  /** Where the API answers on this machine. */
  readonly apiUrl: string;
  /** Where devices connect by MQTT on this machine. */
  readonly mqttPort: number;
  /** File (0600) that holds the API token. */
  readonly tokenFile: string;
  /** Something to break, for the last screen: a command line and what it shows. */
  readonly trial: Ground["trial"];
  /** What everything uses until now. */
  readonly usage: Ground["usage"];
}

const root = dirname(dirname(import.meta.dirname));

/** Engines, swarm, images, stack, ports: everything up to an API that answers. */
export async function startCluster(
  options: StartOptions,
  steps: Steps,
  onGround: (ground: Ground) => void,
): Promise<Cluster> {
  const ground = await steps.run("Docker engines and a Swarm of them", detail => findGround(options, detail));
  onGround(ground);
  const { fleet } = ground;
  const manager = fleet.nodes[0];
  if (!manager) throw new Error("The Swarm has no node. Take it down (npm run devswarm -- down) and start again.");
  const images = await steps.run("Images, built once and then kept", detail =>
    publishImages({
      docker: (argv, more) => docker(fleet, manager.name, argv, more),
      socket: manager.socket,
      registry: ground.registry,
      which: options.workspaces ? [...workspaceEngines, ...imageNames, "workspace"] : imageNames,
      onStep: detail,
    }),
  );
  const { apiToken, secretsDir } = await steps.run(
    `Skep's own stack: docker stack deploy -c stack/skep.yml${options.workspaces ? " -c stack/workspaces.yml" : ""} skep`,
    detail =>
      bootstrapStack({
        socket: manager.socket,
        images,
        stackFile: join(root, "stack", "skep.yml"),
        hasWorkspaces: options.workspaces,
        stackName: "skep",
        // One directory per fleet, so that the command keeps working when the fleet is started
        // anew.
        secretsDir: join(homedir(), ".config", "skep", options.fleet),
        resolveImage: ground.registry === "" ? "never" : "always",
        env: { SKEP_HEALTH_INTERVAL: "3s", ...ground.env },
        onStep: detail,
      }),
  );
  const tokenFile = join(secretsDir, "api-token");
  const apiUrl = `http://localhost:${options.apiPort}`;
  const client = connect({ url: apiUrl, token: apiToken });
  await steps.run("Ports on localhost, and the first answer of the API", async () => {
    await ground.openPorts();
    await untilNodesReady(client, fleet.nodes.length);
  });
  return {
    fleet,
    client,
    images,
    apiUrl,
    mqttPort: options.mqttPort,
    tokenFile,
    trial: ground.trial,
    usage: ground.usage,
  };
}

/** The API serves, and every node's agent has reported. */
async function untilNodesReady(client: SkepClient, nodes: number): Promise<void> {
  const deadlineAt = performance.now() + 120_000;
  let last = "the API did not answer";
  while (performance.now() < deadlineAt) {
    try {
      const ready = (await client.platform.getStatus({})).nodes["ready"] ?? 0;
      if (ready >= nodes) return;
      last = `${ready} of ${nodes} nodes are ready`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  throw new Error(
    `The nodes' agents did not all report within 2 minutes: ${last}. Look with: npm run devswarm -- docker node-1 -- service ps skep_agent`,
  );
}
