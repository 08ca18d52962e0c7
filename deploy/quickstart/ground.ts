import { createInterface } from "node:readline/promises";
import { docker, downFleet, forward, upFleet, type Fleet } from "@skep/devswarm/fleet.ts";
import { adoptLocalEngine } from "@skep/devswarm/local-engine.ts";
import { whyNoFleet } from "@skep/devswarm/prerequisites.ts";
import type { StartOptions } from "./options.ts";

/** What the stack is put on: a fleet of engines of our own, or the one engine that this machine has already. */
export interface Ground {
  readonly fleet: Fleet;
  /** Registry that the nodes pull from; empty where images stay on the one engine. */
  readonly registry: string;
  /** Variables of the stack file that differ from production here. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes the tenants' and the API's port answer on localhost. */
  openPorts(): Promise<void>;
  /** Takes down everything that the start brought, and nothing else. */
  down(): Promise<void>;
}

/** A fleet where that is possible; otherwise the engine that is there, with the person's consent. @throws Error that says why neither can be had. */
export async function findGround(options: StartOptions, onStep: (text: string) => void): Promise<Ground> {
  const reason = options.localEngine ? "--local-engine" : whyNoFleet();
  if (reason === undefined) return fleetGround(options, onStep);
  const local = await adoptLocalEngine({ ask: () => askToFormSwarm(reason) });
  if (local === undefined)
    throw new Error(
      `No local Swarm of several engines (${reason}), and no Docker engine that may be used as a Swarm of one. Start Docker, or run as root on Debian.`,
    );
  return localGround(local, options);
}

async function fleetGround(options: StartOptions, onStep: (text: string) => void): Promise<Ground> {
  const fleet = await upFleet({ name: options.fleet, nodes: options.nodes, managers: 1, fresh: true, onStep });
  const manager = fleet.nodes[0]?.name ?? "";
  return {
    fleet,
    registry: fleet.registry,
    env: {},
    async openPorts() {
      await forward(fleet, { port: options.httpPort }, { node: manager, port: 80 });
      await forward(fleet, { port: options.apiPort }, { node: manager, port: 7700 });
    },
    down: () => downFleet(options.fleet),
  };
}

function localGround(local: Fleet & { down(): Promise<void> }, options: StartOptions): Ground {
  const node = local.nodes[0]?.name ?? "";
  const lines = async (argv: readonly string[]): Promise<string[]> =>
    (await docker(local, node, argv)).split("\n").filter(Boolean);
  return {
    fleet: local,
    registry: "",
    env: {
      SKEP_SCHEDULER_REPLICAS: "1",
      SKEP_HTTP_PORT: String(options.httpPort),
      SKEP_HTTPS_PORT: String(options.httpPort + 363),
      SKEP_API_PUBLISHED_PORT: String(options.apiPort),
    },
    openPorts: () => Promise.resolve(),
    async down() {
      await lines(["stack", "rm", "skep"]);
      while ((await lines(["ps", "-aq", "--filter", "label=com.docker.stack.namespace=skep"])).length > 0)
        await new Promise(resolve => setTimeout(resolve, 500));
      const tenants = await lines(["ps", "-aq", "--filter", "label=skep.instance"]);
      if (tenants.length > 0) await lines(["rm", "-f", "-v", ...tenants]);
      const networks = await lines(["network", "ls", "-q", "--filter", "label=skep.tenant"]);
      if (networks.length > 0) await lines(["network", "rm", ...networks]);
      const secrets = await lines(["secret", "ls", "-q", "--filter", "name=skep_"]);
      if (secrets.length > 0) await lines(["secret", "rm", ...secrets]);
      const volumes = await lines(["volume", "ls", "-q", "--filter", "label=com.docker.stack.namespace=skep"]);
      if (volumes.length > 0) await lines(["volume", "rm", "-f", ...volumes]);
      await local.down();
    },
  };
}

/** Consent to `docker swarm init`; without a terminal the answer is no. */
async function askToFormSwarm(reason: string): Promise<boolean> {
  if (!process.stdin.isTTY) return process.env["SKEP_SWARM_INIT"] === "yes";
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(
    `\nNo local Swarm of several engines here (${reason}).\nMay I run \`docker swarm init\` on your Docker engine, and undo it at the end? [y/N] `,
  );
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}
