import { isAddress } from "./address.ts";
import type { Issue } from "../error.ts";
import { BOUNDS, MOST } from "./bounds.ts";
import { DROPPABLE_CAPABILITIES } from "./capabilities.ts";
import {
  isHostName,
  isOrdered,
  isSysctlValue,
  isUlimit,
  MOST_LOG_BYTES,
  NETWORK_OPTIONS,
  SYSCTLS,
  ULIMITS,
} from "./container-options.ts";
import type { ContainerOptions, TmpfsMount, Ulimit } from "./container-options.ts";
import { check, checkWithin } from "./validate-rules.ts";

/** Everything that is wrong with what a container asks of the engine and the kernel besides. */
export function validateOptions(issues: Issue[], path: string, options: ContainerOptions): void {
  const { hostname, domainname, shmBytes, ulimits = [], logging } = options;
  for (const [field, text] of Object.entries({ hostname, domainname })) {
    if (text === undefined) continue;
    const problem = `"${text.slice(0, 70)}" is no host name`;
    const advice = "use 1 to 63 letters, digits, dashes and dots";
    check(issues, `${path}.${field}`, isHostName(text), problem, advice);
  }
  if (shmBytes !== undefined) checkWithin(issues, `${path}.shmBytes`, shmBytes, BOUNDS.tmpfsBytes);
  checkCount(issues, `${path}.ulimits`, ulimits.length, MOST.ulimits);
  const names = new Set<string>();
  for (const [at, limit] of ulimits.entries()) {
    validateUlimit(issues, `${path}.ulimits[${at}]`, limit);
    check(issues, `${path}.ulimits[${at}]`, !names.has(limit.name), `${limit.name} stands twice`, "keep one of them");
    names.add(limit.name);
  }
  validateHosts(issues, path, options);
  validateKernel(issues, path, options);
  if (logging === undefined) return;
  checkWithin(issues, `${path}.logging.maxBytes`, logging.maxBytes, BOUNDS.logFileBytes);
  checkWithin(issues, `${path}.logging.maxFiles`, logging.maxFiles, BOUNDS.logFiles);
  const whole = logging.maxBytes * logging.maxFiles;
  const problem = `${whole} bytes of output would be kept`;
  check(issues, `${path}.logging`, !(whole > MOST_LOG_BYTES), problem, `keep to ${MOST_LOG_BYTES} in all files`);
}

/** What is wrong with a tmpfs, but for its path. */
export function validateTmpfs(issues: Issue[], path: string, { sizeBytes, mode, uid, gid }: TmpfsMount): void {
  if (sizeBytes !== undefined) checkWithin(issues, `${path}.sizeBytes`, sizeBytes, BOUNDS.tmpfsBytes);
  if (mode !== undefined) checkWithin(issues, `${path}.mode`, mode, BOUNDS.fileMode);
  if (uid !== undefined) checkWithin(issues, `${path}.uid`, uid, BOUNDS.userId);
  if (gid !== undefined) checkWithin(issues, `${path}.gid`, gid, BOUNDS.userId);
}

/** The containers of a pod have one network, so that only the first says how it is. */
export function validatePodOptions(issues: Issue[], path: string, options: ContainerOptions): void {
  for (const field of NETWORK_OPTIONS)
    check(
      issues,
      `${path}.${field}`,
      options[field] === undefined,
      "it belongs to the network of the whole pod",
      "write it at the pod's first container",
    );
}

function validateUlimit(issues: Issue[], path: string, limit: Ulimit): void {
  const { name, soft, hard } = limit;
  const known = Object.keys(ULIMITS);
  const isKnown = known.includes(name);
  const unknown = `the limit "${name.slice(0, 60)}" cannot be set`;
  check(issues, path, isKnown, unknown, `use one of ${known.join(", ")}`);
  if (!isKnown) return;
  const { least, most, isEndless } = ULIMITS[name]!;
  const advice = `use a whole number from ${least} to ${most}${isEndless ? ", or -1 for none" : ""}`;
  for (const value of new Set([soft, hard]))
    check(issues, path, isUlimit(name, value), `${value} is out of range for ${name}`, advice);
  check(issues, path, isOrdered(limit), `the soft limit ${soft} is above the hard one`, "raise the hard one");
}

function validateHosts(issues: Issue[], path: string, { extraHosts = [] }: ContainerOptions): void {
  checkCount(issues, `${path}.extraHosts`, extraHosts.length, MOST.extraHosts);
  for (const [at, { name, address }] of extraHosts.entries()) {
    const where = `${path}.extraHosts[${at}]`;
    const problem = `"${name.slice(0, 70)}" is no host name`;
    check(issues, `${where}.name`, isHostName(name), problem, "use 1 to 63 letters, digits, dashes and dots");
    const isGateway = address === "host-gateway";
    check(
      issues,
      `${where}.address`,
      isAddress(address),
      isGateway ? "host-gateway leads to the node itself" : `"${address.slice(0, 60)}" is no address`,
      isGateway ? "remove it: nothing of the node may be reached" : "write one such as 192.0.2.7 or 2001:db8::7",
    );
  }
}

function validateKernel(
  issues: Issue[],
  path: string,
  { dropCapabilities = [], sysctls = {} }: ContainerOptions,
): void {
  checkCount(issues, `${path}.dropCapabilities`, dropCapabilities.length, MOST.capabilities);
  dropCapabilities.forEach((name, at) =>
    check(
      issues,
      `${path}.dropCapabilities[${at}]`,
      DROPPABLE_CAPABILITIES.includes(name),
      `"${name.slice(0, 60)}" is no capability that a container has`,
      `use ${DROPPABLE_CAPABILITIES.join(", ")}`,
    ),
  );
  const entries = Object.entries(sysctls);
  checkCount(issues, `${path}.sysctls`, entries.length, MOST.sysctls);
  for (const [name, value] of entries) {
    const at = `${path}.sysctls["${name.slice(0, 60)}"]`;
    const known = SYSCTLS.includes(name);
    check(issues, at, known, "this kernel parameter cannot be set", `use one of ${SYSCTLS.join(", ")}`);
    const problem = `"${value.slice(0, 60)}" is no value of it`;
    check(issues, at, !known || isSysctlValue(value), problem, "write a whole number, or several with blanks between");
  }
}

function checkCount(issues: Issue[], path: string, count: number, most: number): void {
  check(issues, path, count <= most, `it has ${count} entries`, `keep to ${most}`);
}
