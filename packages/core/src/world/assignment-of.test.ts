import { describe, expect, it } from "vitest";
import { aContainer, aLocation, anInstance, aNode, aSpec, aVolume } from "../testing/builders.ts";
import type { Location } from "../model/instance.ts";
import type { Volume } from "../model/volume.ts";
import { assignmentOf, type Assigned } from "./assignment-of.ts";

const origin = { incarnation: "one", succeeds: [], term: 3 };
const container = { name: "app", id: "c", imageId: "i", running: false, exitCode: 0, restarts: 0 };

function told(locations: readonly Partial<Location>[], volumes: readonly Volume[] = []) {
  const spec = aSpec({ containers: [aContainer({ volumes: [{ name: "data", target: "/data", readOnly: false }] })] });
  const assigned = locations.map(over => {
    const location = aLocation(over);
    return { location, instance: anInstance({ id: location.instanceId, slot: 2 }), spec };
  });
  return assignmentOf(aNode({ assignmentRevision: 8, availability: "drain" }), origin, assigned, [], volumes);
}

describe("assignmentOf", () => {
  it("names the records, the term and the revision that it is of", () => {
    expect(told([])).toEqual({
      ...{ nodeId: "node-1", incarnation: "one", succeeds: [], term: 3, revision: 8, availability: "drain" },
      ...{ stamps: [], instances: [], removals: [], volumeRemovals: [] },
    });
  });

  it.each([
    ["runs", {}, "run"],
    ["is retired", { desired: "retire" }, "run"],
    ["is to end", { desired: "stop" }, "stop"],
    ["was given up", { state: "lost" }, "stop"],
  ] as const)("says of a location that %s: %s %s", (_, over, desired) => {
    expect(told([over]).instances).toMatchObject([{ instanceId: "acme.web.1", epoch: 1, slot: 2, desired }]);
  });

  it("leaves out what is gone, but not what only stopped", () => {
    const stopped = { desired: "stop", state: "stopped" } as const;
    const { instances } = told([
      { ...stopped, epoch: 1 },
      { ...stopped, epoch: 2, containers: [container] },
    ]);
    expect(instances.map(one => one.epoch)).toEqual([2]);
  });

  it("leaves out what is elsewhere", () => {
    expect(told([{ nodeId: "node-2" }]).instances).toEqual([]);
  });

  it("is in the order of ids and epochs", () => {
    const { instances } = told([{ instanceId: "acme.web.2" }, { epoch: 2 }, { epoch: 1 }]);
    expect(instances.map(one => `${one.instanceId}@${one.epoch}`)).toEqual([
      "acme.web.1@1",
      "acme.web.1@2",
      "acme.web.2@1",
    ]);
  });

  it("names one volume of each name: the last used, and of equals the later one", () => {
    const serials = (...volumes: readonly Volume[]) => told([{}], volumes).instances[0]?.volumes.map(one => one.serial);
    expect(serials(aVolume({ serial: 5, usedAt: 1 }), aVolume({ serial: 9 }))).toEqual([5]);
    expect(serials(aVolume({ serial: 9 }), aVolume({ serial: 5, usedAt: 1 }))).toEqual([5]);
    expect(serials(aVolume({ serial: 9 }), aVolume({ serial: 10 }), aVolume({ serial: 5 }))).toEqual([10]);
  });

  it("gives an instance the volumes of its deployment that are kept here", () => {
    const volumes = [
      aVolume({ serial: 2, state: "left" }),
      aVolume({ serial: 4 }),
      aVolume({ serial: 3, state: "removing" }),
      aVolume({ serial: 5, nodeId: "node-2" }),
      aVolume({ serial: 6, name: "other" }),
      aVolume({ serial: 7, owner: "acme.db" }),
    ];
    const { instances, volumeRemovals } = told([{}], volumes);
    expect(instances[0]?.volumes).toEqual([{ owner: "acme.web", name: "data", serial: 4 }]);
    expect(volumeRemovals).toEqual([{ tenantId: "acme", owner: "acme.web", name: "data", serial: 3 }]);
  });

  it("tells the volumes of a project to each deployment that mounts them, and of each owner its own", () => {
    const mounts = [
      { name: "data", target: "/data", readOnly: false },
      { name: "data", target: "/other", readOnly: true, project: "shop" },
      { name: "all", target: "/all", readOnly: true, project: "" },
    ];
    const spec = aSpec({ project: "blog", containers: [aContainer({ volumes: mounts })] });
    const volumes = [
      aVolume({ owner: "acme/blog", serial: 1 }),
      aVolume({ owner: "acme/shop", serial: 2 }),
      aVolume({ owner: "acme", name: "all", serial: 3 }),
      aVolume({ owner: "acme.web", serial: 4 }),
      aVolume({ owner: "other/blog", serial: 5 }),
    ];
    const one = { location: aLocation(), instance: anInstance(), spec };
    expect(assignmentOf(aNode(), origin, [one], [], volumes).instances[0]?.volumes).toEqual([
      { owner: "acme", name: "all", serial: 3 },
      { owner: "acme/blog", name: "data", serial: 1 },
      { owner: "acme/shop", name: "data", serial: 2 },
    ]);
  });

  it("is the same object for a record that is told alike, and another one where anything of it changed", () => {
    const [location, instance, spec] = [aLocation(), anInstance(), aSpec()];
    const toldOf = (one: Assigned) => assignmentOf(aNode(), origin, [one], [], []).instances[0]!;
    const before = toldOf({ location, instance, spec });
    expect(toldOf({ location, instance: { ...instance, refusal: undefined }, spec })).toBe(before);
    expect(toldOf({ location: { ...location, desired: "stop" }, instance, spec }).desired).toBe("stop");
    expect(toldOf({ location, instance: { ...instance, slot: 7 }, spec }).slot).toBe(7);
    const other = aSpec({ stopGraceMs: 1 });
    expect(toldOf({ location, instance, spec: other }).spec).toBe(other);
  });
});
