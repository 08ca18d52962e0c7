import { isImageReference } from "./image.ts";
import type { Issue } from "../error.ts";
import { BOUNDS, LONGEST, MOST } from "./bounds.ts";
import type { ContainerSpec, HealthCheck } from "./deployment.ts";
import { isReservedPort } from "./host-ports.ts";
import { isReservedLabel } from "./labels.ts";
import { validateOptions, validateTmpfs } from "./validate-options.ts";
import {
  check,
  checkLength,
  checkWithin,
  codePoints,
  isEngineSocket,
  isKernelPath,
  isMountPath,
  isName,
  isSignal,
  isStartable,
  isUser,
} from "./validate-rules.ts";

/** The most text that all environment values, or all labels, of a container may have together. */
const MOST_TEXT = 256 * 1024;
const ENTRIES = {
  env: { most: MOST.env, longest: LONGEST.env, key: LONGEST.envKey },
  labels: { most: MOST.labels, longest: LONGEST.label, key: LONGEST.labelKey },
} as const;

/**
 * Everything that is wrong with one container of a spec; `published` are the TCP ports that its
 * whole pod publishes.
 */
export function validateContainer(
  container: ContainerSpec,
  path: string,
  published: ReadonlySet<number>,
): readonly Issue[] {
  const issues: Issue[] = [];
  const { name, image, workingDir, user, stopSignal } = container;
  check(
    issues,
    `${path}.name`,
    isName(name),
    `"${name.slice(0, 60)}" is no name`,
    "use 1 to 40 lower-case letters, digits and dashes",
  );
  check(
    issues,
    `${path}.image`,
    isImageReference(image),
    `"${image.slice(0, 100)}" is no image reference`,
    "write [registry/]name[:tag], in lower case",
  );
  if (workingDir !== undefined)
    check(
      issues,
      `${path}.workingDir`,
      /^\/[^\0]*$/.test(workingDir),
      "the working directory is no absolute path",
      "begin it with /",
    );
  if (user !== undefined)
    check(
      issues,
      `${path}.user`,
      isUser(user),
      `"${user.slice(0, 60)}" is no user`,
      "write user, uid, user:group or uid:gid",
    );
  if (stopSignal !== undefined)
    check(
      issues,
      `${path}.stopSignal`,
      isSignal(stopSignal),
      `"${stopSignal.slice(0, 20)}" is no signal`,
      "write for example SIGTERM or 15",
    );
  checkLength(issues, `${path}.workingDir`, workingDir, LONGEST.workingDir);
  checkLength(issues, `${path}.user`, user, LONGEST.user);
  validateArguments(issues, path, container);
  validateTexts(issues, path, container);
  validatePorts(issues, path, container);
  validateMounts(issues, path, container);
  validateResources(issues, path, container);
  validateOptions(issues, path, container);
  if (container.health !== undefined) validateHealth(issues, `${path}.health`, container.health, published);
  return issues;
}

function validateArguments(issues: Issue[], path: string, { entrypoint, command }: ContainerSpec): void {
  for (const [field, words] of [
    ["entrypoint", entrypoint],
    ["command", command],
  ] as const) {
    if (words === undefined) continue;
    const size = words.reduce((sum, word) => sum + word.length, 0);
    check(
      issues,
      `${path}.${field}`,
      size <= MOST_TEXT && words.length <= MOST.words && words.every(word => codePoints(word) <= LONGEST.word),
      `it is too long: at most ${MOST.words} words of at most ${LONGEST.word} characters`,
      "put long input into a file of the image",
    );
    check(
      issues,
      `${path}.${field}`,
      !words.some(word => word.includes("\0")),
      "it holds a NUL character",
      "remove it",
    );
    check(
      issues,
      `${path}.${field}`,
      words.every(isStartable),
      "a word of it has 128 KiB or more, and the kernel starts no program with that",
      "put long input into a file of the image",
    );
  }
}

/** An object that is filled key by key loses this one. */
const LOST_KEY = "__proto__";

