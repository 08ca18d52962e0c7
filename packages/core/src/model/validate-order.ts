import type { Issue } from "../error.ts";
import { BOUNDS, MOST } from "./bounds.ts";
import type { DeploymentSpec } from "./deployment.ts";
import { isGlobal, isJob } from "./mode.ts";
import { check, checkWithin, isName } from "./validate-rules.ts";

const MODES = ["replicated", "global", "replicated-job", "global-job"];
const CONDITIONS = ["started", "healthy", "completed"];

/** What is wrong with the mode of a spec, and with what it says of a job. */
export function validateMode(spec: DeploymentSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const { mode, job, replicas, exclusive } = spec;
  check(issues, "mode", MODES.includes(mode), `"${mode}" is no mode`, `use one of ${MODES.join(", ")}`);
  check(
    issues,
    "replicas",
    !isGlobal(spec) || replicas === 1,
    `a ${mode} runs once on each node that fits, and ${replicas} replicas are wanted`,
    "leave replicas out, and say with constraints which nodes fit",
  );
  check(
    issues,
    "exclusive",
    !isGlobal(spec) || exclusive !== true,
    `exclusive means one copy at most, and a ${mode} runs once on each node that fits`,
    "leave exclusive out, or ask for one replica",
  );
  spec.containers.forEach(({ volumes }, index) => {
    check(
      issues,
      `containers[${index}].volumes`,
      !isGlobal(spec) || volumes.length === 0,
      `a ${mode} would have a volume of this name on each node, and a volume belongs to one node`,
      "use a tmpfs, or keep what has the volume in a service of its own",
    );
  });
  check(issues, "job", job === undefined || isJob(spec), `a ${mode} deployment is no job`, "leave job out");
  if (job?.maxConcurrent !== undefined)
    checkWithin(issues, "job.maxConcurrent", job.maxConcurrent, BOUNDS.maxConcurrent);
  check(
    issues,
    "restart.condition",
    !isJob(spec) || spec.restart.condition !== "any",
    "a job that has ended well is not started again",
    "use on-failure or none",
  );
  return issues;
}

/** What is wrong with the deployments that a spec waits for. */
export function validateDependencies({ name, dependsOn }: DeploymentSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const problem = `it has ${dependsOn.length} entries`;
  check(issues, "dependsOn", dependsOn.length <= MOST.rules, problem, `keep to ${MOST.rules}`);
  const seen = new Set<string>();
  dependsOn.forEach((one, at) => {
    const path = `dependsOn[${at}]`;
    const shown = `"${one.name.slice(0, 60)}"`;
    check(issues, path, isName(one.name), `${shown} is no deployment's name`, "name one of the same tenant");
    check(issues, path, one.name !== name, "a deployment cannot wait for itself", "remove the entry");
    check(issues, path, !seen.has(one.name), `${shown} stands there twice`, "keep one of them");
    const isKnown = CONDITIONS.includes(one.condition);
    const use = `use one of ${CONDITIONS.join(", ")}`;
    check(issues, `${path}.condition`, isKnown, `"${one.condition}" is no condition`, use);
    seen.add(one.name);
  });
  return issues;
}
