import { describe, expect, it } from "vitest";
import type { AssignedInstance } from "../model/assignment.ts";
import type { InstanceState } from "../model/instance.ts";
import {
  aDeployment,
  aLocation,
  anAssignedInstance,
  anAssignment,
  anInstance,
  aRelease,
  aSpec,
  aWorld,
} from "../testing/builders.ts";
import type { World } from "../world/world.ts";
import type { HeldNode } from "./recovery-records.ts";
import { planRecovery } from "./recovery.ts";

const ONCE = aSpec({ restart: { condition: "none" } });

function aNode(nodeId: string, epoch: number, state: InstanceState, over: Partial<AssignedInstance> = {}): HeldNode {
  const status = {
    instanceId: "acme.web.1",
    epoch,
    state,
    health: "none",
    containers: [],
    ports: [],
    message: "",
  } as const;
  const instances = [anAssignedInstance({ epoch, spec: ONCE, ...over })];
  return {
    ...{ nodeId, hostname: nodeId, epochs: { "acme.web.1": epoch }, volumes: [] },
    assignment: anAssignment({ nodeId, incarnation: "inc-1", instances }),
    present: [{ status, tenantId: "acme", deploymentId: "acme.web", release: 1 }],
  };
}

function plan(world: Partial<World>, ...nodes: readonly HeldNode[]) {
  const { items, locations, deployments, dropped } = planRecovery({
    ...{ world: aWorld(world), nodes, now: 5_000, incarnation: "inc-2", routes: [], serials: new Map() },
    identity: { incarnation: "inc-1", succeeds: [], serialFloor: 0, unrecovered: undefined, receiptKey: "" },
  });
  return {
    items: items.map(one => `${one.action} ${one.epoch}@${one.nodeId}`),
    rows: locations.map(one => `${one.epoch}@${one.nodeId} ${one.state}`),
    dropped: dropped.map(one => one.epoch),
    made: deployments.map(one => one.id),
  };
}

const known = (epoch: number): Partial<World> => ({
  deployments: [aDeployment()],
  releases: [aRelease({ spec: ONCE })],
  instances: [anInstance({ epoch })],
});

describe("what ended since the records were copied", () => {
  it("is recorded as ended, so that it does not run again", () => {
    expect(plan(known(0), aNode("node-1", 1, "stopped"))).toMatchObject({
      ...{ items: ["adopt 1@node-1"], rows: ["1@node-1 stopped"], dropped: [] },
    });
  });

  it("stays completed, also where its agent was told to keep it", () => {
    expect(plan(known(0), aNode("node-1", 1, "completed", { desired: "keep" }))).toMatchObject({
      ...{ items: ["adopt 1@node-1"], rows: ["1@node-1 completed"], dropped: [] },
    });
  });

  it("is made known with its deployment where that was lost", () => {
    expect(plan({}, aNode("node-1", 1, "failed"))).toMatchObject({ rows: ["1@node-1 failed"], made: ["acme.web"] });
  });

  it("takes the place of an earlier copy that its node does not run any more", () => {
    const world = { ...known(1), locations: [aLocation({ nodeId: "node-2" })] };
    expect(plan(world, aNode("node-1", 2, "stopped"), { ...aNode("node-2", 0, "stopped"), present: [] })).toMatchObject(
      {
        ...{ rows: ["2@node-1 stopped"], dropped: [1] },
      },
    );
    expect(plan(world, aNode("node-1", 2, "stopped")).dropped).toEqual([]);
  });

  it.each([
    ["it is recorded", { ...known(1), locations: [aLocation()] }, [aNode("node-1", 1, "stopped")]],
    ["a later one was placed", known(3), [aNode("node-1", 2, "stopped")]],
    ["it was told to end", known(0), [aNode("node-1", 1, "stopped", { desired: "stop" })]],
  ] as const)("is left as it is where %s", (_, world, nodes) => {
    expect(plan(world, ...nodes)).toMatchObject({ items: [], rows: [] });
  });

  it("does not end an earlier copy that lives: the later one did not come up", () => {
    expect(plan(known(0), aNode("node-1", 1, "running"), aNode("node-2", 2, "failed"))).toMatchObject({
      ...{ items: ["adopt 1@node-1"], rows: ["1@node-1 running"] },
    });
  });
});
