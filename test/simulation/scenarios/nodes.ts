import { LABEL } from "@skep/agent/engine/labels.ts";
import type { SimNode } from "../sim-node.ts";
import { PINNED, web, type Scenario, type Stage } from "./scenario.ts";

function cutOff({ platform }: Stage, { id }: SimNode): void {
  platform.isolated.add(id);
  platform.network.cut(id, "unnoticed");
}

function reconnect({ platform }: Stage, { id }: SimNode): void {
  platform.isolated.delete(id);
  platform.network.heal(id);
}

/** A node comes back with a copy that was given up and placed elsewhere meanwhile. */
const nodeReturns: Scenario = {
  name: "node-returns",
  play: async stage => {
    await stage.create("acme", web("web"));
    await stage.advance(10_000);
    const node = stage.homeOf("acme.web");
    cutOff(stage, node);
    await stage.until(() => stage.running().includes("acme.web.1@2"), 30_000, "it was not placed elsewhere");
    reconnect(stage, node);
    const isOver = (): boolean => stage.running().join() === "acme.web.1@2";
    await stage.until(isOver, 15_000, "not as desired: a node that is back runs what was given up there");
  },
};

/** The node of an exclusive copy is cut off for so long that the copy is placed elsewhere. */
const exclusiveCutOff: Scenario = {
  name: "exclusive-cut-off",
  play: async stage => {
    await stage.create("acme", web("one", {}, { exclusive: true }));
    await stage.advance(15_000);
    cutOff(stage, stage.homeOf("acme.one"));
    await stage.until(() => stage.running().includes("acme.one.1@2"), 60_000, "it was not placed elsewhere");
    stage.hold(stage.running().length === 1, "two copies of acme.one run, and one of them has no lease");
  },
};

/** An agent gave an instance up, is started anew at once, and has forgotten its ends. */
const agentForgets: Scenario = {
  name: "agent-forgets",
  play: async stage => {
    await stage.create("acme", web("web", {}, { restart: { ...web("web").restart, maxAttempts: 1 } }));
    await stage.advance(10_000);
    const node = stage.homeOf("acme.web");
    for (let end = 0; end < 2; end++) {
      await stage.until(() => node.running().length > 0, 10_000, "it was not started again");
      node.engine.crash(node.running().length > 0 ? node.engine.containers()[0]!.id : "", 1);
    }
    await stage.until(() => stage.rowsOf("acme.web")[0]?.state === "failed", 5_000, "it was not given up");
    stage.stopAgent(node);
    stage.startAgent(node);
    await stage.advance(4_000);
  },
};

/** An agent's last report is long under way, and its next life has reported by then. */
const lateReport: Scenario = {
  name: "late-report",
  play: async stage => {
    await stage.create("acme", web("web"));
    await stage.advance(10_000);
    const node = stage.homeOf("acme.web");
    const { platform } = stage;
    let slow = "";
    const delaysMs = (client: string, call: string): number => {
      if (call !== "saveReport" || slow !== "") return 0;
      slow = client;
      return 10_000;
    };
    platform.hindrance = { delaysMs };
    node.engine.crash(node.engine.containers()[0]!.id, 1);
    await stage.until(() => slow !== "", 1_000, "the end was not reported");
    // Other schedulers hear the next life.
    platform.network.cut(slow);
    stage.stopAgent(node);
    stage.startAgent(node);
    await stage.advance(8_000);
    for (let passed = 0; passed < 4_000; passed += 100) {
      await stage.advance(100);
      const isNew = stage.rowsOf("acme.web")[0]?.state === "running";
      stage.hold(isNew, "an older report is written over that of the agent's present life");
    }
  },
};

/** An agent misses what it is told. */
const assignmentLost: Scenario = {
  name: "assignment-lost",
  play: async stage => {
    let told = 0;
    stage.platform.hindrance = { loses: subject => subject.includes(".assign.") && ++told === 1 };
    await stage.create("acme", web("web"));
    const isUp = (): boolean => stage.running().join() === "acme.web.1@1";
    await stage.until(isUp, 15_000, "an agent that missed an assignment is not told again");
    stage.hold(told > 1, "no assignment was lost");
  },
};

