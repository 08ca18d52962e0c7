import { raised } from "@skep/scheduler/store/memory/raise.ts";
import type { Location } from "@skep/core/model/instance.ts";
import { encodeAssignment } from "@skep/api/codec/assignment.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { emptyRecords, locationKey } from "@skep/scheduler/store/memory-records.ts";
import { PINNED, web, type Scenario, type Stage } from "./scenario.ts";

/** Twelve instances run on five nodes, so that no node has many. */
async function fill(stage: Stage): Promise<void> {
  for (const name of ["a", "b", "c"]) await stage.create("acme", web(name, {}, { replicas: 4 }));
  await stage.advance(15_000);
  stage.hold(stage.running().length === 12, "the fleet did not come up");
}

/** Goes on for a while with other records: nothing ends, and every edge keeps its routes. */
async function keepsAll(stage: Stage, ms: number, sentence: string): Promise<void> {
  const before = stage.running().join();
  const ids = ["acme.a", "acme.b", "acme.c"];
  const isWhole = (): boolean =>
    stage.running().join() === before && ids.every(id => stage.platform.edges.every(edge => edge.servers(id) === 4));
  for (let passed = 0; passed < ms; passed += 500) {
    await stage.advance(500);
    stage.hold(isWhole(), sentence);
  }
}

/** A deployment is deleted and made again under its name, on a node that knows higher epochs. */
const nameAgain: Scenario = {
  name: "name-again",
  play: async stage => {
    const spec = web("web", {}, { ...PINNED, restart: { ...web("web").restart, maxAttempts: 0 } });
    await stage.create("acme", spec);
    await stage.until(() => stage.running().includes("acme.web.1@1"), 10_000, "it did not start");
    const node = stage.homeOf("acme.web");
    node.engine.crash(node.engine.containers()[0]!.id, 1);
    await stage.until(() => stage.running().includes("acme.web.1@2"), 20_000, "it was not placed again");
    await stage.change("acme.web", { desired: "deleted" });
    const { deployments } = stage.platform.database.records;
    await stage.until(() => !deployments.has("acme.web"), 30_000, "it was not deleted");
    await stage.create("acme", spec);
    const isUp = (): boolean => stage.running().some(one => one.startsWith("acme.web."));
    await stage.until(isUp, 15_000, "a name that comes again has not started within 15 s");
  },
};

/** The database comes back without anything in it. */
const emptyDatabase: Scenario = {
  name: "empty-database",
  play: async stage => {
    await fill(stage);
    stage.stopSchedulers();
    await stage.advance(5_000);
    stage.platform.database.restore(emptyRecords());
    stage.startSchedulers();
    await keepsAll(stage, 15_000, "an empty database ends or unroutes what runs");
    const { platform } = stage.platform.database.records;
    stage.hold(platform.unrecovered !== undefined, "an empty database is taken for the fleet's");
    await keepsAll(stage, 60_000, "an empty database ends or unroutes what runs");
  },
};

/** The same, and the agents lost their journals: nothing tells the two fleets apart. */
const allForgotten: Scenario = {
  name: "all-forgotten",
  play: async stage => {
    await fill(stage);
    const { nodes, journals } = stage.platform;
    stage.stopSchedulers();
    for (const node of nodes) stage.stopAgent(node);
    for (const journal of journals.values())
      await stage.done(journal.write({ assignment: undefined, epochs: {}, bootId: "" }));
    for (const node of nodes) stage.platform.engineRules.get(node.id)?.forgets();
    stage.platform.database.restore(emptyRecords());
    const before = stage.running().join();
    for (const node of nodes) stage.startAgent(node);
    stage.startSchedulers();
    const isWhole = (): boolean => stage.running().join() === before;
    for (let passed = 0; passed < 90_000; passed += 1_000) {
      await stage.advance(1_000);
      stage.hold(isWhole(), "what no record explains was removed, though it is the whole fleet");
    }
  },
};

/** A copy of the database is restored that is as many leaders old. */
const olderCopy = (name: string, leaders: number): Scenario => ({
  name,
  play: async stage => {
    await fill(stage);
    const backup = structuredClone({ ...stage.platform.database.records });
    for (let change = 0; change < leaders; change++) {
      stage.stopSchedulers();
      await stage.advance(6_000);
      stage.startSchedulers();
      await stage.advance(6_000);
    }
    await stage.create("acme", web("young"));
    await stage.create("acme", web("younger", {}, { replicas: 4 }));
    await stage.advance(10_000);
    stage.stopSchedulers();
    await stage.advance(6_000);
    stage.platform.database.restore(backup);
    stage.startSchedulers();
    await keepsAll(stage, 15_000, "an older copy of the database ends or unroutes what runs");
    const { platform } = stage.platform.database.records;
    stage.hold(platform.unrecovered !== undefined, "an older copy of the database is taken for the newest");
    await keepsAll(stage, 45_000, "an older copy of the database ends or unroutes what runs");
  },
});

