import { timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import {
  HostStrategy,
  WorkspaceDesired,
  WorkspaceEnvironment,
  WorkspaceScale,
  WorkspaceState,
} from "@skep/api/gen/skep/v1/workspace_pb.ts";
import type { ScalingPolicy, Workspace, WorkspacePurpose } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import type { GetContainerStatusResponse } from "@skep/api/gen/skep/v1/container_service_pb.ts";
import type { MachineSize, PreviewWorkspaceResponse } from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { enumWord } from "./enum-word.ts";
import { moveWords } from "./moves.ts";
import { renderFields, renderTable } from "./table.ts";
import type { View } from "./view.ts";
import { duration, moment } from "./words.ts";

/** One line for each. */
export function renderWorkspaces({ io }: View, workspaces: readonly Workspace[]): string {
  const rows = workspaces.map(one => [
    one.id,
    one.tenantId,
    one.connector?.name ?? "",
    one.connector?.config?.resources?.type ?? "",
    stateOf(one),
    one.location?.hostId ?? "-",
    age(io.now(), one.createdAt),
    one.waiting,
  ]);
  return renderTable(
    ["WORKSPACE", "TENANT", "NAME", "MODE", "STATE", "HOST", "AGE", "WAITS"].map(heading => ({ heading })),
    rows,
    io.isTty ? io.width : undefined,
  );
}

/** One in full; with how its container is, where that was asked. */
export function renderWorkspace(one: Workspace, container?: GetContainerStatusResponse): string {
  const { connector, purpose, scaling } = one;
  const { access, config } = connector ?? {};
  const { specs, type: mode = "" } = config?.resources ?? {};
  const limits = specs?.ratelimits;
  return renderFields([
    ["Workspace", one.id],
    ["Tenant", one.tenantId],
    ["Name", connector?.name ?? ""],
    ["Type", [connector?.workspace?.type, connector?.workspace?.icode].filter(Boolean).join(", ")],
    ["State", `${stateOf(one)}${one.waiting === "" ? "" : `: ${one.waiting}`}`],
    ...(one.podProblem === "" ? [] : [["Problem", one.podProblem] as const]),
    ...(container === undefined ? [] : healthOf(one, container)),
    ["Mode", `${mode}${connector?.enabled === false ? ", not enabled: nobody is let in" : ""}`],
    ...(one.move === undefined ? [] : [["Move", moveWords(one.move)] as const]),
    ["Host", one.location === undefined ? "none" : `${one.location.hostId} on ${one.location.nodeId}`],
    ["Purpose", purposeWords(purpose)],
    ["Chosen by", enumWord(HostStrategy, one.strategy)],
    ["Maintainers", access?.maintainers.join(", ") ?? ""],
    ["Access", `${access?.ratelimits?.sockets} sockets, ${access?.ratelimits?.events} events a second each`],
    ["Limits", `${limits?.sockets} sockets, ${limits?.events} events a second each, ${limits?.channels} channels`],
    [
      "Database",
      `${specs?.database?.url || "Skep's"}, ${specs?.database?.size} MB, ${one.databasePoolSize} connections`,
    ],
    ["Files", specs?.files === undefined ? "Skep's" : `${specs.files.url}, bucket ${specs.files.bucket}`],
    ["Messages", `${rateWords(specs?.messagesPerSecond)}, kept ${keptWords(specs?.database?.retentionDays)}`],
    ["Scaling", `${scaling === undefined ? "off" : scalingWords(scaling)}; ${Math.max(1, one.instances)} at present`],
    ["Version", `${one.resourceVersion}, placed ${one.epoch} times, restarted ${one.restarts} times`],
    ["Created", one.createdAt === undefined ? "" : moment(timestampMs(one.createdAt))],
  ]);
}

/** What keeps it from working is what somebody looks for at night. */
function healthOf(
  one: Workspace,
  { status, lastError, resources }: GetContainerStatusResponse,
): (readonly [string, string])[] {
  // It runs nothing because somebody wants that: nothing is wrong with it.
  if (stateOf(one) === "stopped") return [["Health", "stopped"]];
  const count = (name: string): number => resources[`ingest.${name}`] ?? 0;
  const ingest = `${count("stored")} stored, ${count("buried")} dead letters, ${count("waiting")} wait in the host`;
  return [
    ["Health", `${status}${lastError === "" ? "" : `: ${lastError}`}`],
    ...(resources["ingest.stored"] === undefined ? [] : [["Messages since it began", ingest] as const]),
  ];
}

/** Which mode fits and why, and what it takes. */
export function renderPlan(plan: PreviewWorkspaceResponse): string {
  const { selection, table, size, machine, fits, machines } = plan;
  const binding = selection?.isBinding === true ? "; the other mode is refused" : "";
  const rules = table.map(row => [
    row.name === selection?.name ? "*" : "",
    row.name,
    row.mode + (row.isBinding ? ", always" : ""),
    row.because,
  ]);
  const sizes = machines.map(one => [one.name === machine?.name ? "*" : "", ...machineCells(one)]);
  return [
    renderFields([
      ["Mode", `${selection?.mode}, by the rule ${selection?.name}: ${selection?.because}${binding}`],
      ["Database", `${size?.databaseMb} MB`],
      ["Memory", `${size?.memoryMb} MB`],
      ["Broker", `${size?.brokerConnections} connections`],
      ["Machine", fits ? `${machine?.name}` : `more than ${machine?.name}: divide it over several workspaces`],
    ]),
    renderTable(headings("", "RULE", "MODE", "BECAUSE"), rules),
    renderTable(headings("", "MACHINE", "CORES", "MEMORY", "STORAGE", "NETWORK"), sizes),
  ].join("\n");
}

/** When a workspace gets more room. */
export function scalingWords({ enabled, triggers, cooldown, maxInstances }: ScalingPolicy): string {
  if (enabled !== true) return "off";
  return (
    `above ${triggers?.cpuUsage} % cpu, ${triggers?.memoryUsage} % memory, ${triggers?.connectionCount} connections or ` +
    `${triggers?.messagesPerSecond} messages a second, each ${cooldown} s, up to ${maxInstances}`
  );
}

function rateWords(perSecond: number | undefined): string {
  return perSecond === undefined ? "as many as its host allows" : `${perSecond} a second`;
}

function keptWords(days: number | undefined): string {
  return days === undefined ? "for ever" : `${days} days`;
}

function machineCells(one: MachineSize): readonly string[] {
  const network = one.networkGbps === 0 ? "-" : `${one.networkGbps} Gbps`;
  return [one.name, String(one.cores), `${one.memoryGb} GB`, `${one.storageGb} GB`, network];
}

function headings(...names: readonly string[]): readonly { readonly heading: string }[] {
  return names.map(heading => ({ heading }));
}

function stateOf(one: Workspace): string {
  return one.desired === WorkspaceDesired.DELETED ? "leaving" : enumWord(WorkspaceState, one.state);
}

function purposeWords(purpose: WorkspacePurpose | undefined): string {
  if (purpose === undefined) return "";
  const { environment, scale, isRegulated, needsPerformance, isCostSensitive } = purpose;
  return [
    `${enumWord(WorkspaceScale, scale)} ${enumWord(WorkspaceEnvironment, environment)}`.trim(),
    ...(isRegulated ? ["regulated"] : []),
    ...(needsPerformance ? ["performance"] : []),
    ...(isCostSensitive ? ["cost"] : []),
  ].join(", ");
}

function age(now: number, at: Timestamp | undefined): string {
  return at === undefined ? "?" : duration(now - timestampMs(at));
}
