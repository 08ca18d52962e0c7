import { describe, expect, it } from "vitest";
import type { AssignedInstance } from "../model/assignment.ts";
import type { Volume } from "../model/volume.ts";
import { anAssignedInstance, anAssignment, aVolume, aWorld } from "../testing/builders.ts";
import type { HeldNode } from "./recovery-records.ts";
import { planVolumes } from "./recovery-volumes.ts";

const NOW = 5_000;

function aNode(
  nodeId: string,
  serials: readonly number[],
  assigned: readonly Partial<AssignedInstance>[] = [],
): HeldNode {
  const volumes = serials.map(serial => {
    const { tenantId, owner, name } = aVolume();
    return { tenantId, owner, name, serial, inUse: true };
  });
  const assignment = anAssignment({ nodeId, instances: assigned.map(one => anAssignedInstance(one)) });
  return { nodeId, hostname: `host of ${nodeId}`, assignment, epochs: {}, present: [], volumes };
}

const mounting = (serial: number) => ({ volumes: [{ owner: "acme.web", name: "data", serial }] });

function plan(recorded: readonly Volume[], ...nodes: readonly HeldNode[]) {
  const { items, written, dropped } = planVolumes({
    ...{ world: aWorld({ volumes: recorded }), nodes, now: NOW, incarnation: "inc-2", routes: [], serials: new Map() },
    identity: { incarnation: "inc-1", succeeds: [], serialFloor: 0, unrecovered: undefined, receiptKey: "" },
  });
  const key = (one: Pick<Volume, "serial" | "nodeId">): string => `${one.serial}@${one.nodeId}`;
  return {
    items: items.map(one => `${one.action} ${key(one)}: ${one.because}`),
    written: written.map(one => `${key(one)} used ${one.usedAt}`),
    dropped: dropped.map(key),
  };
}

describe("the records of volumes after a recovery", () => {
  it("are those of the serial that the node has, and the others go", () => {
    expect(plan([aVolume({ serial: 5 })], aNode("node-1", [9], [mounting(9)]))).toEqual({
      items: [
        "adopt 9@node-1: an app has its data in it",
        "drop 5@node-1: host of node-1 has serial 9 of it, and none with 5",
      ],
      written: ["9@node-1 used 5000"],
      dropped: ["5@node-1"],
    });
  });

  it("are on the node that has the data now", () => {
    const { dropped, items } = plan([aVolume({ serial: 5 })], aNode("node-1", []), aNode("node-2", [9]));
    expect(dropped).toEqual(["5@node-1"]);
    expect(items).toContain("drop 5@node-1: its data is on host of node-2, and host of node-1 has none");
  });

  it("keep both where the node has both, and mark the one that its app mounts as used", () => {
    const both = [aVolume({ serial: 5 }), aVolume({ serial: 9, usedAt: 4_000 })];
    expect(plan(both, aNode("node-1", [5, 9], [mounting(5)]))).toEqual({
      ...{ items: [], dropped: [] },
      written: ["5@node-1 used 5000"],
    });
    const { written } = plan([], aNode("node-1", [5, 9], [mounting(5)]));
    expect(written).toEqual(["5@node-1 used 5000", "9@node-1 used 0"]);
  });

  it("stay as they are where nobody has the data, or the node did not answer", () => {
    const recorded = [aVolume({ serial: 5 })];
    expect(plan(recorded, aNode("node-1", [])).dropped).toEqual([]);
    expect(plan(recorded, aNode("node-2", [9])).dropped).toEqual([]);
  });

  it("stay where the agent is told to mount a volume that its engine has not made yet", () => {
    expect(plan([aVolume({ serial: 5 })], aNode("node-1", [3], [mounting(5)])).dropped).toEqual([]);
  });

  it("go on giving up what a person gave up before the backup", () => {
    const given = [aVolume({ serial: 5, state: "removing" })];
    expect(plan(given, aNode("node-1", [5, 9], [mounting(5)]))).toMatchObject({
      ...{ written: ["9@node-1 used 0"], dropped: [] },
    });
    expect(plan(given, aNode("node-1", [9], [mounting(9)])).dropped).toEqual([]);
  });
});
