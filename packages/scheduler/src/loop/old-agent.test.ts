import { aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { platformHandlers } from "../api/platform.ts";
import type { Scheduler } from "../create-scheduler.ts";
import type { FakeAgent } from "../testing/fake-agent.ts";
import { createRig, type Rig } from "../testing/rig.ts";

const someone = { actor: "someone", idempotencyKey: undefined };

describe("a node with an agent of an older version", () => {
  let rig: Rig;
  let scheduler: Scheduler;
  let old: FakeAgent;

  beforeEach(async () => {
    rig = createRig();
    scheduler = rig.scheduler("s1");
    scheduler.start();
    old = rig.agent("node-1");
    old.protocol = 1;
    for (const agent of [old, rig.agent("node-2")]) void agent.start();
    await rig.clock.advance(10_000);
  });
  afterEach(() => scheduler.stop());

  const warnings = async (): Promise<string> =>
    ((await platformHandlers(scheduler.api).getStatus({} as never, {} as never)).warnings ?? []).join("\n");
  async function deploy(name: string): Promise<readonly string[]> {
    const store = rig.database.connect("user");
    await store.createDeployment("acme", aSpec({ name, replicas: 4 }), [], someone, rig.clock.now());
    await rig.clock.advance(5_000);
    const here = [...rig.database.records.locations.values()].filter(one => one.deploymentId === `acme.${name}`);
    return [...new Set(here.map(one => one.nodeId))].sort();
  }

  it("is named by the status and gets no work, until it is updated", async () => {
    await rig.database.connect("user").createTenant(aTenant(), someone);
    expect(await warnings()).toMatch(/node-1.* speaks version 1 of the protocol .* update the agent/);
    expect(await warnings()).not.toContain("node-2");
    expect(await deploy("web")).toEqual(["node-2"]);
    old.protocol = undefined;
    await rig.clock.advance(3_000);
    expect(await warnings()).not.toContain("protocol");
    expect(await deploy("api")).toContain("node-1");
  });
});
