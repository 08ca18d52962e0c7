import type { Health } from "@skep/core/model/instance.ts";
import type { ObservedContainer, ObservedNetwork, WarmSandbox } from "@skep/core/model/observed.ts";
import type { ContainerInfo, ContainerInspectInfo, NetworkInspectInfo } from "dockerode";
import { identityOf, isWarmMade, LABEL } from "./labels.ts";
import { parsePorts } from "./ports.ts";

/**
 * What an inspect adds to a list row: the list alone does not say when and how a container ended.
 */
export interface Lifetime {
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** Where its network namespace can be opened; absent while it has none of its own. */
  readonly netns?: string | undefined;
}

/**
 * One row of the engine's container list, and its lifetime, as an observed container; `undefined`
 * where it is not ours.
 */
export function toObservedContainer(row: ContainerInfo, lifetime: Lifetime): ObservedContainer | undefined {
  const identity = identityOf(nameOf(row), row.Labels);
  if (identity === undefined) return undefined;
  const { container, ...rest } = identity;
  const state = toState(row.State);
  return {
    ...rest,
    id: row.Id,
    name: container,
    state,
    exitCode: state === "exited" || state === "dead" ? lifetime.exitCode : undefined,
    oomKilled: lifetime.oomKilled,
    imageId: row.ImageID,
    engineHealth: state === "running" ? healthOf(row.Status) : "none",
    createdAt: row.Created * 1000,
    startedAt: lifetime.startedAt,
    finishedAt: lifetime.finishedAt,
    ports: parsePorts(row.Labels[LABEL.ports]),
    isDetached: isDetached(row),
    mounts: row.Mounts.flatMap(mount => (mount.Type === "volume" ? (mount.Name ?? []) : [])),
    labels: row.Labels,
    netns: state === "running" ? lifetime.netns : undefined,
  };
}

/** A row as a sandbox that was made ahead; `undefined` where it is none, or somebody's by now. */
export function toWarmSandbox(row: ContainerInfo): WarmSandbox | undefined {
  if (!isWarmMade(row.Labels) || identityOf(nameOf(row), row.Labels) !== undefined) return undefined;
  return { id: row.Id, specHash: row.Labels[LABEL.specHash] ?? "", isRunning: row.State === "running" };
}

function nameOf({ Names }: ContainerInfo): string {
  return (Names?.[0] ?? "").replace(/^\//, "");
}

/**
 * A container keeps its entry of a network while it does not run. One that joined a sandbox never
 * has any, and one that is listed while it is still being made has none yet.
 */
function isDetached({ State, HostConfig, NetworkSettings }: ContainerInfo): boolean {
  if (State === "created" || HostConfig.NetworkMode.startsWith("container:")) return false;
  return Object.keys(NetworkSettings?.Networks ?? {}).length === 0;
}

/** The times and the exit code of an inspected container. */
export function toLifetime(inspect: ContainerInspectInfo): Lifetime {
  const { State: state } = inspect;
  const startedAt = toTime(state.StartedAt);
  return {
    exitCode: startedAt === undefined && state.ExitCode === 0 ? undefined : state.ExitCode,
    oomKilled: state.OOMKilled,
    startedAt,
    finishedAt: toTime(state.FinishedAt),
    netns: toNetns(inspect.NetworkSettings?.SandboxKey),
  };
}

/** Engines name it below `/var/run`, which is `/run` wherever there is a `/var/run`. */
function toNetns(sandboxKey: string | undefined): string | undefined {
  return sandboxKey === undefined || sandboxKey === "" ? undefined : sandboxKey.replace(/^\/var\/run\//, "/run/");
}

/** A network of the engine's list as one of ours; `undefined` where it is not. */
export function toObservedNetwork(row: NetworkInspectInfo): ObservedNetwork | undefined {
  const tenantId = row.Labels?.[LABEL.tenant];
  return tenantId === undefined ? undefined : { id: row.Id, name: row.Name, tenantId };
}

/**
 * The engine writes health into the status text of its list, which spares an inspect per container
 * and look.
 */
function healthOf(status: string): Health {
  if (status.includes("(healthy)")) return "healthy";
  if (status.includes("(unhealthy)")) return "unhealthy";
  return status.includes("(health: starting)") ? "starting" : "none";
}

function toState(word: string): ObservedContainer["state"] {
  switch (word) {
    case "created":
    case "running":
    case "paused":
    case "restarting":
    case "removing":
    case "exited":
      return word;
    default:
      return "dead";
  }
}

function toTime(text: string): number | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) || at <= 0 ? undefined : at;
}
