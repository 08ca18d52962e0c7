import { scale, type ScalingDecision, type ScalingPolicy, type Triggers } from "./autoscale.ts";
import { limitsOf } from "./connector.ts";
import type { WorkspaceLocation } from "./host.ts";
import type { HostedStatus } from "./host-report.ts";
import type { WorkspaceRecord } from "./record.ts";
import { selectMode } from "./selection.ts";
import { workspaceState } from "./state.ts";

/** What its host last said of a workspace, and when. */
export interface SeenContainer extends WorkspaceLocation, Omit<HostedStatus, "state"> {
  readonly nodeId: string;
  /** When its host last reported, ms. */
  readonly reportedAt: number;
}

/** The answer about a container's health (R105, R106). */
export interface ContainerStatus {
  readonly status: "healthy" | "unhealthy" | "not_found";
  /** In capitals, as R107 has it; empty where there is no such container. */
  readonly state: string;
  /** Seconds; `undefined` where its host has not said. */
  readonly uptime: number | undefined;
  readonly resources: Readonly<Record<string, number>>;
  readonly lastError: string;
  readonly reportedAt: number | undefined;
  /** What is not known, a sentence each. */
  readonly notKnown: readonly string[];
}

/** One thing that was looked at. */
export interface ContainerCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** Empty where nothing is to be done. */
  readonly advice: string;
}

/** How many of one kind of connection there are, and may be. */
export interface ContainerConnections {
  readonly kind: "sockets" | "channels" | "database";
  /** `undefined` where its host has not said. */
  readonly open: number | undefined;
  readonly most: number;
}

/** A host reports each second: what is older says nothing about now. */
const SILENT_MS = 10_000;

/** Numbers that hosts report, each by its part, and that are read here; `uptime` is in seconds. */
export const COUNTS = {
  uptime: "uptime",
  /** 1 where nothing of a workspace's data is left. */
  dataRemoved: "data.removed",
  sockets: "events.sockets",
  channels: "channel.subscriptions",
  database: "database.connections",
  files: "files.files",
  fileBytes: "files.bytes",
} as const;

/** What no host has said; one sentence. */
const NO_HOST = "no host has it, so nothing is known of how it runs";

/** How a container is, by its records alone. */
export function containerStatus(
  record: WorkspaceRecord | undefined,
  seen: SeenContainer | undefined,
  now: number,
): ContainerStatus {
  const unknown = { uptime: undefined, resources: {}, reportedAt: undefined };
  if (record === undefined) return { ...unknown, status: "not_found", state: "", lastError: "", notKnown: [] };
  const state = workspaceState(record, seen).toUpperCase();
  if (seen === undefined || seen.state === "stopped")
    return { ...unknown, status: "unhealthy", state, lastError: record.waiting, notKnown: [NO_HOST] };
  const { counts, reportedAt } = seen;
  const silentMs = now - reportedAt;
  const isSilent = silentMs > SILENT_MS;
  const silence = `its host ${seen.hostId} has said nothing for ${Math.round(silentMs / 1000)} s`;
  const uptime = counts[COUNTS.uptime];
  return {
    status: seen.isHealthy && !isSilent ? "healthy" : "unhealthy",
    ...{ state, uptime, resources: counts, reportedAt },
    lastError: isSilent && seen.lastError === "" ? silence : seen.lastError,
    notKnown: [
      ...(isSilent ? [`how it is now: ${silence}`] : []),
      ...(uptime === undefined ? ["its uptime: its host has not said"] : []),
    ],
  };
}

