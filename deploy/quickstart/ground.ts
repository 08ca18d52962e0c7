import { createInterface } from "node:readline/promises";
import { docker, downFleet, forward, upFleet, type Fleet } from "@skep/devswarm/fleet.ts";
import { adoptLocalEngine, type LocalFleet } from "@skep/devswarm/local-engine.ts";
import { whyNoFleet } from "@skep/devswarm/prerequisites.ts";
import { containersUsage, fleetUsage, type Usage } from "@skep/devswarm/usage.ts";
import type { StartOptions } from "./options.ts";
import { portsOf, portTaken } from "./ports.ts";

/**
 * What the stack is put on: a fleet of engines of our own, or the one engine that this machine has
 * already.
 */
export interface Ground {
  readonly fleet: Fleet;
  /** Registry that the nodes pull from; empty where images stay on the one engine. */
  readonly registry: string;
  /** Variables of the stack file that differ from production here. */
  readonly env: Readonly<Record<string, string>>;
  /** Something to break: a command line and what it shows, for the last screen. */
  readonly trial: readonly [command: string, shows: string];
  /** What everything together uses: engines of ours, too, but not the one that was there. */
  usage(): Promise<Usage>;
  /** Makes the ports of tenants, of the API and of devices answer on localhost. */
  openPorts(): Promise<void>;
  /** Takes down everything that the start brought, and nothing else. */
  down(): Promise<void>;
}

/** Why the start uses the engine that is there; `undefined` where it brings engines of its own. */
export function whyLocalEngine(options: StartOptions): string | undefined {
  return options.localEngine ? "--local-engine" : whyNoFleet();
}

/**
 * A fleet where that is possible; otherwise the engine that is there, with the person's consent.
 * @throws Error that says why neither can be had.
 */
export async function findGround(options: StartOptions, onStep: (text: string) => void): Promise<Ground> {
  const reason = whyLocalEngine(options);
  if (reason === undefined) return fleetGround(options, onStep);
  let answer: Consent | undefined;
  const local = await adoptLocalEngine({ ask: async () => (answer = await askToFormSwarm(reason)) === "yes" });
  if (local === undefined) throw new Error(whyNoGround(reason, answer));
  return localGround(local, options);
}

async function fleetGround(options: StartOptions, onStep: (text: string) => void): Promise<Ground> {
  const fleet = await upFleet({ name: options.fleet, nodes: options.nodes, managers: 1, fresh: true, onStep });
  const manager = fleet.nodes[0]?.name ?? "";
  const ofFleet = options.fleet === "skep" ? "" : ` --fleet ${options.fleet}`;
  return {
    fleet,
    registry: fleet.registry,
    env: {},
    trial:
      options.nodes > 1
        ? [`npm run -s devswarm -- kill node-2${ofFleet}`, "lose a node; ask httpbin again"]
        : ["npm run -s skep -- restart httpbin-web", "new copies first; ask httpbin meanwhile"],
    usage: () => Promise.resolve(fleetUsage(fleet)),
    async openPorts() {
      for (const one of portsOf(options))
        await forward(fleet, { port: one.port }, { node: manager, port: one.onNode }).catch((cause: unknown) => {
          throw portTaken(one, cause);
        });
    },
    down: () => downFleet(options.fleet),
  };
}

/**
 * A Swarm config by this name says that the stack on the engine is a quick start's, not one that
 * somebody relies on.
 */
const MARK = "skep_quickstart";

async function localGround(local: LocalFleet, options: StartOptions): Promise<Ground> {
  const node = local.nodes[0]?.name ?? "";
  const lines = async (argv: readonly string[], input?: string): Promise<string[]> =>
    (await docker(local, node, argv, input === undefined ? {} : { input })).split("\n").filter(Boolean);
  const ofStack = ["--filter", "label=com.docker.stack.namespace=skep"];

  const isMarked = (await lines(["config", "ls", "-q", "--filter", `name=${MARK}`])).length > 0;
  if (!isMarked && (await lines(["service", "ls", "-q", ...ofStack])).length > 0)
    throw new Error(
      "This engine runs a stack named skep already, which is not from a quick start: nothing was touched. Use another engine.",
    );
  if (!isMarked) await lines(["config", "create", MARK, "-"], "The stack skep here is a quick start's.\n");

  async function removeEach(kind: readonly string[], filters: readonly string[], removal: readonly string[]) {
    const found = await lines([...kind, "-q", ...filters]);
    if (found.length > 0) await lines([...removal, ...found]);
  }

  return {
    fleet: local,
    registry: "",
    env: {
      SKEP_SCHEDULER_REPLICAS: "1",
      SKEP_HTTP_PORT: String(options.httpPort),
      SKEP_HTTPS_PORT: String(options.httpPort + 363),
      SKEP_API_PUBLISHED_PORT: String(options.apiPort),
      SKEP_MQTT_PUBLISHED_PORT: String(options.mqttPort),
      SKEP_DOCKER_SOCKET: local.socketOnNode,
    },
    trial: [
      "docker rm -f $(docker ps -qf label=skep.deployment=default.httpbin-web | head -1)",
      "lose a copy; it is back at once",
    ],
    usage: () => containersUsage(local.nodes[0]?.socket ?? "", ["com.docker.stack.namespace=skep", "skep.instance"]),
    openPorts: () => Promise.resolve(),
    async down() {
      await lines(["stack", "rm", "skep"]);
      while ((await lines(["ps", "-aq", ...ofStack])).length > 0)
        await new Promise(resolve => setTimeout(resolve, 500));
      await removeEach(["ps", "-a"], ["--filter", "label=skep.instance"], ["rm", "-f", "-v"]);
      await removeEach(["network", "ls"], ["--filter", "label=skep.tenant"], ["network", "rm"]);
      await removeEach(["secret", "ls"], ["--filter", "name=skep_"], ["secret", "rm"]);
      await removeEach(["volume", "ls"], ofStack, ["volume", "rm", "-f"]);
      await removeEach(["volume", "ls"], ["--filter", "label=skep.tenant"], ["volume", "rm", "-f"]);
      await lines(["config", "rm", MARK]);
      await local.down();
    },
  };
}

/**
 * What came of asking whether a Swarm may be formed; `nobody` where there was no terminal to ask
 * on.
 */
export type Consent = "yes" | "no" | "nobody";

/**
 * Why there is no Swarm to start on, and what to do; `answer` is absent where no engine was found.
 */
export function whyNoGround(reason: string, answer: Consent | undefined): string {
  const noFleet = `No local Swarm of several engines (${reason})`;
  switch (answer) {
    case "nobody":
      return `${noFleet}. The Docker engine is in no Swarm, and there is no terminal to ask on whether to form one: set SKEP_SWARM_INIT=yes to allow it.`;
    case "no":
      return `${noFleet}, and the Docker engine may not be made a Swarm of one: nothing was started. Answer yes, or run \`docker swarm init\` yourself first.`;
    default:
      return `${noFleet}, and no Docker engine answers that could be a Swarm of one. Start Docker, or run as root on Debian.`;
  }
}

/** Consent to `docker swarm init`: `SKEP_SWARM_INIT=yes` gives it where there is no terminal. */
async function askToFormSwarm(reason: string): Promise<Consent> {
  if (process.env["SKEP_SWARM_INIT"] === "yes") return "yes";
  if (!process.stdin.isTTY) return "nobody";
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(
    `\nNo local Swarm of several engines here (${reason}).\nMay I run \`docker swarm init\` on your Docker engine, and undo it at the end? [y/N] `,
  );
  prompt.close();
  return /^y(es)?$/i.test(answer.trim()) ? "yes" : "no";
}
