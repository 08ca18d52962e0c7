import type { Cluster } from "./cluster.ts";
import type { StartOptions } from "./options.ts";
import type { Sample } from "./samples.ts";

/** What is about to happen, before it happens. */
export function plan(options: StartOptions): string {
  const swarm = options.localEngine
    ? "this machine's Docker engine as a Swarm of one node,"
    : `a local Docker Swarm of ${options.nodes} engines`;
  return `Skep: ${swarm} with Skep and three sample tenants on it.
The first start builds and caches what this machine lacks (two minutes on two cores); later ones take seconds.
Ctrl-C takes everything down${options.keep ? " unless, as now, --keep is given" : ""}.

`;
}

/** Where to look, what to try, how to stop. */
export function screen(cluster: Cluster, samples: readonly Sample[], tookMs: number): string {
  const nodes = cluster.fleet.nodes.map(node => `  ${node.name.padEnd(8)} ${node.address.padEnd(12)} ${node.role}`);
  const width = Math.max(...samples.map(sample => sample.url.length));
  const apps = samples.map(
    sample => `  ${sample.url.padEnd(width)}  ${String(sample.status || "---")}  ${sample.look}`,
  );
  const trials = [
    ["npm run -s skep -- ps", "every instance: node, state, health"],
    ["npm run -s skep -- scale httpbin=5", "two more copies"],
    cluster.trial,
  ].map(([command = "", shows]) => `  ${command.padEnd(43)}  # ${shows}`);
  return `
Skep runs (${(tookMs / 1000).toFixed(1)} s).

Nodes
${nodes.join("\n")}

Tenants
${apps.join("\n")}

Try, in another terminal
  export SKEP_URL=${cluster.apiUrl} SKEP_TOKEN_FILE=${cluster.tokenFile.replace(process.env["HOME"] ?? "\0", "$HOME")}
${trials.join("\n")}

Stop with Ctrl-C.
`;
}