/** A single copy's name is used again while the node that runs the former one is away. */
const singleAgain: Scenario = {
  name: "single-again",
  play: async stage => {
    const volumes = [{ name: "data", target: "/data", readOnly: false }];
    const spec = web("db", { volumes }, PINNED);
    await stage.create("acme", spec);
    await stage.advance(10_000);
    const node = stage.homeOf("acme.db");
    node.engine.setDelays({ stopMs: 3_000 });
    cutOff(stage, node);
    await stage.change("acme.db", { desired: "deleted" });
    const { deployments } = stage.platform.database.records;
    await stage.until(() => !deployments.has("acme.db"), 150_000, "it was not deleted");
    await stage.create("acme", spec);
    await stage.advance(5_000);
    reconnect(stage, node);
    const isUp = (): boolean => stage.running().join() === "acme.db.2@1";
    await stage.until(isUp, 60_000, "not as desired: the later one of a name does not run alone");
  },
};

/** A deployment of so many copies on the first node, each with so many ports. */
function many(name: string, replicas: number, ports: number) {
  const list = Array.from({ length: ports }, (_, at) => ({
    ...{ containerPort: 80 + at, protocol: "tcp" as const, hostPort: undefined },
  }));
  return web(name, { ports: list }, { ...PINNED, replicas });
}

/** A node is full, and what has its room or its ports makes way for as much again. */
const fullNode = (name: string, first: readonly [number, number], second: readonly [number, number]): Scenario => ({
  name,
  play: async stage => {
    await stage.create("acme", many("first", ...first));
    await stage.advance(20_000);
    const [node] = stage.platform.nodes;
    stage.hold(stage.running().length === first[0], "the node did not fill");
    node!.engine.setDelays({ stopMs: 4_000 });
    await stage.change("acme.first", { desired: "deleted" });
    await stage.create("globex", many("second", ...second));
    const isUp = (): boolean => stage.running().filter(one => one.startsWith("globex.")).length === second[0];
    await stage.until(isUp, 120_000, "not as desired: the room of a full node is not given again");
  },
});

/** A container of nobody listens on the host port that an instance was given. */
const portOfAnother: Scenario = {
  name: "port-of-another",
  play: async stage => {
    await stage.create("acme", web("web"));
    await stage.advance(10_000);
    const node = stage.homeOf("acme.web");
    const { engine } = node;
    stage.stopAgent(node);
    const [mine] = engine.containers();
    await stage.done(engine.stop(mine!.id, 0));
    engine.plant({ [LABEL.ports]: mine!.labels[LABEL.ports]! });
    stage.startAgent(node);
    const isElsewhere = (): boolean => stage.running().some(one => one === "acme.web.1@2");
    await stage.until(isElsewhere, 30_000, "an instance waits for a host port that somebody else has");
  },
};

/** Copies of one tenant crash at once, again and again, on the node that another tenant needs. */
const unfairTenant: Scenario = {
  name: "unfair-tenant",
  play: async stage => {
    const [node] = stage.platform.nodes;
    node!.engine.setDelays({ startMs: 2_000, createMs: 500 });
    await stage.create("acme", web("aaa", {}, { ...PINNED, replicas: 13 }));
    await stage.advance(1_000);
    await stage.create("globex", web("mmm", {}, PINNED));
    const isUp = (): boolean => stage.running().some(one => one.startsWith("globex."));
    await stage.until(isUp, 5_500, "a tenant waits for its first start behind all copies of another tenant");
  },
};

/** What nodes have, lose and bring back. */
export const NODES: readonly Scenario[] = [
  nodeReturns,
  exclusiveCutOff,
  agentForgets,
  lateReport,
  assignmentLost,
  singleAgain,
  fullNode("full-node", [14, 1], [14, 1]),
  fullNode("short-of-ports", [10, 2], [4, 6]),
  portOfAnother,
  unfairTenant,
];
