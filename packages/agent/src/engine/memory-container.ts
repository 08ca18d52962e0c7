import type { Health, PortBinding } from "@skep/core/model/instance.ts";
import type { Labels } from "@skep/core/model/labels.ts";
import type { ObservedContainer, WarmSandbox } from "@skep/core/model/observed.ts";
import { isWarmMade, LABEL, type Identity } from "./labels.ts";

/**
 * What a program in the twin does: it prints, runs for a while (`undefined` for ever) and ends with
 * its code.
 */
export interface MemoryProgram {
  readonly lines: readonly string[];
  readonly runsMs: number | undefined;
  readonly exitCode: number;
}

/** A container of the twin. It changes in place: the twin is the world, not a value. */
export interface MemoryContainer {
  readonly id: string;
  name: string;
  readonly labels: Labels;
  /** What name and labels say; `undefined` where it is not ours, or nobody's yet. */
  identity: Identity | undefined;
  readonly ports: readonly PortBinding[];
  readonly program: MemoryProgram;
  /** Id of the sandbox whose network it uses. */
  readonly joins: string | undefined;
  /** Names of the volumes that it mounts. */
  readonly mounts: readonly string[];
  state: "created" | "running" | "exited";
  exitCode: number | undefined;
  health: Health;
  readonly createdAt: number;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  /** How often it was started. */
  runs: number;
  /** Takes back the timer that ends the program. */
  cancelExit: (() => void) | undefined;
}

/** The container as the port shows it; `undefined` where its labels are not ours. */
export function toObserved(container: MemoryContainer): ObservedContainer | undefined {
  const { identity } = container;
  if (identity === undefined) return undefined;
  const { container: name, ...rest } = identity;
  const { id, state, exitCode, createdAt, startedAt, finishedAt, labels } = container;
  return {
    ...rest,
    id,
    name,
    state,
    exitCode,
    createdAt,
    startedAt,
    finishedAt,
    labels,
    oomKilled: false,
    imageId: "sha256:memory",
    engineHealth: state === "running" ? container.health : "none",
    ports: container.ports,
    isDetached: false,
    mounts: container.mounts,
    // Each start has a namespace of its own.
    netns:
      state === "running" && container.joins === undefined
        ? `/run/docker/netns/${id.slice(0, 8)}${String(container.runs).padStart(4, "0")}`
        : undefined,
  };
}

/** The container as a sandbox that is nobody's yet; `undefined` where it is none. */
export function toWarm({ id, identity, labels, state }: MemoryContainer): WarmSandbox | undefined {
  if (!isWarmMade(labels) || identity !== undefined) return undefined;
  return { id, specHash: labels[LABEL.specHash] ?? "", isRunning: state === "running" };
}

/** The host ports that the container takes while it runs. */
export function hostPortsOf(container: MemoryContainer): number[] {
  return container.ports.map(port => port.hostPort);
}
