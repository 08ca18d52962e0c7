import { describe, expect, it } from "vitest";
import {
  aDeployment,
  aLocation,
  anAssignedInstance,
  anAssignment,
  anInstance,
  aRelease,
  aVolume,
  aWorld,
} from "../testing/builders.ts";
import { planRecovery } from "./recovery.ts";
import type { HeldNode, RecoveryInput } from "./recovery-records.ts";

const instance = anInstance({ epoch: 2 });

function aNode(nodeId: string, epoch: number): HeldNode {
  const { id, tenantId, deploymentId, release } = instance;
  const { health, containers, message, ports } = aLocation();
  const running = { instanceId: id, epoch, state: "running" as const, health, containers, message, ports };
  const status = { ...running, address: "10.128.0.9" };
  const present = [{ status, tenantId, deploymentId, release }];
  return { nodeId, hostname: nodeId, assignment: undefined, epochs: {}, present, volumes: [] };
}

function plan(...nodes: readonly HeldNode[]) {
  return planWith(new Map(), nodes);
}

function planWith(serials: RecoveryInput["serials"], nodes: readonly HeldNode[]) {
  const locations = [aLocation({ instanceId: instance.id, epoch: 2, nodeId: "node-1" })];
  const world = aWorld({ deployments: [aDeployment()], releases: [aRelease()], instances: [instance], locations });
  return planRecovery({
    ...{ world, nodes, now: 5_000, incarnation: "inc-2", routes: [], serials },
    identity: { incarnation: "inc-1", succeeds: [], serialFloor: 0, unrecovered: undefined, receiptKey: "" },
  });
}

const dropped = (...nodes: readonly HeldNode[]) => plan(...nodes).dropped;

describe("the row of a placement that a later one has replaced since the backup", () => {
  it("goes where its node has nothing of it, or its agent would be told to run it again", () => {
    expect(dropped(aNode("node-1", 3))).toEqual([{ instanceId: instance.id, epoch: 2 }]);
    expect(plan(aNode("node-1", 3)).locations).toMatchObject([{ epoch: 3, address: "10.128.0.9" }]);
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

describe("the numbers after a recovery", () => {
  const told = (...ids: readonly string[]): HeldNode => ({
    ...{ ...aNode("node-1", 2), present: [] },
    epochs: Object.fromEntries(ids.map(id => [id, 1])),
  });

  it("begin beyond all that any agent names", () => {
    const { serials, identity } = plan(told("acme.web.7", "acme.gone.9"));
    expect(serials.get("acme.web")).toEqual({ next: 1_008, gap: { from: 1, to: 1_008 }, skipped: [] });
    expect([serials.get("acme.gone")?.next, identity.serialFloor]).toEqual([1_010, 1_010]);
  });

  it("keep what was skipped before", () => {
    const known = { next: 50, gap: undefined, skipped: [{ from: 3, to: 40 }] };
    const { serials } = planWith(new Map([["acme.web", known]]), [told("acme.web.7")]);
    expect(serials.get("acme.web")).toEqual({ next: 1_050, gap: { from: 50, to: 1_050 }, skipped: known.skipped });
  });

  it("are not used up by an agent that names the last ones there are", () => {
    const { serials, identity } = plan(told("acme.web.999999999", "acme.web.7", "acme.gone.999999998"));
    expect([serials.get("acme.web")?.next, serials.has("acme.gone"), identity.serialFloor]).toEqual([
      ...[1_008, false, 1_008],
    ]);
  });

  it("of volumes begin beyond all that any node has, but for those that nobody is believed", () => {
    const serials = [7, 1e12, Number.MAX_SAFE_INTEGER];
    const volumes = serials.map(serial => ({ ...aVolume({ serial }), inUse: false }));
    expect(plan({ ...aNode("node-1", 2), volumes }).placements).toBe(1_007);
  });
});

describe("an agent that names what no scheduler gives", () => {
  const absurd = 1_000_000_000;
  const node = aNode("node-1", absurd);

  it("is told to leave it alone, and raises no epoch", () => {
    const lying = { ...node, epochs: { [instance.id]: absurd } };
    const { items, instances, locations } = plan(lying);
    expect(items).toMatchObject([{ instanceId: instance.id, epoch: absurd, action: "leave" }]);
    expect([instances, locations]).toEqual([[], []]);
  });

  it.each([{ release: absurd }, { slot: absurd }, { epoch: absurd }])("adds nothing by %o", over => {
    const held = anAssignedInstance({ instanceId: "acme.lost.1", release: 1, epoch: 1, ...over });
    const present = [{ ...aNode("node-1", 1).present[0]!, deploymentId: "acme.lost" }].map(one => ({
      ...{ ...one, release: held.release },
      status: { ...one.status, instanceId: "acme.lost.1", epoch: held.epoch },
    }));
    const { items, instances } = plan({ ...node, present, assignment: anAssignment({ instances: [held] }) });
    expect(items).toMatchObject([{ action: "leave" }]);
    expect(instances).toEqual([]);
  });
});
