import type { Issue } from "../error.ts";
import { parseConstraint } from "./constraint.ts";
import { BOUNDS, LONGEST, MOST } from "./bounds.ts";
import type { DeploymentSpec } from "./deployment.ts";
import { validateContainer } from "./validate-container.ts";
import { NAMES_ZONE, projectDeploymentName } from "./instance-id.ts";
import { validateDependencies, validateMode } from "./validate-order.ts";
import { validatePodOptions } from "./validate-options.ts";
import { check, checkLength, checkWithin, isName } from "./validate-rules.ts";

const STRATEGIES = ["least-loaded", "round-robin", "resource-based", "spread"];
const CONDITIONS = ["any", "on-failure", "none"];
const ORDERS = ["start-first", "stop-first"];

/**
 * Everything that is wrong with a spec, each with the path of the field and what to do; empty for a
 * good one. It never throws, whatever the spec holds. Labels that Traefik reads are judged by
 * `routesFromSpec`.
 */
export function validateSpec(spec: DeploymentSpec): readonly Issue[] {
  const issues: Issue[] = [];
  if (!isName(spec.name)) {
    check(
      issues,
      "name",
      false,
      `"${spec.name.slice(0, 60)}" is no name`,
      "use 1 to 40 lower-case letters, digits and dashes",
    );
  }
  validateProject(issues, spec);
  validateNetworks(issues, spec);
  checkWithin(issues, "replicas", spec.replicas, BOUNDS.replicas);
  checkWithin(issues, "stopGraceMs", spec.stopGraceMs, BOUNDS.stopGraceMs);
  const count = spec.containers.length;
  check(
    issues,
    "containers",
    count >= BOUNDS.containers.least && count <= BOUNDS.containers.most,
    `the spec has ${count} containers`,
    `describe 1 to ${BOUNDS.containers.most}`,
  );
  const ports = spec.containers.flatMap(container => container.ports).filter(port => port.protocol === "tcp");
  const published = new Set(ports.map(port => port.containerPort));
  spec.containers.forEach((container, index) => {
    issues.push(...validateContainer(container, `containers[${index}]`, published));
  });
  check(
    issues,
    "exclusive",
    spec.exclusive !== true || spec.replicas <= 1,
    `exclusive means one copy at most, and ${spec.replicas} replicas are wanted`,
    "ask for 1 replica, or leave exclusive out",
  );
  validatePod(issues, spec);
  validatePlacement(issues, spec);
  validatePolicies(issues, spec);
  issues.push(...validateMode(spec), ...validateDependencies(spec));
  checkLength(issues, "source.repository", spec.source?.repository, LONGEST.repository);
  checkLength(issues, "source.branch", spec.source?.branch, LONGEST.branch);
  return issues;
}

/** What belongs to a project says of which service it is, and its own name follows from both. */
function validateProject(issues: Issue[], { name, project, service }: DeploymentSpec): void {
  for (const [field, text] of [
    ["project", project],
    ["service", service],
  ] as const) {
    const problem = `"${text?.slice(0, 60)}" is no name`;
    check(
      issues,
      field,
      text === undefined || isName(text),
      problem,
      "use 1 to 40 lower-case letters, digits and dashes",
    );
  }
  const both = (project === undefined) === (service === undefined);
  const missing = project === undefined ? "project" : "service";
  check(
    issues,
    missing,
    both,
    `it is missing beside the ${missing === "project" ? "service" : "project"}`,
    "say both, or neither",
  );
  if (project === undefined || service === undefined) return;
  const wanted = projectDeploymentName(project, service);
  check(
    issues,
    "name",
    name === wanted,
    `the service "${service}" of the project "${project}" is called otherwise`,
    `call it ${wanted}`,
  );
}

/** Aliases become names that others look up; what ends in the zone of all names is nobody's own. */
function validateNetworks(issues: Issue[], { networks = [] }: DeploymentSpec): void {
  const count = networks.length;
  check(issues, "networks", count <= MOST.networks, `it is in ${count} networks`, `keep to ${MOST.networks}`);
  const names = new Set<string>();
  networks.forEach(({ name, aliases }, at) => {
    const path = `networks[${at}]`;
    const shown = name.slice(0, 90);
    const isGood = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,79}$/.test(name);
    check(issues, `${path}.name`, isGood, `"${shown}" is no network's name`, "use letters, digits, `_`, `.` and `-`");
    check(issues, `${path}.name`, !names.has(name), `"${shown}" is named twice`, "name each network once");
    names.add(name);
    const most = `keep to ${MOST.aliases}`;
    check(issues, `${path}.aliases`, aliases.length <= MOST.aliases, `it has ${aliases.length} aliases`, most);
    aliases.forEach((alias, index) => {
      const problem = `"${alias.slice(0, 60)}" is no host's name`;
      const advice = "use letters, digits, `_` and `-`, with dots between, and no `.skep` at the end";
      check(issues, `${path}.aliases[${index}]`, isAlias(alias), problem, advice);
    });
  });
}

