import { decodeAssignment } from "@skep/api/codec/assignment.ts";
import { aSpec, aTenant } from "@skep/core/testing/builders.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { Location } from "@skep/core/model/instance.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { someFacts } from "../store/testing/records.ts";
import type { Store } from "../store/store.ts";
import { createRig, type Rig } from "../testing/rig.ts";
import { createAssignments } from "./assignments.ts";
import { createHints, type Hints } from "./hints.ts";
import type { Liveness } from "./liveness.ts";
import type { LoopPorts } from "./ports.ts";
import { createRemovals } from "./removals.ts";
import { createTick, type Tick } from "./tick.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
/** Everybody beats. */
const allReady: Liveness = {
  overlay: world => ({ ...world, nodes: world.nodes.map(node => ({ ...node, liveness: "ready" })) }),
  frozen: () => false,
  close: () => Promise.resolve(),
};

let rig: Rig;
let ports: LoopPorts;
let store: Store;
let hints: Hints;
let tick: Tick | undefined;
let told: Assignment[];

beforeEach(async () => {
  rig = createRig();
  ports = rig.ports("s1");
  store = rig.database.connect("test");
  hints = createHints(ports.bus, ports.clock);
  told = [];
  rig.network.connect("node").subscribe("skep.v1.assign.*", message => {
    told.push(decodeAssignment(message.data).assignment);
  });
  await store.createTenant(aTenant(), someone);
  for (const nodeId of ["node-1", "node-2"]) await store.saveFacts(someFacts({ nodeId }), 0);
});
afterEach(async () => {
  const closing = tick?.close();
  await rig.clock.advance(20_000);
  await closing;
  tick = undefined;
});

async function begin(over: Partial<LoopPorts> = {}, holds: () => boolean = () => true): Promise<Tick> {
  const lease = await store.takeLease("s1", 600_000);
  const removals = createRemovals(store, lease);
  tick = createTick(
    { ...ports, ...over },
    {
      leadership: { ...lease, holds },
      guard: {
        listenForMs: () => 0,
        holdings: () => [],
        heard: () => undefined,
        reporting: () => [],
        admit: async world => world,
        admitReport: async () => true,
      },
      removals,
      assignments: createAssignments(ports, lease, removals, () => undefined),
      liveness: allReady,
      hints,
      blocks: { saw: () => undefined },
      onMissingRow: () => undefined,
    },
  );
  return tick;
}
const deploy = (name: string): Promise<unknown> =>
  store.createDeployment("acme", aSpec({ name }), [], someone, rig.clock.now());
const placed = (): number => rig.database.records.locations.size;

