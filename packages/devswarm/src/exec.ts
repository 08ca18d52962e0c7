import { run, runOk } from "./command.ts";
import type { CommandOptions, CommandResult } from "./command.ts";
import { runningState } from "./faults.ts";
import type { Fleet, FleetNode } from "./model.ts";
import { fleetNames } from "./names.ts";
import { isAlive } from "./processes.ts";
import { dockerClientEnv, engineEnv } from "./settings.ts";
import { nodeRecord } from "./state.ts";

/**
 * Runs a command as if on the node: in its network, mount, process and host name namespaces, with
 * the node's engine as DOCKER_HOST. Resolves whatever the exit code is. Throws an Error when the
 * node is killed.
 */
export async function execOnNode(
  fleet: Fleet,
  node: string,
  argv: readonly string[],
  options: Pick<CommandOptions, "input"> = {},
): Promise<CommandResult> {
  return run(nodeArgv(fleet, node, argv), {
    ...options,
    env: { ...engineEnv(), DOCKER_HOST: "unix:///run/docker.sock" },
  });
}

/**
 * The command line that runs `argv` inside a node's namespaces. Throws an Error when the node is
 * not running.
 */
export function nodeArgv(fleet: Fleet, node: string, argv: readonly string[]): readonly string[] {
  const { boot } = nodeRecord(runningState(fleet.name), node);
  if (boot === undefined || !isAlive(boot)) {
    throw new Error(
      `${node} of fleet ${fleet.name} is not running: start it with \`devswarm start ${node} --fleet ${fleet.name}\`.`,
    );
  }
  return [
    "nsenter",
    "-t",
    String(boot.pid),
    "--net",
    "--mount",
    "--uts",
    "--ipc",
    "--pid",
    "--root",
    "--wd=/",
    "--",
    ...argv,
  ];
}

/**
 * Runs the docker client against a node's engine and returns what it printed. Files it reads
 * (compose files, build contexts) are the host's. Throws `CommandError`, which carries `stderr`,
 * when the client fails.
 */
export async function docker(
  fleet: Fleet,
  node: string,
  argv: readonly string[],
  options: { readonly input?: string | Buffer; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const env = dockerClientEnv(fleetNode(fleet, node).socket, fleetNames(fleet.name).dockerConfigDir, options.env);
  return runOk(["docker", ...argv], { env, ...(options.input === undefined ? {} : { input: options.input }) });
}

/** The node of this name. Throws an Error that lists the names there are. */
export function fleetNode(fleet: Fleet, name: string): FleetNode {
  const found = fleet.nodes.find(node => node.name === name);
  if (found !== undefined) return found;
  throw new Error(
    `Fleet ${fleet.name} has no node "${name}"; it has ${fleet.nodes.map(node => node.name).join(", ")}.`,
  );
}
