import type { HealthCheck, Probe } from "@skep/core/model/deployment.ts";
import type { Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import type { Section } from "./section.ts";
import type { Place, Spot } from "./tree.ts";
import { describe, readBoolean, readDuration, readInteger, readText, readTexts } from "./values.ts";

/** Docker's own figures, for a `healthcheck` that leaves them out. */
const DOCKER_DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 };
/** A probe of the agent is cheap, so it asks more often. */
const PROBE_DEFAULTS = { intervalMs: 5_000, timeoutMs: 2_000, retries: 3, startPeriodMs: 0 };

/** `healthcheck` of Compose. */
export function readHealthcheck(spot: Spot, problems: Problems): HealthCheck | undefined {
  const timing = { ...DOCKER_DEFAULTS };
  let test: readonly string[] | undefined;
  let disabled = false;
  const startInterval = { problem: "`start_interval` has no effect", advice: "Set `interval`" };
  readSection(
    spot,
    {
      name: "a healthcheck",
      keys: {
        test: value => (test = readTest(value, problems)),
        disable: value => (disabled = readBoolean(value, problems) ?? false),
        ...timingKeys(timing, problems),
      },
      ignored: { start_interval: startInterval },
    },
    problems,
  );
  if (disabled || test?.[0] === "NONE") return { probe: { kind: "docker", test: ["NONE"] }, ...timing };
  if (test !== undefined) return { probe: { kind: "docker", test }, ...timing };
  if (spot.kind === "map" && !spot.entries.has("test"))
    problems.refuse(
      spot,
      "the healthcheck has no `test`",
      'Write `test: ["CMD", "program", "argument"]`, or a probe under x-skep',
    );
  return undefined;
}

/** `x-skep.probe`: what the agent itself asks, without a program in the container. */
export function readProbe(spot: Spot, problems: Problems): HealthCheck | undefined {
  const timing = { ...PROBE_DEFAULTS };
  const probes: Probe[] = [];
  readSection(
    spot,
    {
      name: "a probe",
      keys: {
        http: (value, key) => probes.push(...readHttp(value, key, problems)),
        tcp: value => probes.push(...readTcp(value, problems)),
        ...timingKeys(timing, problems),
      },
    },
    problems,
  );
  const [probe] = probes;
  if (probe !== undefined && probes.length === 1) return { probe, ...timing };
  const asked = spot.kind === "map" && (spot.entries.has("http") || spot.entries.has("tcp"));
  if (!asked || probes.length > 1)
    problems.refuse(
      spot,
      "a probe asks one thing",
      "Write either `http: { port: 8080, path: / }` or `tcp: { port: 1883 }`",
    );
  return undefined;
}

function readTest(spot: Spot, problems: Problems): readonly string[] | undefined {
  if (spot.kind === "scalar" && spot.value !== undefined) return ["CMD-SHELL", String(spot.value)];
  const words = readTexts(spot, problems);
  const [kind] = words;
  if (kind === "NONE" && words.length === 1) return words;
  if (kind === "CMD" && words.length > 1) return words;
  if (kind === "CMD-SHELL" && words.length === 2) return words;
  if (spot.kind === "list")
    problems.refuse(
      spot,
      "the test names no command",
      'Begin the list with "CMD", "CMD-SHELL" or "NONE", or write one text',
    );
  return undefined;
}

function readHttp(spot: Spot, key: Place, problems: Problems): readonly Probe[] {
  let port: number | undefined;
  let path: string | undefined = "/";
  readSection(
    spot,
    {
      name: "an HTTP probe",
      keys: {
        port: value => (port = readInteger(value, problems, 1, 65_535)),
        path: value => {
          path = readText(value, problems);
          if (path?.startsWith("/") !== true)
            path = problems.refuse(value, `${describe(value)} is no path`, "Begin it with /");
        },
      },
    },
    problems,
  );
  if (port === undefined && spot.kind === "map" && !spot.entries.has("port"))
    problems.refuse(key, "the HTTP probe has no `port`", "Write `http: { port: 8080, path: /health }`");
  return port === undefined || path === undefined ? [] : [{ kind: "http", port, path }];
}

function readTcp(spot: Spot, problems: Problems): readonly Probe[] {
  let port: number | undefined;
  if (spot.kind === "map")
    readSection(
      spot,
      { name: "a TCP probe", keys: { port: value => (port = readInteger(value, problems, 1, 65_535)) } },
      problems,
    );
  else port = readInteger(spot, problems, 1, 65_535);
  return port === undefined ? [] : [{ kind: "tcp", port }];
}

interface Timing {
  intervalMs: number;
  timeoutMs: number;
  retries: number;
  startPeriodMs: number;
}

function timingKeys(timing: Timing, problems: Problems): Section["keys"] {
  const duration = (value: Spot, fallback: number): number => {
    const found = readDuration(value, problems);
    if (found === undefined || found >= 1) return found ?? fallback;
    problems.refuse(value, `${describe(value)} is too short`, "Write at least 1ms");
    return fallback;
  };
  return {
    interval: value => (timing.intervalMs = duration(value, timing.intervalMs)),
    timeout: value => (timing.timeoutMs = duration(value, timing.timeoutMs)),
    retries: value => (timing.retries = readInteger(value, problems, 1, 100) ?? timing.retries),
    start_period: value => (timing.startPeriodMs = readDuration(value, problems) ?? timing.startPeriodMs),
  };
}