describe("a tick", () => {
  it("sets a deployment aside whose records make deciding fail, says so once, and goes on with the others", async () => {
    await deploy("bad");
    await deploy("web");
    const { releases } = rig.database.records;
    const [key, release] = [...releases].find(([, one]) => one.deploymentId === "acme.bad")!;
    releases.set(key, { ...release, spec: {} as never });
    const { wake } = await begin();
    await rig.clock.advance(3_000);
    expect([...rig.database.records.locations.values()].map(one => one.deploymentId)).toEqual(["acme.web"]);
    const said = (kind: string) =>
      rig.database.records.decisions.flatMap(({ decision }) => (decision.kind === kind ? [decision] : []));
    expect(said("deployment.aside")).toMatchObject([{ tenantId: "acme", deploymentId: "acme.bad" }]);
    expect(rig.lines.filter(line => line.event === "deployment.aside")).toHaveLength(1);
    releases.set(key, release);
    wake();
    await rig.clock.advance(70_000);
    expect(placed()).toBe(2);
    expect(said("deployment.resumed")).toMatchObject([{ deploymentId: "acme.bad" }]);
  });

  it("answers the first wake at once and those that follow together", async () => {
    const { wake } = await begin();
    await rig.clock.advance(500);
    let loads = 0;
    rig.database.setPolicy((_, call) => {
      if (call === "loadWorld") loads += 1;
      return { delayMs: 0, lost: "no" };
    });
    wake();
    await rig.clock.settle();
    expect(loads).toBe(1);
    for (let index = 0; index < 50; index++) wake();
    await rig.clock.advance(4);
    expect(loads).toBe(1);
    await rig.clock.advance(100);
    expect(loads).toBe(2);
  });

  it("tells the node before it writes down why", async () => {
    const { wake } = await begin();
    await rig.clock.advance(100);
    await deploy("web");
    told = [];
    rig.database.setPolicy((_, call) => ({ delayMs: call === "saveDecisions" ? 10_000 : 0, lost: "no" }));
    wake();
    await rig.clock.advance(50);
    expect(told).toMatchObject([{ revision: 1, instances: [{ instanceId: "acme.web.1", epoch: 1, desired: "run" }] }]);
    rig.database.setPolicy(() => ({ delayMs: 0, lost: "no" }));
  });

  it("tells at once what the records say of it, with the stamps", async () => {
    const { wake } = await begin();
    await rig.clock.advance(100);
    for (const name of ["web", "more"]) {
      await deploy(name);
      wake();
      await rig.clock.advance(50);
    }
    expect(told.filter(one => one.revision > 0).length).toBeGreaterThan(1);
    const last = new Map(told.map(one => [one.nodeId, one]));
    for (const [nodeId, one] of last) {
      expect(one).toEqual(await store.loadAssignment(nodeId));
      expect(one.stamps).toHaveLength(one.revision);
    }
  });

  it("looks again when its plan was stale", async () => {
    let spoiled = 0;
    const spoiling: Store = {
      ...ports.store,
      // Between load and commit somebody else makes the very instance that this plan is about to
      // make.
      commit: async (plan, mandate, now) => {
        if (plan.changes.length > 0 && (spoiled += 1) === 1) await ports.store.commit(plan, mandate, now);
        return ports.store.commit(plan, mandate, now);
      },
    };
    await deploy("web");
    await begin({ store: spoiling });
    await rig.clock.advance(200);
    expect(spoiled).toBeGreaterThanOrEqual(1);
    expect(placed()).toBe(1);
    expect(told.find(one => one.instances.length > 0)?.instances).toMatchObject([{ instanceId: "acme.web.1" }]);
  });

  it("tells of a row that was written back between its look and its commit", async () => {
    await deploy("web");
    const { locations } = rig.database.records;
    let lost: Location | undefined;
    const restoring: Store = {
      ...ports.store,
      commit: async (plan, mandate, now) => {
        const back = plan.changes.some(one => one.kind === "stop-instance") ? lost : undefined;
        if (back !== undefined) expect(await ports.store.restoreLocation(back, mandate)).toBe(true);
        return ports.store.commit(plan, mandate, now);
      },
    };
    await begin({ store: restoring });
    await rig.clock.advance(200);
    lost = [...locations.values()][0]!;
    locations.clear();
    await store.changeDeployment("acme.web", { desired: "stopped" }, undefined, someone, rig.clock.now());
    await rig.clock.advance(5_000);
    const ofNode = told.filter(one => one.nodeId === lost?.nodeId);
    expect(ofNode.at(-1)?.instances).toMatchObject([{ instanceId: "acme.web.1", desired: "stop" }]);
    expect(new Set(ofNode.map(one => one.revision)).size).toBe(ofNode.length);
  });

  it("writes nothing once another leads, even if it believes that it still does", async () => {
    await begin();
    await rig.clock.advance(100);
    await store.releaseLease("s1");
    await store.takeLease("s2", 60_000);
    await deploy("web");
    await rig.clock.advance(5_000);
    expect(placed()).toBe(0);
  });

  it("stops telling nodes as soon as its lease no longer holds", async () => {
    let leads = true;
    const { wake } = await begin({}, () => leads);
    await rig.clock.advance(100);
    told = [];
    leads = false;
    await deploy("web");
    wake();
    await rig.clock.advance(5_000);
    expect(told).toEqual([]);
  });

  it("tells every node once when it begins, for the leader before it may have died in between", async () => {
    await begin();
    await rig.clock.advance(100);
    expect(told.map(one => one.nodeId).toSorted()).toEqual(["node-1", "node-2"]);
  });

  it("lives through a database that is away, and places within a second of its return", async () => {
    await begin();
    await rig.clock.advance(100);
    rig.database.cut("s1");
    await deploy("web");
    await rig.clock.advance(60_000);
    expect(placed()).toBe(0);
    rig.database.heal("s1");
    await rig.clock.advance(1_100);
    expect(placed()).toBe(1);
  });

  it("writes the words of a plan although those of the plan before it could not be written", async () => {
    const { wake } = await begin();
    await rig.clock.advance(100);
    let failed = 0;
    rig.database.setPolicy((_, call) => {
      const fails = call === "saveDecisions" && (failed += 1) === 1;
      return { delayMs: 0, lost: fails ? "before" : "no" };
    });
    for (const name of ["web", "api"]) {
      await deploy(name);
      wake();
      await rig.clock.advance(1_000);
    }
    const said = rig.database.records.decisions.map(one => one.decision.deploymentId);
    expect(said).toContain("acme.api");
    expect(said).not.toContain("acme.web");
  });

  it("finds a commit whose answer was lost, and tells it", async () => {
    await begin();
    await rig.clock.advance(100);
    rig.database.setPolicy((_, call) => ({ delayMs: 0, lost: call === "commit" ? "after" : "no" }));
    await deploy("web");
    await rig.clock.advance(3_000);
    rig.database.setPolicy(() => ({ delayMs: 0, lost: "no" }));
    await rig.clock.advance(3_000);
    expect(placed()).toBe(1);
    expect(told.at(-1)?.instances).toMatchObject([{ instanceId: "acme.web.1", epoch: 1 }]);
  });
});
