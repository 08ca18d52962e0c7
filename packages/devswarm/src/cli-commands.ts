import { spawn } from "node:child_process";
import { nodeArgv, fleetNode } from "./exec.ts";
import * as fleets from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { fleetNames, nodeNames } from "./names.ts";
import { whyNoFleet } from "./prerequisites.ts";
import { isAlive } from "./processes.ts";
import { dockerClientEnv, engineEnv } from "./settings.ts";
import { readState } from "./state.ts";
import { listSwarmNodes } from "./swarm.ts";

const faults = {
  kill: fleets.killNode,
  start: fleets.startNode,
  pause: fleets.pauseNode,
  resume: fleets.resumeNode,
  cut: fleets.cutNode,
  heal: fleets.healNode,
} as const;

/** The commands that take one node, and what each does. */
export const nodeVerbs: Readonly<Record<keyof typeof faults, string>> = {
  kill: "kill everything of the node at once, as a power cut",
  start: "boot a killed node again",
  pause: "stop every process of the node, containers included",
  resume: "let a paused node run on",
  cut: "pull the node's network cable",
  heal: "plug the node's network cable in again",
};

/** Starts a fleet; an interrupted start removes what it began. */
export async function up(
  name: string,
  options: { nodes: string; managers: string; keep: boolean; hold: boolean },
): Promise<void> {
  const stopListening = fleets.downOnSignals(name);
  const startedAt = performance.now();
  const fleet = await fleets.upFleet({
    name,
    nodes: Number(options.nodes),
    managers: Number(options.managers),
    fresh: !options.keep,
    onStep: (text, ms) => console.log(`${text}${ms > 0 ? ` (${ms} ms)` : ""}`),
  });
  console.log(
    `Fleet ${name} is up after ${Math.round(performance.now() - startedAt)} ms, registry at ${fleet.registry}.`,
  );
  for (const node of fleet.nodes)
    console.log(`${node.name}  ${node.role.padEnd(7)}  ${node.address}  unix://${node.socket}`);
  if (!options.hold) return stopListening();
  console.log("Ctrl-C takes it down.");
  setInterval(() => undefined, 1 << 30);
}

/** Removes a fleet. */
export async function down(name: string): Promise<void> {
  await fleets.downFleet(name);
  console.log(`Fleet ${name} is down.`);
}

/** Prints each node's own state and what the swarm thinks of it. */
export async function status(name: string): Promise<void> {
  const fleet = await theFleet(name);
  const state = readState(fleetNames(name));
  const manager = state?.nodes.find(node => node.role === "manager" && node.state === "running" && !node.isCut);
  const seen = manager === undefined ? [] : await listSwarmNodes(fleetNode(fleet, manager.name).socket).catch(() => []);
  console.log(`Fleet ${name}: ${fleet.subnet}, this host is ${fleet.hostAddress}, registry ${fleet.registry}`);
  for (const node of state?.nodes ?? []) {
    const isDead = node.state === "running" && (node.boot === undefined || !isAlive(node.boot));
    const own = `${isDead ? "dead" : node.state}${node.isCut ? ", cut" : ""}`;
    const swarm = seen.find(each => each.ID === node.swarmId)?.Status.State ?? "unknown";
    console.log(`${node.name}  ${node.role.padEnd(7)}  ${node.address}  ${own.padEnd(12)}  swarm: ${swarm}`);
  }
}

/** Does one of `nodeVerbs` to a node. */
export async function onNode(name: string, verb: string, node: string): Promise<void> {
  const act = faults[verb as keyof typeof faults];
  await act(await theFleet(name), node);
  console.log(`${verb} ${node}: done`);
}

/**
 * Runs a command on a node with this terminal as its input and output; its exit code becomes ours.
 */
export async function exec(name: string, node: string, argv: readonly string[]): Promise<void> {
  const fleet = await theFleet(name);
  await attach(nodeArgv(fleet, node, withoutDashes(argv)), {
    ...engineEnv(),
    TERM: "xterm",
    DOCKER_HOST: "unix:///run/docker.sock",
  });
}

/** Runs the docker client against a node with this terminal as its input and output. */
export async function dockerClient(name: string, node: string, argv: readonly string[]): Promise<void> {
  const { socket } = fleetNode(await theFleet(name), node);
  await attach(["docker", ...withoutDashes(argv)], dockerClientEnv(socket, fleetNames(name).dockerConfigDir));
}

/** Prints the log of a node's engine, of a fleet that is down too. */
export async function logs(name: string, node: string, options: { follow: boolean }): Promise<void> {
  const file = nodeNames(fleetNames(name), node).logFile;
  await attach(["tail", "-n", "+1", ...(options.follow ? ["-F"] : []), file], engineEnv());
}

/** Forwards a port until this process is interrupted. */
export async function forwardPort(name: string, node: string, port: string, localPort = "0"): Promise<void> {
  const opened = await fleets.forward(await theFleet(name), { port: Number(localPort) }, { node, port: Number(port) });
  console.log(`localhost:${opened.port} leads to port ${port} of ${node}, until Ctrl-C.`);
}

async function theFleet(name: string): Promise<Fleet> {
  const fleet = await fleets.openFleet(name);
  if (fleet !== undefined) return fleet;
  throw new Error(
    `There is no fleet "${name}" up on this machine${whyNoFleet() === undefined ? "; start it with `devswarm up`" : ""}.`,
  );
}

// The "--" that keeps a command's own options from being read as ours.
function withoutDashes(argv: readonly string[]): readonly string[] {
  return argv[0] === "--" ? argv.slice(1) : argv;
}

function attach(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [program = "", ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: "inherit", env });
    child.on("error", reject);
    child.on("close", code => {
      process.exitCode = code ?? 1;
      resolve();
    });
  });
}
