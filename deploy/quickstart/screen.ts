import type { Cluster } from "./cluster.ts";
import type { StartOptions } from "./options.ts";
import type { Sample } from "./samples.ts";
import type { SampleWorkspace } from "./workspaces.ts";

/** What is about to happen, before it happens. */
export function plan(options: StartOptions): string {
  const swarm = options.localEngine
    ? "this machine's Docker engine as a Swarm of one node,"
    : `a local Docker Swarm of ${options.nodes} engines`;
  const workspaces = options.workspaces ? ", and two IoT workspaces with devices that send" : "";
  return `Skep: ${swarm} with Skep and three sample tenants on it${workspaces}.
The first start builds and caches what this machine lacks (some minutes on two cores); later ones take seconds.
Ctrl-C takes everything down${options.keep ? " unless, as now, --keep is given" : ""}.

`;
}

/** Where to look, what to try, how to stop. */
export function screen(
  cluster: Cluster,
  samples: readonly Sample[],
  workspaces: readonly SampleWorkspace[],
  tookMs: number,
): string {
  const nodes = cluster.fleet.nodes.map(node => `  ${node.name.padEnd(8)} ${node.address.padEnd(12)} ${node.role}`);
  const width = Math.max(...samples.map(sample => sample.url.length));
  const apps = samples.map(
    sample => `  ${sample.url.padEnd(width)}  ${String(sample.status || "---")}  ${sample.look}`,
  );
  return `
Skep runs (${(tookMs / 1000).toFixed(1)} s).

Nodes
${nodes.join("\n")}

Tenants
${apps.join("\n")}
${workspacesPart(workspaces)}
Try, in another terminal
  export SKEP_URL=${cluster.apiUrl} SKEP_TOKEN_FILE=${atHome(cluster.tokenFile)}
${trials(cluster, workspaces).join("\n")}

Stop with Ctrl-C.
`;
}

function workspacesPart(workspaces: readonly SampleWorkspace[]): string {
  if (workspaces.length === 0) return "";
  const lines = workspaces.map(({ id, mode, devices }) => {
    const sending = devices.length === 1 ? "a simulated device sends" : `${devices.length} simulated devices send`;
    return `  ${id.padEnd(8)} ${mode.padEnd(12)} ${sending} a message each second`;
  });
  return `\nWorkspaces\n${lines.join("\n")}\n`;
}

function trials(cluster: Cluster, workspaces: readonly SampleWorkspace[]): readonly string[] {
  const ofFleet = [
    ["npm run -s skep -- ps", "every instance: node, state, health"],
    ["npm run -s skep -- scale httpbin-web=5", "two more copies"],
    cluster.trial,
  ] as const;
  const ofWorkspaces = workspaces.map(
    ({ id }) => [`npm run -s skep -- messages ${id} -f`, "what its devices send, as it is stored"] as const,
  );
  const lines = [...ofFleet, ...ofWorkspaces].map(([command, shows]) => `  ${command.padEnd(43)}  # ${shows}`);
  const [first] = workspaces;
  return first === undefined ? lines : [...lines, ...publishing(cluster, first)];
}

/** A line for `mosquitto_pub`, with a device that nobody else is. */
function publishing({ mqttPort }: Cluster, { yours, secretFile }: SampleWorkspace): readonly string[] {
  return [
    "  # Be a device yourself (mosquitto_pub is in Debian's mosquitto-clients):",
    `  mosquitto_pub -p ${mqttPort} -u ${yours.user} -P "$(cat ${atHome(secretFile)})" \\`,
    `    -q 1 -t ${yours.user}/telemetry/climate -m '{"temperature":21.5}'`,
  ];
}

function atHome(path: string): string {
  return path.replace(process.env["HOME"] ?? "\0", "$HOME");
}
