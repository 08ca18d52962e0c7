import { timestampMs } from "@bufbuild/protobuf/wkt";
import { specFromProto } from "@skep/api/codec/spec.ts";
import { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { Deployment } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { InstanceSchema } from "@skep/api/gen/skep/v1/instance_pb.ts";
import { RouteSchema } from "@skep/api/gen/skep/v1/routing_pb.ts";
import type { ContainerSpec, HealthCheck } from "@skep/core/model/deployment.ts";
import { condition } from "../output/condition.ts";
import { renderInstances } from "../output/instances.ts";
import { messageJson, print } from "../output/print.ts";
import { renderRoutes } from "../output/routes.ts";
import { renderFields } from "../output/table.ts";
import { bytes, cores, moment } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId } from "../session/names.ts";
import { allPages } from "../session/pages.ts";
import type { Setup } from "./command.ts";

/** `skep describe`. */
export const describe: Setup = (command, io) => {
  examples(command.argument("<name>", "the deployment"), [
    ["skep describe web", "its spec, instances, routes and troubles"],
    ["skep describe acme.web -o json", "another tenant's, for a program"],
  ]);
  act(command, io, async (session, _options: object, name: string) => {
    const id = deploymentId(session, name);
    const [{ deployment }, instances, routes] = await Promise.all([
      session.api.deployments.getDeployment({ deploymentId: id }),
      allPages(
        pageToken => session.api.instances.listInstances({ deploymentId: id, pageSize: 500, pageToken }),
        page => page.instances,
      ),
      allPages(
        pageToken => session.api.routing.listRoutes({ deploymentId: id, pageSize: 500, pageToken }),
        page => page.routes,
      ),
    ]);
    if (deployment === undefined) return;
    print(
      session,
      () => ({
        deployment: messageJson(DeploymentSchema, deployment),
        instances: instances.map(one => messageJson(InstanceSchema, one)),
        routes: routes.map(one => messageJson(RouteSchema, one)),
      }),
      () =>
        [
          renderDeployment(deployment),
          instances.length === 0 ? "" : `\n${renderInstances(session, instances)}`,
          routes.length === 0 ? "" : `\n${renderRoutes(session, routes)}`,
        ].join(""),
    );
  });
};

function renderDeployment(deployment: Deployment): string {
  const { status } = deployment;
  const spec = deployment.spec === undefined ? undefined : specFromProto(deployment.spec);
  const fields: [string, string][] = [
    ["Deployment", deployment.id],
    ["State", `${condition(deployment)}${status?.message ? `: ${status.message}` : ""}`],
    ["Instances", instancesWords(status)],
    ["Release", `${deployment.release} (version ${deployment.resourceVersion})`],
    ["Created", deployment.createdAt === undefined ? "" : moment(timestampMs(deployment.createdAt))],
  ];
  if (spec !== undefined) {
    const { placement, update, restart, source, mode, dependsOn, project, service } = spec;
    const rules = [
      placement.strategy,
      ...placement.constraints,
      ...(placement.maxPerNode === undefined ? [] : [`at most ${placement.maxPerNode} per node`]),
      ...placement.antiAffinity.map(name => `never beside ${name}`),
    ];
    if (project !== undefined) fields.push(["Project", `${project}, as its service ${service}`]);
    fields.push(["Placement", rules.join(", ")]);
    fields.push(["Update", `${update.order}, ${update.parallelism} at once`]);
    fields.push(["Restart", restart.condition]);
    if (mode !== "replicated") fields.push(["Mode", mode]);
    if (dependsOn.length > 0)
      fields.push(["Waits for", dependsOn.map(one => `${one.name} (${one.condition})`).join(", ")]);
    if (source !== undefined) fields.push(["Source", [source.repository, source.branch].filter(Boolean).join(" @ ")]);
    for (const container of spec.containers) fields.push([`Container`, renderContainer(container)]);
  }
  for (const trouble of status?.troubles ?? [])
    fields.push([
      "Trouble",
      `${trouble.instanceId}: ${trouble.sentence}${trouble.advice === "" ? "" : `\n${trouble.advice}`}`,
    ]);
  return renderFields(fields);
}

function instancesWords(status: Deployment["status"]): string {
  const { healthy = 0, running = 0, completed = 0, wanted = 0 } = status ?? {};
  const ended = completed === 0 ? "" : `${completed} completed, `;
  return `${healthy} healthy, ${running} running, ${ended}${wanted} wanted`;
}

function renderContainer(container: ContainerSpec): string {
  const { resources, health } = container;
  const ports = container.ports.map(
    port => `${port.containerPort}/${port.protocol}${port.hostPort === undefined ? "" : ` (host ${port.hostPort})`}`,
  );
  return [
    `${container.name}: ${container.image}`,
    `${cores(resources.cpuMillis)} cores, ${bytes(resources.memoryBytes)}, ${resources.pids} processes at most`,
    ...(container.command === undefined ? [] : [`command ${container.command.join(" ")}`]),
    ...(ports.length === 0 ? [] : [`ports ${ports.join(", ")}`]),
    ...container.volumes.map(
      volume => `volume ${volume.name} at ${volume.target}${volume.readOnly ? ", read only" : ""}`,
    ),
    ...(health === undefined ? [] : [`health ${probeWords(health)}`]),
    // Values may be secrets: only their names are shown.
    ...(Object.keys(container.env).length === 0 ? [] : [`environment ${Object.keys(container.env).join(", ")}`]),
  ].join("\n");
}

function probeWords({ probe, intervalMs, retries }: HealthCheck): string {
  const each = intervalMs === 0 ? "as often as it says" : `each ${intervalMs} ms`;
  return `${askedWords(probe)}, ${each}, unhealthy after ${retries === 0 ? "as many as it says" : retries}`;
}

function askedWords(probe: HealthCheck["probe"]): string {
  switch (probe.kind) {
    case "docker":
      return probe.test.join(" ");
    case "image":
      return "the image's own check";
    case "http":
      return `GET :${probe.port}${probe.path}`;
    case "tcp":
      return `connect :${probe.port}`;
  }
}
