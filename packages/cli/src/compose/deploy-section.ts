import { BOUNDS } from "@skep/core/model/bounds.ts";
import type { Resources } from "@skep/core/model/resources.ts";
import type { Draft, Reading, ServiceDraft } from "./draft.ts";
import { readSection } from "./section.ts";
import type { Verdict } from "./section.ts";
import type { Problems } from "./problems.ts";
import type { Spot } from "./spots.ts";
import {
  describe,
  isZero,
  readBytes,
  readCores,
  readDuration,
  readInteger,
  readPairs,
  readText,
  readTexts,
  readWord,
  textOf,
} from "./values.ts";

const NONE: Verdict = { problem: "it has no effect yet", advice: "Remove it" };

/**
 * `deploy` of a service. Its `labels` count as the container's, because Swarm's users write
 * Traefik's there.
 */
export function readDeploy(spot: Spot, draft: ServiceDraft, reading: Reading): Readonly<Record<string, string>> {
  const { problems } = reading;
  let labels: Readonly<Record<string, string>> = {};
  const ofPod = (read: (value: Spot) => void) => (value: Spot, key: ServiceDraft["place"]) => {
    draft.podKeys.push(key);
    read(value);
  };
  readSection(
    spot,
    {
      name: "deploy",
      keys: {
        replicas: ofPod(value => readReplicas(value, draft, reading)),
        resources: value => readResources(value, draft, reading),
        placement: ofPod(value => readPlacement(value, draft, reading)),
        update_config: ofPod(value => readUpdate(value, draft, reading)),
        restart_policy: ofPod(value => readRestartPolicy(value, draft, reading)),
        labels: value => (labels = readLabels(value, reading)),
        mode: ofPod(value => readMode(value, draft, reading)),
      },
      ignored: { rollback_config: NONE, endpoint_mode: NONE },
    },
    problems,
  );
  return labels;
}

const MODES = ["replicated", "global", "replicated-job", "global-job"] as const;

function readMode(spot: Spot, draft: ServiceDraft, { problems }: Reading): void {
  draft.mode = readWord(spot, problems, MODES) ?? draft.mode;
}

/** `labels`, as a mapping or as a list of `key=value`. */
export function readLabels(spot: Spot, reading: Reading): Readonly<Record<string, string>> {
  return Object.fromEntries([...readPairs(spot, reading.problems)].map(([key, pair]) => [key, pair.value ?? ""]));
}

/** Changes some of a container's resources. */
export function setResources(draft: ServiceDraft, change: Partial<Draft<Resources>>): void {
  draft.container.resources = { ...draft.container.resources, ...change };
}

type Limit = "cpuMillis" | "memoryBytes" | "pids";

const LIMIT_READERS: Readonly<Record<Limit, (spot: Spot, problems: Problems) => number | undefined>> = {
  cpuMillis: readCores,
  memoryBytes: readBytes,
  pids: (spot, problems) => readInteger(spot, problems, BOUNDS.pids),
};

/** A limit of a container. Docker's words for "none" are refused: every container has limits. */
export function readLimit(spot: Spot, limit: Limit, draft: ServiceDraft, { problems }: Reading): void {
  const isSecond = draft.limits.has(limit);
  const before = draft.container.resources[limit];
  draft.limits.add(limit);
  if (isZero(spot) || textOf(spot) === "-1") {
    problems.refuse(
      spot,
      `${describe(spot)} asks for no limit, and every container has one`,
      "Write how much it may use, or remove the key for the platform's default",
    );
    return;
  }
  const value = LIMIT_READERS[limit](spot, problems);
  if (value !== undefined && isSecond && value !== before) refuseSecond(spot, problems);
  if (value !== undefined) setResources(draft, { [limit]: value });
}

/** Compose has two places for some values, and takes them where they agree. */
function refuseSecond(spot: Spot, problems: Problems): void {
  problems.refuse(spot, "the service says this twice, and not the same", "Keep one of them");
}

/** How many copies: `scale`, or `deploy.replicas`. */
export function readReplicas(spot: Spot, draft: ServiceDraft, { problems }: Reading): void {
  const replicas = readInteger(spot, problems, BOUNDS.replicas);
  if (draft.replicas !== undefined && replicas !== undefined && replicas !== draft.replicas)
    refuseSecond(spot, problems);
  draft.replicas = replicas ?? draft.replicas;
}

/** What is set aside for a container; 0 sets nothing aside. */
export function readReservation(
  spot: Spot,
  reserved: "reserveCpuMillis" | "reserveMemoryBytes",
  draft: ServiceDraft,
  { problems }: Reading,
): void {
  const value = (reserved === "reserveCpuMillis" ? readCores : readBytes)(spot, problems);
  const before = draft.container.resources[reserved];
  if (value !== undefined && before !== 0 && value !== before) refuseSecond(spot, problems);
  if (value !== undefined) setResources(draft, { [reserved]: value });
}

