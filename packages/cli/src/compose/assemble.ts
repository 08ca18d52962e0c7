import { defaultOrder } from "@skep/api/codec/spec-defaults.ts";
import { BOUNDS } from "@skep/core/model/bounds.ts";
import { isEngineProbe } from "@skep/core/model/deployment.ts";
import type { ContainerSpec, DeploymentSpec, NetworkMembership } from "@skep/core/model/deployment.ts";
import { projectDeploymentName } from "@skep/core/model/instance-id.ts";
import { isJob } from "@skep/core/model/mode.ts";
import { withRoutedPorts } from "@skep/core/routing/labels.ts";
import type { ServiceDraft } from "./draft.ts";
import type { Problems } from "./problems.ts";

/** A deployment, with the services that its containers come from, in the same order. */
export interface Assembled {
  readonly spec: DeploymentSpec;
  readonly services: readonly [ServiceDraft, ...ServiceDraft[]];
}

/**
 * Services that join another become containers of its pod; every other service is a deployment.
 * `leftOut` has the services that are not deployed, each with a profile that would have to be
 * chosen.
 */
export function assemble(
  project: string,
  drafts: ReadonlyMap<string, ServiceDraft>,
  leftOut: ReadonlyMap<string, string>,
  networks: ReadonlyMap<string, readonly NetworkMembership[]>,
  problems: Problems,
): readonly Assembled[] {
  const members = new Map<string, ServiceDraft[]>();
  for (const [name, draft] of drafts) {
    // A service whose pod is not found is read on its own, so that its other faults are named too.
    const host = hostOf(name, drafts, leftOut, problems) ?? name;
    members.set(host, host === name ? [draft, ...(members.get(host) ?? [])] : [...(members.get(host) ?? []), draft]);
    if (host !== name) refusePodKeys(draft, host, problems);
  }
  return [...drafts.keys()].flatMap(name => {
    const [first, ...others] = members.get(name) ?? [];
    if (first === undefined) return [];
    const services: Assembled["services"] = [first, ...others];
    const spec = specOf(project, services);
    const joined = networks.get(name);
    return [{ spec: joined === undefined ? spec : { ...spec, networks: joined }, services }];
  });
}

function hostOf(
  name: string,
  drafts: ReadonlyMap<string, ServiceDraft>,
  leftOut: ReadonlyMap<string, string>,
  problems: Problems,
): string | undefined {
  const passed = new Set([name]);
  let current = name;
  for (;;) {
    const draft = drafts.get(current);
    const joins = draft?.joins;
    if (joins === undefined) return current;
    const spot = drafts.get(name)?.joins?.place ?? joins.place;
    const missing = leftOut.get(joins.service);
    if (missing !== undefined)
      return problems.refuse(
        spot,
        `\`${joins.service}\` is left out: its profile is not chosen`,
        `Choose it with \`--profile ${missing}\`, or give \`${name}\` the same profiles`,
      );
    if (!drafts.has(joins.service))
      return problems.refuse(spot, `no service is called \`${joins.service}\``, "Join a service of the same file");
    if (passed.has(joins.service))
      return problems.refuse(
        spot,
        `\`${name}\` joins itself through \`${joins.service}\``,
        "Let one service stand alone and the others join it",
      );
    passed.add(joins.service);
    current = joins.service;
  }
}

function refusePodKeys(draft: ServiceDraft, host: string, problems: Problems): void {
  for (const key of draft.podKeys)
    problems.refuse(
      key,
      "this belongs to the whole pod",
      `Move it to the service \`${host}\`, whose pod \`${draft.service}\` joins`,
    );
}

function inBounds(parallelism: number): number {
  return Math.min(Math.max(BOUNDS.parallelism.least, parallelism), BOUNDS.parallelism.most);
}

function specOf(project: string, drafts: readonly [ServiceDraft, ...ServiceDraft[]]): DeploymentSpec {
  const [draft] = drafts;
  const replicas = draft.replicas ?? 1;
  const containers = withProbedPorts(drafts.map(withExposedPort));
  return withRoutedPorts({
    name: projectDeploymentName(project, draft.container.name),
    replicas,
    containers,
    placement: { ...draft.placement, constraints: withPlatforms(drafts) },
    // Swarm's own word for a job that says nothing.
    restart: { ...draft.restart, ...(isJob(draft) && !draft.saysRestart ? { condition: "on-failure" } : {}) },
    update: {
      order: draft.update.order ?? defaultOrder(containers),
      // 0 is Compose's word for all at once.
      parallelism: draft.update.parallelism === 0 ? inBounds(replicas) : draft.update.parallelism,
    },
    stopGraceMs: draft.stopGraceMs,
    exclusive: draft.exclusive,
    source: draft.source,
    project,
    service: draft.container.name,
    // Known once all services are: see `withDependencies`.
    dependsOn: [],
    mode: draft.mode,
    job: draft.job,
  });
}

/** A pod runs where each of its containers can. */
function withPlatforms(drafts: readonly [ServiceDraft, ...ServiceDraft[]]): readonly string[] {
  const [{ placement }] = drafts;
  return [...new Set([...placement.constraints, ...drafts.flatMap(({ platform }) => platform)])];
}

/**
 * A route without a port leads to the only one there is, as with Traefik's Docker provider. Where
 * `expose` names it, it is published for the edge, which comes by the node's port.
 */
function withExposedPort({ container, exposed }: ServiceDraft): ContainerSpec {
  const [containerPort, ...others] = new Set(exposed);
  const isRouted = Object.keys(container.labels).some(key => /^traefik\.(http|tcp)\.routers\./i.test(key));
  const isNamed = Object.keys(container.labels).some(key => /\.loadbalancer\.server\.port$/i.test(key));
  const has = container.ports.some(port => port.protocol === "tcp");
  if (containerPort === undefined || others.length > 0 || !isRouted || isNamed || has) return { ...container };
  return { ...container, ports: [...container.ports, { containerPort, protocol: "tcp", hostPort: undefined }] };
}

/**
 * The agent asks a probe through the node's port, so a probed port that no container of the pod
 * publishes is added.
 */
function withProbedPorts(containers: readonly ContainerSpec[]): readonly ContainerSpec[] {
  const published = new Set(containers.flatMap(({ ports }) => ports.map(port => port.containerPort)));
  return containers.map(container => {
    const probe = container.health?.probe;
    if (probe === undefined || isEngineProbe(probe) || published.has(probe.port)) return container;
    published.add(probe.port);
    const port = { containerPort: probe.port, protocol: "tcp" as const, hostPort: undefined };
    return { ...container, ports: [...container.ports, port] };
  });
}
