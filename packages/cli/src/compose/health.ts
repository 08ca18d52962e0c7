import type { Bounds } from "@skep/core/model/bounds.ts";
import { BOUNDS } from "@skep/core/model/bounds.ts";
import type { HealthCheck, Probe } from "@skep/core/model/deployment.ts";
import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import type { Section } from "./section.ts";
import { isNothing } from "./spots.ts";
import type { Spot } from "./spots.ts";
import { describe, readBoolean, readDurationWithin, readInteger, readText, readTexts, textOf } from "./values.ts";

/** Docker's own figures, for a `healthcheck` that leaves them out. */
const DOCKER_DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 };
/** A probe of the agent is cheap, so it asks more often. */
const PROBE_DEFAULTS = { intervalMs: 5_000, timeoutMs: 2_000, retries: 3, startPeriodMs: 0 };
/** 0 is Docker's word for its default. */
const SILENT = { intervalMs: 0, timeoutMs: 0, retries: 0, startPeriodMs: 0 };

/** `healthcheck` of Compose. Without a test it gives times to the image's own check. */
export function readHealthcheck(spot: Spot, problems: Problems): HealthCheck | undefined {
  const said: Timing = { ...SILENT };
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
        ...timingKeys(said, problems),
      },
      ignored: { start_interval: startInterval },
    },
    problems,
  );
  const timing = withDefaults(said, DOCKER_DEFAULTS);
  if (disabled || test?.[0] === "NONE") return { probe: { kind: "docker", test: ["NONE"] }, ...timing };
  if (test !== undefined) return { probe: { kind: "docker", test }, ...timing };
  const isSilent = Object.values(said).every(value => value === 0);
  return isSilent || !isOfImage(spot) ? undefined : { probe: { kind: "image" }, ...said };
}

/** No test, or an empty list, is Docker's word for the image's own check. */
function isOfImage(spot: Spot): boolean {
  const test = spot.kind === "map" ? spot.entries.get("test")?.value : undefined;
  return test === undefined || isNothing(test) || (test.kind === "list" && test.items.length === 0);
}

/** `x-skep.probe`: what the agent itself asks, without a program in the container. */
export function readProbe(spot: Spot, problems: Problems): HealthCheck | undefined {
  const said: Timing = { ...SILENT };
  const probes: Probe[] = [];
  readSection(
    spot,
    {
      name: "a probe",
      keys: {
        http: (value, key) => probes.push(...readHttp(value, key, problems)),
        tcp: value => probes.push(...readTcp(value, problems)),
        ...timingKeys(said, problems),
      },
    },
    problems,
  );
  const [probe] = probes;
  if (probe !== undefined && probes.length === 1) return { probe, ...withDefaults(said, PROBE_DEFAULTS) };
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
  if (isNothing(spot) || (spot.kind === "list" && spot.items.length === 0)) return undefined;
  if (textOf(spot).trim() !== "") return ["CMD-SHELL", textOf(spot)];
  const words = readTexts(spot, problems);
  const [kind] = words;
  if (kind === "NONE" && words.length === 1) return words;
  if (kind === "CMD" && words.length > 1) return words;
  if (kind === "CMD-SHELL" && words.length > 1) {
    if (words.length > 2)
      problems.note(
        spot,
        `only \`${words[1]}\` is run: the shell takes the words after it for its own`,
        'Write the command as one word, or begin the list with "CMD"',
      );
    return words;
  }
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
        port: value => (port = readInteger(value, problems, BOUNDS.port)),
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
      { name: "a TCP probe", keys: { port: value => (port = readInteger(value, problems, BOUNDS.port)) } },
      problems,
    );
  else port = readInteger(spot, problems, BOUNDS.port);
  return port === undefined ? [] : [{ kind: "tcp", port }];
}

interface Timing {
  intervalMs: number;
  timeoutMs: number;
  retries: number;
  startPeriodMs: number;
}

function timingKeys(timing: Timing, problems: Problems): Section["keys"] {
  return {
    interval: value => (timing.intervalMs = readTime(value, BOUNDS.checkIntervalMs, problems)),
    timeout: value => (timing.timeoutMs = readTime(value, BOUNDS.checkTimeoutMs, problems)),
    retries: value => {
      const { most } = BOUNDS.checkRetries;
      timing.retries = readInteger(value, problems, { least: 0, most }) ?? 0;
    },
    start_period: value => {
      timing.startPeriodMs = readDurationWithin(value, problems, BOUNDS.checkStartPeriodMs) ?? 0;
    },
  };
}

function readTime(spot: Spot, bounds: Bounds, problems: Problems): number {
  return readDurationWithin(spot, problems, bounds, "zero") ?? 0;
}

function withDefaults(said: Timing, defaults: Timing): Timing {
  return {
    intervalMs: said.intervalMs || defaults.intervalMs,
    timeoutMs: said.timeoutMs || defaults.timeoutMs,
    retries: said.retries || defaults.retries,
    startPeriodMs: said.startPeriodMs || defaults.startPeriodMs,
  };
}
