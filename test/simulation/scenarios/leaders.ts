import { encodeSwarmNodes } from "@skep/api/codec/swarm.ts";
import { encodeWake } from "@skep/api/codec/notice.ts";
import { nodeSubject, SUBJECTS } from "@skep/api/subjects.ts";
import { web, type Scenario } from "./scenario.ts";

/** The database's clock is set back in the moment in which the leader's machine dies. */
const clockSetBack: Scenario = {
  name: "clock-set-back",
  play: async stage => {
    const { platform } = stage;
    const dead = stage.leader();
    platform.lives.get(dead)?.kill();
    platform.network.crash(dead);
    platform.databaseClock.step(-300_000);
    const isLed = (): boolean => stage.leader() !== dead;
    await stage.until(isLed, 40_000, "nobody leads, since the dead leader's lease ends by a clock that was set back");
  },
};

/** The database loses its last moments, and the next leader gets the term of the one before. */
const sharedTerm: Scenario = {
  name: "shared-term",
  play: async stage => {
    const { records } = stage.platform.database;
    records.lease = { ...records.lease!, holder: "scheduler-9_of-the-same-term" };
    await stage.create("acme", web("web"));
    stage.platform.network.connect("user").publish(SUBJECTS.wake, encodeWake("a user's wish"));
    await stage.advance(3_000);
  },
};

/** A plan that ends a copy is long under way, and meanwhile its user wants the copy again. */
const latePlan: Scenario = {
  name: "late-plan",
  play: async stage => {
    await stage.create("acme", web("web"));
    await stage.advance(10_000);
    for (const { engine } of stage.platform.nodes) engine.setDelays({ startMs: 15_000 });
    await stage.change("acme.web", { replicas: 2 });
    await stage.advance(3_000);
    stage.platform.hindrance = { delaysMs: (_, call) => (call === "commit" ? 1_500 : 0) };
    await stage.change("acme.web", { replicas: 1 });
    await stage.advance(1_400);
    await stage.change("acme.web", { replicas: 2 });
    await stage.advance(10_000);
    const { instances } = stage.platform.database.records;
    const names = [...instances.values()].filter(one => one.desired === "run").map(one => one.id);
    stage.hold(
      names.toSorted().join() === "acme.web.1,acme.web.2",
      "a plan was committed that was of what its user had wanted before",
    );
  },
};

/** Somebody writes over what is recorded of a node's liveness, as a deposed leader once did. */
const beliefOverwritten: Scenario = {
  name: "belief-overwritten",
  play: async stage => {
    const id = "node-1";
    const entry = stage.platform.database.records.nodes.get(id)!;
    entry.node = { ...entry.node, liveness: "down" };
    const isReady = (): boolean => entry.node.liveness === "ready";
    await stage.until(isReady, 10_000, `${id} is recorded as down, but it is ready`);
  },
};

/** A worker tells a list of the Swarm's nodes in which all others are drained. */
const falseList: Scenario = {
  name: "false-list",
  play: async stage => {
    const { swarm, network, database } = stage.platform;
    const nodes = [...swarm.values()].map(one => ({
      ...one,
      role: "manager" as const,
      availability: "drain" as const,
      versionIndex: one.versionIndex + 1_000,
    }));
    network
      .connect("node-5")
      .publish(
        nodeSubject("swarm", "node-5"),
        encodeSwarmNodes({ managerNodeId: "node-5", nodes, at: stage.platform.clock.now() }),
      );
    await stage.advance(5_000);
    const drained = [...database.records.nodes.values()].filter(({ node }) => node.availability === "drain");
    stage.hold(drained.length === 0, "a worker's list of the Swarm drains nodes");
  },
};

/** Leases, terms and plans, and what a leader believes. */
export const LEADERS: readonly Scenario[] = [clockSetBack, sharedTerm, latePlan, beliefOverwritten, falseList];