function validateTexts(issues: Issue[], path: string, { env, labels }: ContainerSpec): void {
  for (const [field, entries] of [
    ["env", env],
    ["labels", labels],
  ] as const) {
    const pairs = Object.entries(entries);
    const size = pairs.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    check(
      issues,
      `${path}.${field}`,
      pairs.length <= ENTRIES[field].most,
      `it has ${pairs.length} entries`,
      `keep to ${ENTRIES[field].most}`,
    );
    for (const [key, value] of pairs) {
      const at = `${path}.${field}["${key.slice(0, 60)}"]`;
      checkLength(issues, at, key, ENTRIES[field].key);
      check(
        issues,
        at,
        codePoints(value) <= ENTRIES[field].longest,
        `the value has more than ${ENTRIES[field].longest} characters`,
        "put long input into a file of the image or a volume",
      );
    }
    check(issues, `${path}.${field}`, size <= MOST_TEXT, `it has ${size} characters`, `keep to ${MOST_TEXT}`);
  }
  for (const [key, value] of Object.entries(env)) {
    check(
      issues,
      `${path}.env["${key.slice(0, 60)}"]`,
      /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(key) && key !== LOST_KEY,
      `"${key.slice(0, 60)}" is no name of a variable`,
      "use letters, digits and _",
    );
    check(
      issues,
      `${path}.env["${key.slice(0, 60)}"]`,
      !value.includes("\0"),
      "the value holds a NUL character",
      "remove it",
    );
    check(
      issues,
      `${path}.env["${key.slice(0, 60)}"]`,
      isStartable(`${key}=${value}`),
      "it has 128 KiB or more, and the kernel starts no program with that",
      "put it into a file of the image or a volume",
    );
  }
  for (const key of Object.keys(labels)) {
    check(
      issues,
      `${path}.labels["${key.slice(0, 60)}"]`,
      key !== "" && !/[\0\s=]/.test(key) && key !== LOST_KEY,
      `"${key.slice(0, 60)}" is no label's key`,
      "use letters, digits, dots and dashes",
    );
    check(
      issues,
      `${path}.labels["${key.slice(0, 60)}"]`,
      !isReservedLabel(key),
      `the label "${key.slice(0, 60)}" belongs to the platform`,
      "remove it, or name it otherwise",
    );
  }
}

function validatePorts(issues: Issue[], path: string, { ports }: ContainerSpec): void {
  check(
    issues,
    `${path}.ports`,
    ports.length <= MOST.ports,
    `it publishes ${ports.length} ports`,
    `keep to ${MOST.ports}`,
  );
  ports.forEach(({ containerPort, protocol, hostPort }, at) => {
    checkWithin(issues, `${path}.ports[${at}].containerPort`, containerPort, BOUNDS.port);
    if (hostPort !== undefined) validateHostPort(issues, `${path}.ports[${at}].hostPort`, hostPort);
    check(
      issues,
      `${path}.ports[${at}].protocol`,
      protocol === "tcp" || protocol === "udp",
      `"${String(protocol)}" is no protocol`,
      "use tcp or udp",
    );
  });
}

function validateHostPort(issues: Issue[], path: string, port: number): void {
  checkWithin(issues, path, port, BOUNDS.port);
  check(
    issues,
    path,
    !isReservedPort(port),
    `the host port ${port} is the machine's or the platform's`,
    "leave the host port out, and the scheduler picks one",
  );
}

