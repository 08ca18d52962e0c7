import { aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Scheduler } from "../create-scheduler.ts";
import type { FakeAgent } from "../testing/fake-agent.ts";
import { createRig, type Rig } from "../testing/rig.ts";

const someone = { actor: "someone", idempotencyKey: undefined };

let rig: Rig;
let scheduler: Scheduler;

/** An agent whose journal is lost, with copies of a deployment that its engine still has. */
function anAgentWith(nodeId: string, serials: readonly number[], state: "running" | "stopped"): FakeAgent {
  const agent = rig.agent(nodeId);
  for (const serial of serials) {
    const rest = { health: "none", containers: [], ports: [], message: "" } as const;
    const status = { instanceId: `acme.web.${serial}`, epoch: 1, state, ...rest };
    agent.strangers.set(`acme.web.${serial} 1`, { status, tenantId: "acme", deploymentId: "acme.web", release: 1 });
  }
  void agent.start();
  return agent;
}

/** Lets a promise end that needs virtual time. */
async function through(made: Promise<unknown>): Promise<void> {
  await rig.clock.advance(20_000);
  await made;
}

beforeEach(() => {
  rig = createRig();
  scheduler = rig.scheduler("s1");
});
afterEach(async () => {
  const stopping = scheduler.stop();
  await rig.clock.advance(10_000);
  await stopping;
});

test("copies on an emptied database outlive what is made again under their names by hand", async () => {
  const agents = [1, 2, 3].map(number => anAgentWith(`node-${number}`, [number, number + 3], "running"));
  scheduler.start();
  await rig.clock.advance(6_000);
  const store = rig.database.connect("user");
  await store.createTenant(aTenant(), someone);
  const count = (of: "running" | "strangers"): number => agents.reduce((sum, one) => sum + one[of].size, 0);
  await through(store.createDeployment("acme", aSpec({ replicas: 2 }), [], someone, rig.clock.now()));
  expect([count("running"), count("strangers")]).toEqual([2, 6]);
  await through(store.changeDeployment("acme.web", { replicas: 9 }, undefined, someone, rig.clock.now()));
  await rig.clock.advance(90_000);
  expect([count("running"), count("strangers")]).toEqual([9, 6]);
  expect(rig.database.records.orphans.size).toBe(6);
});

test("a copy whose name was made again before all nodes were examined is looked at anew, and not removed", async () => {
  // Its digest says nothing of what has ended, so nobody asks for a report by itself.
  const agent = anAgentWith("node-1", [1], "stopped");
  const late = rig.agent("node-2");
  const report = vi.spyOn(late, "report").mockResolvedValue();
  const beats = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      late.beat();
      await rig.clock.advance(1_000);
    }
  };
  scheduler.start();
  await beats(6);
  const { orphans, serials } = rig.database.records;
  expect([...orphans.values()].map(one => one.because)).toEqual(["no record explains it"]);
  const store = rig.database.connect("user");
  await store.createTenant(aTenant(), someone);
  await store.createDeployment("acme", aSpec({ replicas: 0 }), [], someone, rig.clock.now());
  expect(serials.get("acme.web")?.next).toBeGreaterThan(1);
  report.mockRestore();
  void late.start();
  await rig.clock.advance(1_000);
  expect([agent.strangers.size, orphans.size]).toEqual([1, 1]);
  await rig.clock.advance(10_000);
  expect(agent.strangers.size).toBe(1);
  expect([...orphans.values()].map(one => one.because)).toEqual([expect.stringContaining("never given")]);
});