/**
 * An older copy of the database is restored while a node is cut off, and counts past the revision
 * that the node holds before anybody hears of it.
 */
const countedPast: Scenario = {
  name: "counted-past",
  play: async stage => {
    const { platform } = stage;
    for (const name of ["a", "b", "c"]) await stage.create("acme", web(name, {}, PINNED));
    await stage.advance(10_000);
    const backup = structuredClone({ ...platform.database.records });
    await stage.create("acme", web("young", {}, PINNED));
    await stage.advance(5_000);
    const before = stage.running().join();
    const { id } = stage.homeOf("acme.young");
    const holds = platform.engineRules.get(id)?.held()?.revision ?? 0;
    platform.network.cut(id);
    stage.stopSchedulers();
    await stage.advance(4_000);
    platform.database.restore(backup);
    for (const [node, rule] of platform.engineRules)
      rule.restores(backup.platform.incarnation, backup.nodes.get(node)?.node.assignmentRevision ?? 0);
    stage.startSchedulers();
    await stage.advance(4_000);
    for (const name of ["a", "b"]) {
      await stage.change(`acme.${name}`, { desired: "stopped" });
      await stage.advance(1_000);
    }
    const recorded = (): number => platform.database.records.nodes.get(id)!.node.assignmentRevision;
    stage.hold(recorded() > holds, "the scenario itself failed: the copy has not counted past the node");
    platform.network.heal(id);
    await stage.advance(15_000);
    stage.hold(stage.running().join() === before, "an older copy of the database ends what runs");
    const isMarked = platform.database.records.platform.unrecovered !== undefined;
    stage.hold(isMarked, "an older copy of the database that has counted on is taken for the newest");
  },
};

/** A node hears an assignment from the scheduler of another database. */
const foreignAssignment: Scenario = {
  name: "foreign-assignment",
  play: async stage => {
    await fill(stage);
    const { id } = stage.homeOf("acme.a");
    const held = stage.platform.engineRules.get(id)!.held()!;
    const foreign = { ...held, incarnation: "inc_elsewhere", succeeds: [], term: 99, revision: 99, instances: [] };
    stage.platform.network.connect("elsewhere").publish(nodeSubject("assign", id), encodeAssignment(foreign));
    await stage.advance(1_000);
    const now = stage.platform.engineRules.get(id)!.held()!;
    stage.hold(now.incarnation === held.incarnation, `${id} obeys the records of another platform`);
  },
};

/** Somebody with SQL deletes the row of what runs, and the first question about it is lost. */
const rowVanishes: Scenario = {
  name: "row-vanishes",
  play: async stage => {
    await stage.create("acme", web("web"));
    await stage.advance(10_000);
    let asked = 0;
    stage.platform.hindrance = { loses: subject => subject.includes(".ask.") && ++asked === 1 };
    const { locations } = stage.platform.database.records;
    const [row] = stage.rowsOf("acme.web");
    locations.delete(locationKey(row!));
    const isBack = (): boolean => stage.rowsOf("acme.web").length > 0;
    await stage.until(isBack, 30_000, "a vanished row is not written back");
    stage.hold(stage.rowsOf("acme.web")[0]?.epoch === 1, "a vanished row's instance was placed anew");
    stage.hold(asked > 0, "nobody asked for a vanished row");
  },
};

/** The row of an exclusive copy vanishes while its agent is stopped, so that it runs on. */
const leasedRowVanishes: Scenario = {
  name: "leased-row-vanishes",
  play: async stage => {
    await stage.create("acme", web("one", {}, { exclusive: true }));
    await stage.advance(20_000);
    const { lives, database } = stage.platform;
    const life = lives.get(stage.homeOf("acme.one").id)!;
    life.pause();
    database.records.locations.delete(locationKey(stage.rowsOf("acme.one")[0]!));
    await stage.advance(20_000);
    life.resume();
    const isOne = (): boolean => stage.running().length === 1;
    await stage.until(isOne, 40_000, "not as desired: the copy was not placed anew");
  },
};

/** A row is written back after the leader has looked and before it commits the end of its copy. */
const rowBetween: Scenario = {
  name: "row-between-look-and-commit",
  play: async stage => {
    await stage.create("acme", web("web"));
    await stage.advance(10_000);
    const { locations, nodes } = stage.platform.database.records;
    let row = stage.rowsOf("acme.web")[0];
    locations.delete(locationKey(row!));
    const restore = (): void => {
      const entry = nodes.get(row?.nodeId ?? "");
      if (row === undefined || entry === undefined) return;
      locations.set(locationKey(row), row);
      entry.node = raised(entry.node);
      row = undefined;
    };
    stage.platform.hindrance = { delaysMs: (_, call) => (call === "commit" ? (restore(), 0) : 0) };
    await stage.change("acme.web", { desired: "stopped" });
    await stage.until(() => stage.running().length === 0, 40_000, "not as desired: what was stopped runs on");
  },
};