/** What is as it should be, and what is not. */
export function diagnose(
  record: WorkspaceRecord,
  seen: SeenContainer | undefined,
  now: number,
): readonly ContainerCheck[] {
  const { connector, desired, waiting, purpose } = record;
  const { status, lastError } = containerStatus(record, seen, now);
  const mode = connector.config.resources.type;
  const rule = selectMode(purpose);
  const hasHost = seen !== undefined && seen.state !== "stopped";
  const isSilent = hasHost && now - seen.reportedAt > SILENT_MS;
  const { url, size } = connector.config.resources.specs.database;
  const { podProblem } = record;
  const pod = checked("pod", podProblem === "", podProblem || "nothing is wrong with it", "do what it says");
  return [
    checked("enabled", connector.enabled, connector.enabled ? "it lets people in" : "it lets nobody in", "enable it"),
    checked("desired", desired === "run", `it is to be ${desired}`, "start it, where it is to run"),
    checked(
      "host",
      hasHost,
      hasHost ? `${seen.hostId} on ${seen.nodeId} has it` : waiting || "no host has it",
      "look at the shared hosts' service, or at its deployment where it stands alone",
    ),
    checked(
      "report",
      hasHost && !isSilent,
      hasHost ? `its host reported ${Math.round((now - seen.reportedAt) / 1000)} s ago` : NO_HOST,
      "look at the log of its host",
    ),
    checked(
      "health",
      status === "healthy",
      lastError || (status === "healthy" ? "all its parts are connected" : "its host does not call it healthy"),
      "read what failed last, and the log of its host",
    ),
    ...(mode === "standalone" || podProblem !== "" ? [pod] : []),
    checked("mode", rule.mode === mode, `it is ${mode}; the rule ${rule.name} says ${rule.mode}`, rule.because),
    checked("database", true, `${url === undefined ? "Skep's" : "its own"}, up to ${size} MB`, ""),
  ];
}

/** Its connections, each with its bound. */
export function connectionsOf(
  record: WorkspaceRecord,
  seen: SeenContainer | undefined,
): readonly ContainerConnections[] {
  const limits = limitsOf(record.connector);
  const open = (kind: ContainerConnections["kind"]): number | undefined => seen?.counts[COUNTS[kind]];
  return [
    { kind: "sockets", open: open("sockets"), most: limits.sockets },
    { kind: "channels", open: open("channels"), most: limits.channels },
    { kind: "database", open: open("database"), most: record.databasePool },
  ];
}

/** A workspace as far as its scaling goes, and what its host last said of it. */
export interface ScaledWorkspace extends Pick<WorkspaceRecord, "instances" | "scaledAt"> {
  readonly seen: Pick<SeenContainer, "counts" | "reportedAt"> | undefined;
}

/**
 * What a policy does with a workspace now (R111..R118), as far as its host has told its load. It
 * changes nothing, so it is its own dry run.
 */
export function decideScaling(
  policy: ScalingPolicy,
  { instances, scaledAt, seen }: ScaledWorkspace,
  now: number,
): ScalingDecision {
  const isHeard = seen !== undefined && now - seen.reportedAt <= SILENT_MS;
  const load = isHeard ? loadOf(seen.counts, instances) : undefined;
  return scale(policy, { instances, load, changedAt: scaledAt }, now);
}

/** The numbers of a workspace that its scaling goes by, as its host reports them. */
export const LOAD_COUNTS = {
  cpuUsage: "load.cpuUsage",
  memoryUsage: "load.memoryUsage",
  connectionCount: "load.connectionCount",
  messagesPerSecond: "load.messagesPerSecond",
} as const satisfies Readonly<Record<keyof Triggers, string>>;

/** What the whole workspace does, shared out over its instances. */
function loadOf(counts: Readonly<Record<string, number>>, instances: number): Triggers | undefined {
  const names = Object.entries(LOAD_COUNTS) as readonly (readonly [keyof Triggers, string])[];
  if (names.some(([, count]) => counts[count] === undefined)) return undefined;
  const shares = names.map(([name, count]) => [name, (counts[count] ?? 0) / instances] as const);
  return Object.fromEntries(shares) as Record<keyof Triggers, number>;
}

function checked(name: string, ok: boolean, found: string, advice: string): ContainerCheck {
  return { name, ok, found, advice: ok ? "" : advice };
}
