import type { EngineFacts, SwarmNodeView } from "@skep/agent/engine/engine.ts";
import { MemoryEngine } from "@skep/agent/engine/memory.ts";
import { hostPortsOf, type MemoryContainer } from "@skep/agent/engine/memory-container.ts";
import type { VirtualClock } from "@skep/kit/virtual-clock.ts";
import type { RunningContainer } from "./goal.ts";
import type { Running } from "./record-rules.ts";
import { IMAGES, JOB_IMAGE } from "./workload.ts";

/** The image of pods' sandboxes, which every node has. */
export const SANDBOX_IMAGE = "skep/sandbox:1";

/** How long a job takes. */
const JOB_MS = 1_500;

/** A machine of the simulated Swarm: its engine lives on whatever becomes of its agent. */
export interface SimNode {
  readonly id: string;
  readonly address: string;
  readonly engine: MemoryEngine;
  /** The agent's boot id; changes when the machine boots. */
  bootId(): string;
  on(): boolean;
  /** The machine loses its power: everything on it ends. */
  powerOff(): void;
  /** It boots: the engine is there, its containers are exited. */
  powerOn(): void;
  running(): readonly (Running & RunningContainer)[];
  /** The container that listens on a host port. */
  listener(hostPort: number): MemoryContainer | undefined;
  /** Grows with each change of its containers. */
  changes(): number;
}

/**
 * Makes a machine that is switched on. The first node is the Swarm's manager; `swarm` is what all
 * managers know.
 */
export function createSimNode(number: number, clock: VirtualClock, swarm: Map<string, SwarmNodeView>): SimNode {
  const id = `node-${number}`;
  const address = `10.0.0.${number}`;
  const facts: EngineFacts = {
    nodeId: id,
    address,
    hostname: `host-${number}`,
    manager: number <= 2,
    cores: 4,
    memoryBytes: 4 * 1024 ** 3,
    os: "linux",
    architecture: "x86_64",
    version: "20.10.24",
    apiVersion: "1.41",
    labels: {},
    startIdentity: `start-${number}`,
  };
  swarm.set(id, {
    nodeId: id,
    hostname: facts.hostname,
    role: facts.manager ? "manager" : "worker",
    availability: "active",
    state: "ready",
    address,
    labels: { zone: number % 2 === 0 ? "even" : "odd" },
    versionIndex: 10,
  });
  const engine = new MemoryEngine({
    clock,
    facts,
    registry: new Set([...IMAGES, JOB_IMAGE]),
    programs: ({ image }) => ({ lines: [], runsMs: image === JOB_IMAGE ? JOB_MS : undefined, exitCode: 0 }),
    images: [SANDBOX_IMAGE],
    delays: { pullMs: 300, createMs: 10, startMs: 150, stopMs: 100 },
    swarm,
  });
  let boots = 1;
  let on = true;
  let changes = 0;
  engine.events(() => changes++);
  const look = (): readonly (Running & RunningContainer)[] =>
    engine.containers().flatMap(container => {
      const { state, identity } = container;
      if (state !== "running" || identity === undefined) return [];
      const { instanceId, epoch, container: name } = identity;
      return [{ nodeId: id, instanceId, epoch, name, hostPorts: hostPortsOf(container) }];
    });
  let seen = { at: -1, running: look() };
  return {
    id,
    address,
    engine,
    bootId: () => `boot-${number}-${boots}`,
    on: () => on,
    powerOff: () => {
      on = false;
      engine.restart();
      engine.setAvailable(false);
    },
    powerOn: () => {
      if (on) return;
      on = true;
      boots++;
      engine.setAvailable(true);
    },
    listener: hostPort =>
      engine.containers().find(one => one.state === "running" && hostPortsOf(one).includes(hostPort)),
    changes: () => changes,
    running: () => {
      if (seen.at !== changes) seen = { at: changes, running: look() };
      return seen.running;
    },
  };
}
