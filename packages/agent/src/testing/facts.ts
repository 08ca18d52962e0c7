import type { EngineFacts } from "../engine/engine.ts";

/** An engine's facts for tests: a worker with two cores. */
export function someFacts(over: Partial<EngineFacts> = {}): EngineFacts {
  return {
    nodeId: "node-1",
    address: "10.0.0.1",
    hostname: "n1",
    manager: false,
    cores: 2,
    memoryBytes: 4 * 1024 ** 3,
    os: "linux",
    architecture: "x86_64",
    version: "20.10.24",
    apiVersion: "1.41",
    labels: {},
    startIdentity: "start",
    ...over,
  };
}