function isAlias(text: string): boolean {
  if (text.length > LONGEST.alias || text.toLowerCase().endsWith(`.${NAMES_ZONE}`)) return false;
  return text.split(".").every(label => /^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$/.test(label));
}

/** Containers of a pod share one network: a name, a port and a host port can be taken once only. */
function validatePod(issues: Issue[], spec: DeploymentSpec): void {
  const names = new Set<string>();
  const ports = new Map<string, string>();
  const hostPorts = new Map<string, string>();
  spec.containers.forEach((container, index) => {
    const path = `containers[${index}]`;
    check(
      issues,
      `${path}.name`,
      !names.has(container.name),
      `two containers are named "${container.name}"`,
      "give each a name of its own",
    );
    names.add(container.name);
    if (index > 0) validatePodOptions(issues, path, container);
    container.ports.forEach(({ containerPort, protocol, hostPort }, at) => {
      const port = `${containerPort}/${protocol}`;
      const other = ports.get(port);
      check(
        issues,
        `${path}.ports[${at}]`,
        other === undefined,
        `port ${port} is published by ${other} already`,
        "containers of a pod share one address: listen on another port",
      );
      ports.set(port, container.name);
      if (hostPort === undefined) return;
      const host = `${hostPort}/${protocol}`;
      const holder = hostPorts.get(host);
      check(
        issues,
        `${path}.ports[${at}].hostPort`,
        holder === undefined,
        `host port ${host} is asked for twice`,
        "let the scheduler pick one of them",
      );
      hostPorts.set(host, container.name);
    });
  });
}

function validatePlacement(issues: Issue[], { name, placement }: DeploymentSpec): void {
  const { strategy, constraints, maxPerNode, antiAffinity } = placement;
  check(
    issues,
    "placement.strategy",
    STRATEGIES.includes(strategy),
    `"${strategy}" is no strategy`,
    `use one of ${STRATEGIES.join(", ")}`,
  );
  for (const [field, texts] of [
    ["constraints", constraints],
    ["antiAffinity", antiAffinity],
  ] as const) {
    const problem = `it has ${texts.length} entries`;
    check(issues, `placement.${field}`, texts.length <= MOST.rules, problem, `keep to ${MOST.rules}`);
  }
  constraints.forEach((text, at) => {
    const parsed = parseConstraint(text, `placement.constraints[${at}]`);
    if (!parsed.ok) issues.push(parsed.issue);
    else checkLength(issues, `placement.constraints[${at}]`, text, LONGEST.constraint);
  });
  if (maxPerNode !== undefined) checkWithin(issues, "placement.maxPerNode", maxPerNode, BOUNDS.maxPerNode);
  antiAffinity.forEach((other, at) => {
    const path = `placement.antiAffinity[${at}]`;
    check(
      issues,
      path,
      isName(other),
      `"${other.slice(0, 60)}" is no deployment's name`,
      "name a deployment of the same tenant",
    );
    check(
      issues,
      path,
      other !== name,
      "a deployment cannot avoid itself",
      "use maxPerNode: 1 to have one instance per node",
    );
  });
}

function validatePolicies(issues: Issue[], { restart, update }: DeploymentSpec): void {
  check(
    issues,
    "restart.condition",
    CONDITIONS.includes(restart.condition),
    `"${restart.condition}" is no condition`,
    `use one of ${CONDITIONS.join(", ")}`,
  );
  checkWithin(issues, "restart.delayMs", restart.delayMs, BOUNDS.restartDelayMs);
  checkWithin(issues, "restart.maxDelayMs", restart.maxDelayMs, BOUNDS.restartMaxDelayMs);
  checkWithin(issues, "restart.windowMs", restart.windowMs, BOUNDS.restartWindowMs);
  if (restart.maxAttempts !== undefined)
    checkWithin(issues, "restart.maxAttempts", restart.maxAttempts, BOUNDS.maxAttempts);
  check(
    issues,
    "update.order",
    ORDERS.includes(update.order),
    `"${update.order}" is no order`,
    `use one of ${ORDERS.join(", ")}`,
  );
  checkWithin(issues, "update.parallelism", update.parallelism, BOUNDS.parallelism);
}