/** A limit that the file does not say is never below what it sets aside. */
export function liftLimits({ container, limits }: ServiceDraft): void {
  const { cpuMillis, memoryBytes, reserveCpuMillis, reserveMemoryBytes } = container.resources;
  container.resources = {
    ...container.resources,
    cpuMillis: limits.has("cpuMillis") ? cpuMillis : Math.max(cpuMillis, reserveCpuMillis),
    memoryBytes: limits.has("memoryBytes") ? memoryBytes : Math.max(memoryBytes, reserveMemoryBytes),
  };
}

function readResources(spot: Spot, draft: ServiceDraft, reading: Reading): void {
  const devices: Verdict = { problem: "devices of the node cannot be handed to a container", advice: "Remove it" };
  const limit = (of: Limit) => (value: Spot) => readLimit(value, of, draft, reading);
  const limits = { cpus: limit("cpuMillis"), memory: limit("memoryBytes"), pids: limit("pids") };
  const reservations = {
    cpus: (value: Spot) => readReservation(value, "reserveCpuMillis", draft, reading),
    memory: (value: Spot) => readReservation(value, "reserveMemoryBytes", draft, reading),
  };
  const { problems } = reading;
  const refused = { devices, generic_resources: devices };
  readSection(
    spot,
    {
      name: "resources",
      keys: {
        limits: value => readSection(value, { name: "limits", keys: limits, refused }, problems),
        reservations: value => readSection(value, { name: "reservations", keys: reservations, refused }, problems),
      },
    },
    problems,
  );
}

function readPlacement(spot: Spot, draft: ServiceDraft, { problems }: Reading): void {
  readSection(
    spot,
    {
      name: "placement",
      keys: {
        constraints: value => (draft.placement.constraints = readTexts(value, problems)),
        max_replicas_per_node: value => {
          const most = readInteger(value, problems, { ...BOUNDS.maxPerNode, least: 0 });
          draft.placement.maxPerNode = most === 0 ? undefined : most;
        },
      },
      refused: {
        preferences: {
          problem: "spread preferences are not supported",
          advice: "Write `strategy: spread` under x-skep, which spreads over nodes",
        },
      },
    },
    problems,
  );
}

function readUpdate(spot: Spot, draft: ServiceDraft, { problems }: Reading): void {
  readSection(
    spot,
    {
      name: "update_config",
      keys: {
        parallelism: value =>
          (draft.update.parallelism = readInteger(value, problems, { ...BOUNDS.parallelism, least: 0 }) ?? 1),
        order: value => (draft.update.order = readWord(value, problems, ["start-first", "stop-first"])),
      },
      ignored: { delay: NONE, failure_action: NONE, monitor: NONE, max_failure_ratio: NONE },
    },
    problems,
  );
}

function readRestartPolicy(spot: Spot, draft: ServiceDraft, { problems }: Reading): void {
  const { restart } = draft;
  restart.condition = "any";
  restart.maxAttempts = undefined;
  readSection(
    spot,
    {
      name: "restart_policy",
      keys: {
        condition: value => {
          draft.saysRestart = true;
          restart.condition = readWord(value, problems, ["any", "on-failure", "none"]) ?? "any";
        },
        delay: value => {
          const wanted = readDuration(value, problems) ?? restart.delayMs;
          const { least } = BOUNDS.restartDelayMs;
          restart.delayMs = Math.max(least, wanted);
          if (wanted > 0 && wanted < least)
            problems.note(value, `the first start comes after ${least} ms at the soonest`, "It grows from there");
          restart.maxDelayMs = Math.max(restart.delayMs, restart.maxDelayMs);
        },
        max_attempts: value => {
          const most = readInteger(value, problems, { ...BOUNDS.maxAttempts, least: 0 });
          restart.maxAttempts = most === 0 ? undefined : most;
        },
        window: value => (restart.windowMs = readDuration(value, problems) ?? restart.windowMs),
      },
    },
    problems,
  );
}

/** `restart` of a service, Docker's short form of a restart policy. */
export function readRestart(spot: Spot, draft: ServiceDraft, { problems }: Reading): void {
  // The longer form, under `deploy`, wins wherever it stands in the file.
  const longer = draft.podKeys.some(key => key.path.endsWith(".deploy.restart_policy"));
  if (longer) return;
  const text = readText(spot, problems);
  if (text === undefined) return;
  const match = /^(no|false|always|unless-stopped|on-failure(?::(\d+))?)$/.exec(text);
  if (match === null) {
    problems.refuse(
      spot,
      `\`${text}\` is no restart policy`,
      "Write no, always, unless-stopped, on-failure or on-failure:3",
    );
    return;
  }
  const no = text === "no" || text === "false";
  draft.saysRestart = true;
  draft.restart.condition = no ? "none" : text.startsWith("on-failure") ? "on-failure" : "any";
  // 0 is Docker's word for no bound.
  if (match[2] !== undefined && Number(match[2]) > 0) draft.restart.maxAttempts = Number(match[2]);
}
