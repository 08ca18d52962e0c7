import { hash } from "node:crypto";
import type { AgentFacts } from "@skep/api/codec/report.ts";
import type { EngineFacts } from "../engine/engine.ts";

/** What the operator lets the agent use of its node. */
export interface NodeLimits {
  /** Host ports for tenants, both ends included. */
  readonly portFrom: number;
  readonly portTo: number;
  readonly maxInstances: number;
}

/** What the node says of itself when a session begins. */
export function toNodeFacts(
  engine: EngineFacts,
  session: {
    readonly nodeId: string;
    readonly sessionId: string;
    readonly bootId: string;
    readonly agentVersion: string;
  },
  limits: NodeLimits,
): AgentFacts {
  return {
    ...session,
    hostname: engine.hostname,
    address: engine.address,
    os: engine.os,
    architecture: engine.architecture,
    engineVersion: engine.version,
    engineLabels: engine.labels,
    capacity: {
      cpuMillis: engine.cores * 1_000,
      memoryBytes: engine.memoryBytes,
      instances: limits.maxInstances,
      portFrom: limits.portFrom,
      portTo: limits.portTo,
    },
  };
}

/** The last answer, since each beat asks: facts are replaced and never changed. */
const named = new WeakMap<EngineFacts, { readonly machineBootId: string; readonly bootId: string }>();

/**
 * Names one life of the node: another machine boot or another start of the engine gives another
 * name.
 */
export function toBootId(machineBootId: string, engine: EngineFacts): string {
  const known = named.get(engine);
  if (known?.machineBootId === machineBootId) return known.bootId;
  const bootId = hash("sha256", `${machineBootId}\n${engine.startIdentity}`, "hex").slice(0, 32);
  named.set(engine, { machineBootId, bootId });
  return bootId;
}
