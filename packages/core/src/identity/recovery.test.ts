import { describe, expect, it } from "vitest";
import { aDeployment, aLocation, anInstance, aRelease, aWorld } from "../testing/builders.ts";
import { planRecovery } from "./recovery.ts";
import type { HeldNode } from "./recovery-records.ts";

const instance = anInstance({ epoch: 2 });

function aNode(nodeId: string, epoch: number): HeldNode {
  const { id, tenantId, deploymentId, release } = instance;
  const { health, containers, message, ports } = aLocation();
  const status = { instanceId: id, epoch, state: "running" as const, health, containers, message, ports };
  const present = [{ status, tenantId, deploymentId, release }];
  return { nodeId, hostname: nodeId, assignment: undefined, epochs: {}, present, volumes: [] };
}

function plan(...nodes: readonly HeldNode[]) {
  const locations = [aLocation({ instanceId: instance.id, epoch: 2, nodeId: "node-1" })];
  const world = aWorld({ deployments: [aDeployment()], releases: [aRelease()], instances: [instance], locations });
  return planRecovery({
    ...{ world, nodes, now: 5_000, incarnation: "inc-2", routes: [], serials: new Map() },
    identity: { incarnation: "inc-1", succeeds: [], serialFloor: 0, unrecovered: undefined, receiptKey: "" },
  });
}

const dropped = (...nodes: readonly HeldNode[]) => plan(...nodes).dropped;

describe("the row of a placement that a later one has replaced since the backup", () => {
  it("goes where its node has nothing of it, or its agent would be told to run it again", () => {
    expect(dropped(aNode("node-1", 3))).toEqual([{ instanceId: instance.id, epoch: 2 }]);
  });

  it("stays where its node did not answer: it may run there", () => {
    expect(dropped(aNode("node-2", 3))).toEqual([]);
  });

  it("goes where the later one is over, and the next begins above it", () => {
    const saw = { ...aNode("node-1", 3), epochs: { [instance.id]: 3 }, present: [] };
    expect(plan(saw)).toMatchObject({
      dropped: [{ instanceId: instance.id, epoch: 2 }],
      instances: [{ id: instance.id, epoch: 3 }],
    });
    expect(plan({ ...saw, nodeId: "node-2" })).toMatchObject({ dropped: [], instances: [] });
  });
});