/** A row that says `run` is written back when its instance is to end already. */
const rowComesBack = comesBack("row-comes-back", row => row);

/** The same, with a row that its agent's report of long ago made: it says that its copy is over. */
const endedRowComesBack = comesBack("ended-row-comes-back", row => ({ ...row, state: "stopped" }));

function comesBack(name: string, as: (row: Location) => Location): Scenario {
  return {
    name,
    play: async stage => {
      await stage.create("acme", web("web", {}, { replicas: 2 }));
      await stage.advance(10_000);
      const { locations, instances } = stage.platform.database.records;
      const row = stage.rowsOf("acme.web").find(one => one.instanceId === "acme.web.2")!;
      locations.delete(locationKey(row));
      await stage.change("acme.web", { replicas: 1 });
      await stage.until(() => instances.get(row.instanceId)?.desired === "stop", 10_000, "nothing was ended");
      locations.set(locationKey(row), as(row));
      const isOver = (): boolean => stage.running().join() === "acme.web.1@1";
      await stage.until(isOver, 20_000, "a row that was written back after its end runs on");
    },
  };
}

/** The row of a copy that was given up vanishes, and the node that has the copy comes back. */
const oldRowVanishes: Scenario = {
  name: "old-row-vanishes",
  play: async stage => {
    await stage.create("acme", web("web"));
    await stage.advance(10_000);
    const { network, isolated } = stage.platform;
    const { id } = stage.homeOf("acme.web");
    isolated.add(id);
    network.cut(id, "unnoticed");
    await stage.until(() => stage.running().includes("acme.web.1@2"), 30_000, "it was not placed elsewhere");
    const { locations } = stage.platform.database.records;
    locations.delete(locationKey({ instanceId: "acme.web.1", epoch: 1 }));
    stage.stopSchedulers();
    isolated.delete(id);
    network.heal(id);
    await stage.advance(2_000);
    stage.startSchedulers();
    const isOver = (): boolean => stage.running().join() === "acme.web.1@2";
    await stage.until(isOver, 40_000, "not as desired: an old copy runs on whose row vanished");
  },
};

/** What no record explains is removed, and then nothing is left to be removed. */
const strayGoes: Scenario = {
  name: "stray-goes",
  play: async stage => {
    const [node] = stage.platform.nodes;
    node!.engine.plant({ "skep.instance": "acme.stray.1", "skep.epoch": "1", "skep.container": "app" });
    await stage.until(() => node!.engine.containers().length === 0, 90_000, "a stray was not removed");
    const { removals } = stage.platform.database.records;
    await stage.until(() => removals.size === 0, 10_000, "a removal is still recorded, though it is done");
  },
};

/** A new leader records a removal while a slow look at what is recorded is under way. */
const strayAndSlowLook: Scenario = {
  name: "stray-and-slow-look",
  play: async stage => {
    const [node] = stage.platform.nodes;
    stage.stopSchedulers();
    node!.engine.plant({ "skep.instance": "acme.stray.1", "skep.epoch": "1", "skep.container": "app" });
    let looks = 0;
    const delaysMs = (_: string, call: string): number => {
      if (call === "saveRemovals") return 5_000;
      return call === "loadRemovals" && ++looks === 1 ? 3_000 : 0;
    };
    stage.platform.hindrance = { delaysMs };
    stage.startSchedulers();
    const isOver = (): boolean => node!.engine.containers().length === 0;
    await stage.until(isOver, 90_000, "acme.stray.1 runs on, and it is wanted elsewhere or nowhere");
  },
};

/** One message has room for eight removals here: the rest is told once the node has done those. */
const moreStraysThanRoom: Scenario = {
  name: "more-strays-than-room",
  play: async stage => {
    await stage.create("acme", web("web", {}, { ...PINNED, replicas: 12 }));
    await stage.until(() => stage.running().length === 12, 30_000, "twelve copies did not start");
    const node = stage.homeOf("acme.web");
    await stage.change("acme.web", { desired: "deleted" });
    const { deployments } = stage.platform.database.records;
    await stage.until(() => !deployments.has("acme.web"), 60_000, "it was not deleted");
    for (let serial = 1; serial <= 12; serial += 1)
      node.engine.plant({ "skep.instance": `acme.web.${serial}`, "skep.epoch": "1", "skep.container": "app" });
    const isOver = (): boolean => node.engine.containers().length === 0;
    await stage.until(isOver, 90_000, "copies that are over run on, though their removals are recorded");
  },
};

/** What databases lose, forget and bring back. */
export const RECORDS: readonly Scenario[] = [
  nameAgain,
  emptyDatabase,
  allForgotten,
  olderCopy("older-copy", 3),
  olderCopy("older-revisions", 0),
  countedPast,
  foreignAssignment,
  rowVanishes,
  leasedRowVanishes,
  rowBetween,
  rowComesBack,
  endedRowComesBack,
  oldRowVanishes,
  strayGoes,
  strayAndSlowLook,
  moreStraysThanRoom,
];
