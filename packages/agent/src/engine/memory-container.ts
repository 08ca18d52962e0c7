import type { Health, PortBinding } from "@skep/core/model/instance.ts";
import type { Labels } from "@skep/core/model/labels.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Identity } from "./labels.ts";

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
  readonly name: string;
  readonly labels: Labels;
  /** What the labels say, read once; `undefined` where they are not ours. */
  readonly identity: Identity | undefined;
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
  };
}

/** The host ports that the container takes while it runs. */
export function hostPortsOf(container: MemoryContainer): number[] {
  return container.ports.map(port => port.hostPort);
}
