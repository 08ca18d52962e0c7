import { describe, expect, it } from "vitest";
import { waitForStack } from "./convergence.ts";
import type { Manager } from "./manager.ts";

/** A Swarm that answers with these services. */
function swarmOf(services: readonly unknown[]): Manager {
  return {
    socket: "/nowhere.sock",
    docker: () => Promise.reject(new Error("nothing is run here")),
    get: <T>(path: string): Promise<T> => Promise.resolve((path.includes("/services") ? services : []) as T),
  };
}

const service = (name: string, replicas: number, running: number): unknown => ({
  ID: name,
  Spec: { Name: `skep_${name}`, Mode: { Replicated: { Replicas: replicas } } },
  ServiceStatus: { RunningTasks: running, DesiredTasks: replicas },
});

describe("waiting for the stack", () => {
  it("does not wait for an engine that the operator left out", async () => {
    await waitForStack(swarmOf([service("mongod", 0, 0), service("gate", 2, 2)]), "skep", 1_000, () => undefined);
  });

  it("names the service that is behind when the time is over", async () => {
    const waited = waitForStack(swarmOf([service("mongod", 1, 0)]), "skep", 1, () => undefined);
    await expect(waited).rejects.toThrow("skep_mongod: 0 of 1 run");
  });

  it("does not take a global service for there that has no tasks yet", async () => {
    const agent = { ID: "a", Spec: { Name: "skep_agent", Mode: { Global: {} } } };
    const begun = { ...agent, ServiceStatus: { RunningTasks: 0, DesiredTasks: 0 } };
    await expect(waitForStack(swarmOf([begun]), "skep", 1, () => undefined)).rejects.toThrow("skep_agent: 0 of 0");
  });
});