function validateMounts(issues: Issue[], path: string, { volumes, tmpfs }: ContainerSpec): void {
  for (const [field, mounts] of [
    ["volumes", volumes],
    ["tmpfs", tmpfs],
  ] as const) {
    const problem = `it has ${mounts.length} entries`;
    check(issues, `${path}.${field}`, mounts.length <= MOST[field], problem, `keep to ${MOST[field]}`);
  }
  const targets = new Set<string>();
  const target = (at: string, text: string): void => {
    check(
      issues,
      at,
      isMountPath(text),
      `"${text.slice(0, 100)}" is no path to mount at`,
      "write an absolute path without ., .. and colons",
    );
    check(
      issues,
      at,
      !isKernelPath(text) && !isEngineSocket(text),
      `nothing can be mounted at "${text.slice(0, 100)}"`,
      "choose another path: /proc, /sys, /dev and the engine's socket are no tenant's",
    );
    // However it is written, it is one path.
    const one = text.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
    check(issues, at, !targets.has(one), `"${text.slice(0, 100)}" is mounted twice`, "mount one thing at one path");
    targets.add(one);
  };
  volumes.forEach((volume, at) => {
    const named = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$/.test(volume.name);
    const advice = "name a volume (letters, digits, _ and -): a directory of the node cannot be mounted";
    check(issues, `${path}.volumes[${at}].name`, named, `"${volume.name.slice(0, 60)}" is no volume's name`, advice);
    target(`${path}.volumes[${at}].target`, volume.target);
  });
  tmpfs.forEach((mount, at) => {
    target(`${path}.tmpfs[${at}].target`, mount.target);
    validateTmpfs(issues, `${path}.tmpfs[${at}]`, mount);
  });
}

function validateResources(issues: Issue[], path: string, { resources }: ContainerSpec): void {
  const { cpuMillis, memoryBytes, pids, reserveCpuMillis, reserveMemoryBytes } = resources;
  const at = `${path}.resources`;
  checkWithin(issues, `${at}.cpuMillis`, cpuMillis, BOUNDS.cpuMillis);
  checkWithin(issues, `${at}.memoryBytes`, memoryBytes, BOUNDS.memoryBytes);
  checkWithin(issues, `${at}.pids`, pids, BOUNDS.pids);
  checkWithin(issues, `${at}.reserveCpuMillis`, reserveCpuMillis, { ...BOUNDS.cpuMillis, least: 0 });
  checkWithin(issues, `${at}.reserveMemoryBytes`, reserveMemoryBytes, { ...BOUNDS.memoryBytes, least: 0 });
  check(
    issues,
    `${at}.reserveCpuMillis`,
    reserveCpuMillis <= cpuMillis,
    "more cpu is reserved than the limit allows",
    "raise the limit or reserve less",
  );
  check(
    issues,
    `${at}.reserveMemoryBytes`,
    reserveMemoryBytes <= memoryBytes,
    "more memory is reserved than the limit allows",
    "raise the limit or reserve less",
  );
}

function validateHealth(issues: Issue[], path: string, health: HealthCheck, published: ReadonlySet<number>): void {
  const { probe, intervalMs, timeoutMs, retries, startPeriodMs } = health;
  // 0 leaves what the image says.
  const isSaid = (value: number): boolean => probe.kind !== "image" || value !== 0;
  if (isSaid(intervalMs)) checkWithin(issues, `${path}.intervalMs`, intervalMs, BOUNDS.checkIntervalMs);
  if (isSaid(timeoutMs)) checkWithin(issues, `${path}.timeoutMs`, timeoutMs, BOUNDS.checkTimeoutMs);
  if (isSaid(retries)) checkWithin(issues, `${path}.retries`, retries, BOUNDS.checkRetries);
  checkWithin(issues, `${path}.startPeriodMs`, startPeriodMs, BOUNDS.checkStartPeriodMs);
  if (probe.kind === "image") return;
  if (probe.kind === "docker") {
    const [word] = probe.test;
    const isCommand = (word === "CMD" || word === "CMD-SHELL") && probe.test.length > 1;
    const known = (word === "NONE" || isCommand) && probe.test.length <= MOST.words;
    check(
      issues,
      `${path}.probe.test`,
      known,
      "it is no health check of Docker's",
      'begin it with "CMD" or "CMD-SHELL", followed by the command',
    );
    return;
  }
  checkWithin(issues, `${path}.probe.port`, probe.port, BOUNDS.port);
  check(
    issues,
    `${path}.probe.port`,
    published.has(probe.port),
    `port ${probe.port} is not published by the pod`,
    "publish it: it is asked through its host port",
  );
  if (probe.kind === "http")
    check(
      issues,
      `${path}.probe.path`,
      probe.path.length <= LONGEST.probePath && /^\/[!-~]*$/.test(probe.path),
      `"${probe.path.slice(0, 100)}" is no path`,
      "begin it with /, and write spaces and letters beyond ASCII as in a URL, %20",
    );
}
