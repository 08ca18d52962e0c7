import { describe, expect, it } from "vitest";
import type { InstanceState, Location } from "../model/instance.ts";
import {
  aDeployment,
  aLocation,
  anAssignedInstance,
  anAssignment,
  anInstance,
  aRelease,
  aWorld,
} from "../testing/builders.ts";
import type { HeldNode } from "./recovery-records.ts";
import { planRecovery } from "./recovery.ts";

const BACKUP = "acme.web.1";
const LATER = "acme.web.2";

/** A node with these instances in slot 0. */
function aNode(nodeId: string, ...all: readonly (readonly [string, InstanceState])[]): HeldNode {
  const status = { epoch: 1, health: "none", containers: [], ports: [], message: "" } as const;
  const instances = all.map(([instanceId]) => anAssignedInstance({ instanceId, epoch: 1, slot: 0 }));
  return {
    ...{ nodeId, hostname: nodeId, epochs: {}, volumes: [] },
    assignment: anAssignment({ nodeId, incarnation: "inc-1", instances }),
    present: all.map(([instanceId, state]) => ({
      ...{ status: { ...status, instanceId, state }, tenantId: "acme", deploymentId: "acme.web", release: 1 },
    })),
  };
}

function moved(node: HeldNode, epoch: number): HeldNode {
  const instances = node.assignment!.instances.map(one => ({ ...one, epoch }));
  const present = node.present.map(one => ({ ...one, status: { ...one.status, epoch } }));
  return { ...node, present, assignment: { ...node.assignment!, instances } };
}

function plan(nodes: readonly HeldNode[], slot = 0, row: Partial<Location> = {}) {
  const world = aWorld({
    deployments: [aDeployment()],
    releases: [aRelease()],
    instances: [anInstance({ id: BACKUP, slot, epoch: 1 })],
    locations: [aLocation({ instanceId: BACKUP, nodeId: "node-1", epoch: 1, ...row })],
  });
  const { instances, locations, dropped, deployments } = planRecovery({
    ...{ world, nodes, now: 5_000, incarnation: "inc-2", routes: [], serials: new Map() },
    identity: { incarnation: "inc-1", succeeds: [], serialFloor: 0, unrecovered: undefined, receiptKey: "" },
  });
  return {
    instances: instances.map(one => `${one.id} ${one.desired} ${one.epoch}`).toSorted(),
    rows: locations.map(one => `${one.instanceId} ${one.desired}`).toSorted(),
    dropped: dropped.map(one => one.instanceId),
    replicas: deployments.map(one => one.replicas),
  };
}

describe("a slot of which a later instance than the recorded one is found", () => {
  it("is that one's, and the recorded one goes with its row, so that nothing begins anew", () => {
    expect(plan([aNode("node-1", [LATER, "running"])])).toEqual({
      instances: [`${BACKUP} stop 1`, `${LATER} run 1`],
      rows: [`${LATER} run`],
      dropped: [BACKUP],
      replicas: [1],
    });
  });

  it("is that one's also where it has ended: what is to run once would run again", () => {
    expect(plan([aNode("node-1", [LATER, "stopped"])])).toMatchObject({ dropped: [BACKUP], rows: [`${LATER} run`] });
  });

  it("keeps the row of the recorded one, to stop it, where its node did not answer", () => {
    const { rows, instances } = plan([aNode("node-2", [LATER, "running"])]);
    expect([rows, instances]).toEqual([
      [`${BACKUP} stop`, `${LATER} run`],
      [`${BACKUP} stop 1`, `${LATER} run 1`],
    ]);
  });

  it("keeps it also where something of it is left to be removed", () => {
    const { rows } = plan([aNode("node-1", [BACKUP, "stopped"], [LATER, "running"])]);
    expect(rows).toEqual([`${BACKUP} stop`, `${LATER} run`]);
  });

  it("is that one's also where the recorded one has ended elsewhere since", () => {
    const ended = aNode("node-2", [BACKUP, "failed"]);
    const { instances, rows, dropped } = plan([aNode("node-1", [LATER, "running"]), moved(ended, 2)]);
    expect([instances, rows, dropped]).toEqual([
      [`${BACKUP} stop 2`, `${LATER} run 1`],
      [`${BACKUP} stop`, `${LATER} run`],
      [BACKUP],
    ]);
  });

  it("holds both where both run: the next decision knows which of them is wanted", () => {
    const { instances, dropped } = plan([aNode("node-1", [BACKUP, "running"], [LATER, "running"])]);
    expect([instances, dropped]).toEqual([[`${LATER} run 1`], []]);
  });
});

it("leaves recorded instances of other slots alone", () => {
  expect(plan([aNode("node-1", [LATER, "running"])], 1)).toMatchObject({
    ...{ instances: [`${LATER} run 1`], dropped: [], replicas: [2] },
  });
});

describe("an instance whose agent has lost its slot", () => {
  const lost = (node: HeldNode): HeldNode => ({ ...node, assignment: undefined });

  it("gets one in which nothing runs, so that a single copy stays one", () => {
    expect(plan([lost(aNode("node-1", [LATER, "running"]))])).toMatchObject({
      instances: [`${BACKUP} stop 1`, `${LATER} run 1`],
      replicas: [1],
    });
  });

  it("gets another one than what runs, or may run where nobody answered", () => {
    expect(plan([lost(aNode("node-1", [BACKUP, "running"], [LATER, "running"]))]).replicas).toEqual([2]);
    expect(plan([lost(aNode("node-2", [LATER, "running"]))])).toMatchObject({ replicas: [2], dropped: [] });
    expect(plan([lost(aNode("node-2", [LATER, "running"], ["acme.web.3", "running"]))]).replicas).toEqual([3]);
  });

  it("gets another one than what runs elsewhere and is adopted later", () => {
    const other = aNode("node-3", ["acme.web.4", "running"]);
    expect(plan([lost(aNode("node-1", [LATER, "running"])), other]).replicas).toEqual([2]);
    const elsewhere = lost(moved(aNode("node-3", [BACKUP, "running"]), 2));
    expect(plan([lost(aNode("node-1", [LATER, "running"])), elsewhere]).replicas).toEqual([2]);
  });

  it("gets that of what is being ended, or is not there any more", () => {
    const other = aNode("node-3", ["acme.web.4", "running"]);
    const instances = other.assignment!.instances.map(one => ({ ...one, desired: "stop" as const }));
    const ending = { ...other, assignment: { ...other.assignment!, instances } };
    for (const one of [ending, { ...other, present: [] }])
      expect(plan([lost(aNode("node-1", [LATER, "running"])), one]).replicas).toEqual([1]);
  });

  it("gets that of what had ended where nobody answered", () => {
    expect(plan([lost(aNode("node-2", [LATER, "running"]))], 0, { state: "failed" }).replicas).toEqual([1]);
  });

  it("shares the number of its slot with other deployments", () => {
    const other = aNode("node-3", ["acme.api.1", "running"]);
    expect(plan([other, lost(aNode("node-1", [LATER, "running"]))]).replicas).toEqual([1, 1]);
  });
});
