import type { Resources } from "@skep/core/model/resources.ts";
import type { Draft, Reading, ServiceDraft } from "./draft.ts";
import { readSection } from "./section.ts";
import type { Verdict } from "./section.ts";
import type { Spot } from "./tree.ts";
import { readBytes, readCores, readDuration, readInteger, readPairs, readText, readTexts, readWord } from "./values.ts";

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
        replicas: ofPod(value => (draft.replicas = readInteger(value, problems, 0, 10_000))),
        resources: value => readResources(value, draft, reading),
        placement: ofPod(value => readPlacement(value, draft, reading)),
        update_config: ofPod(value => readUpdate(value, draft, reading)),
        restart_policy: ofPod(value => readRestartPolicy(value, draft, reading)),
        labels: value => (labels = readLabels(value, reading)),
        mode: value => {
          if (readWord(value, problems, ["replicated", "global"]) === "global")
            problems.refuse(
              value,
              "a service on every node is not supported",
              "Set `replicas` and `placement.max_replicas_per_node: 1`",
            );
        },
      },
      ignored: { rollback_config: NONE, endpoint_mode: NONE },
    },
    problems,
  );
  return labels;
}

/** `labels`, as a mapping or as a list of `key=value`. */
export function readLabels(spot: Spot, reading: Reading): Readonly<Record<string, string>> {
  return Object.fromEntries([...readPairs(spot, reading.problems)].map(([key, pair]) => [key, pair.value ?? ""]));
}

/**
 * Changes some of a container's resources. A reservation above the limit is refused by the caller's
 * last check.
 */
export function setResources(draft: ServiceDraft, change: Partial<Draft<Resources>>): void {
  const defined = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  draft.container.resources = { ...draft.container.resources, ...defined };
}

function readResources(spot: Spot, draft: ServiceDraft, { problems }: Reading): void {
  const devices: Verdict = { problem: "devices of the node cannot be handed to a container", advice: "Remove it" };
  const memory = (value: Spot, set: (bytes: number) => void): void => {
    const bytes = readBytes(value, problems);
    if (bytes !== undefined) set(bytes);
  };
  const cores = (value: Spot, set: (millis: number) => void): void => {
    const millis = readCores(value, problems);
    if (millis !== undefined) set(millis);
  };
  const limits = {
    cpus: (value: Spot) => cores(value, cpuMillis => setResources(draft, { cpuMillis })),
    memory: (value: Spot) => memory(value, memoryBytes => setResources(draft, { memoryBytes })),
    pids: (value: Spot) => {
      const pids = readInteger(value, problems, 1, 1_000_000);
      if (pids !== undefined) setResources(draft, { pids });
    },
  };
  const reservations = {
    cpus: (value: Spot) => cores(value, reserveCpuMillis => setResources(draft, { reserveCpuMillis })),
    memory: (value: Spot) => memory(value, reserveMemoryBytes => setResources(draft, { reserveMemoryBytes })),
  };
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
          const most = readInteger(value, problems, 0, 10_000);
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
        parallelism: value => (draft.update.parallelism = readInteger(value, problems, 0, 10_000) ?? 1),
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
        condition: value => (restart.condition = readWord(value, problems, ["any", "on-failure", "none"]) ?? "any"),
        delay: value => {
          restart.delayMs = readDuration(value, problems) ?? restart.delayMs;
          restart.maxDelayMs = Math.max(restart.delayMs, restart.maxDelayMs);
        },
        max_attempts: value => {
          const most = readInteger(value, problems, 0, 10_000);
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
  draft.restart.condition = no ? "none" : text.startsWith("on-failure") ? "on-failure" : "any";
  if (match[2] !== undefined) draft.restart.maxAttempts = Number(match[2]);
}
