import { docker } from "@skep/devswarm/fleet.ts";
import type { Platform } from "./platform.ts";

/**
 * A Compose file of one web app in `replicas` copies at `http://<name>.test`: the deployment
 * `<name>-app`.
 */
export function webApp(platform: Platform, name: string, replicas: number, more = ""): string {
  return `name: ${name}
services:
  app:
    image: ${platform.images["go-httpbin"]}
    environment: { USE_REAL_HOSTNAME: "true" }
    ports: ["8080"]
    labels:
      traefik.enable: "true"
      traefik.http.routers.${name}.rule: Host(\`${name}.test\`)
    stop_grace_period: 3s
    deploy:
      replicas: ${replicas}
      resources: { limits: { cpus: "0.5", memory: 64M } }
    x-skep:
      strategy: spread
      probe: { http: { port: 8080, path: /status/200 }, interval: 1s }
${more}`;
}

/** A container with our labels as `docker ps` on its node shows it. */
export interface SeenContainer {
  readonly id: string;
  readonly node: string;
  readonly nodeId: string;
  readonly state: string;
  readonly instance: string;
  readonly epoch: number;
  readonly deployment: string;
  readonly hostPorts: readonly number[];
}

/** All containers of tenants on the nodes that answer, as their own engines list them. */
export async function seenContainers(platform: Platform, deployment?: string): Promise<readonly SeenContainer[]> {
  const perNode = platform.fleet.nodes.map(async node => {
    const inspected = await inspectAll(platform, node.name);
    return inspected.map(one => seen(one, node.name, node.swarmId));
  });
  const all = (await Promise.all(perNode)).flat();
  return deployment === undefined ? all : all.filter(one => one.deployment === deployment);
}

/** A container may go between the list and the look at each: then both are asked for again. */
async function inspectAll(platform: Platform, node: string, tries = 5): Promise<readonly Inspected[]> {
  const listed = await docker(platform.fleet, node, ["ps", "-aq", "--no-trunc", "--filter", "label=skep.instance"]);
  const ids = listed.split("\n").filter(Boolean);
  if (ids.length === 0) return [];
  try {
    return JSON.parse(await docker(platform.fleet, node, ["inspect", ...ids])) as Inspected[];
  } catch (error) {
    if (tries <= 1 || !/no such (object|container)/i.test(String(error))) throw error;
    return inspectAll(platform, node, tries - 1);
  }
}

interface Inspected {
  readonly Id: string;
  readonly State: { readonly Status: string };
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: {
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>> | null;
  };
}

function seen(one: Inspected, node: string, nodeId: string): SeenContainer {
  const labels = one.Config.Labels;
  const bindings = Object.values(one.HostConfig.PortBindings ?? {}).flatMap(each => each ?? []);
  return {
    id: one.Id,
    node,
    nodeId,
    state: one.State.Status,
    instance: labels["skep.instance"] ?? "",
    epoch: Number(labels["skep.epoch"]),
    deployment: labels["skep.deployment"] ?? "",
    hostPorts: bindings.map(each => Number(each.HostPort)).toSorted((a, b) => a - b),
  };
}
