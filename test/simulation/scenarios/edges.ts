import { releasePorts } from "@skep/core/world/released-ports.ts";
import { locationKey } from "@skep/scheduler/store/memory-records.ts";
import { Edge } from "../edge.ts";
import { SETTINGS } from "../processes.ts";
import { routesOf } from "../routes.ts";
import { PINNED, web, type Scenario, type Stage } from "./scenario.ts";

/** Every other port of the first node is in use, so the next user gets this one or none. */
function leaveOnePort({ platform }: Stage, port: number): void {
  const { records } = platform.database;
  const released = records.releasedPorts.find(one => one.hostPort === port)!;
  const others = Array.from({ length: 40 }, (_, at) => 20_000 + at).filter(one => one !== port);
  const held = others.map(hostPort => ({ ...released, hostPort, deploymentId: "acme.held", freeAt: Infinity }));
  records.releasedPorts = [...records.releasedPorts, ...held];
}

async function deleteAndWait(stage: Stage, id: string): Promise<void> {
  const { records } = stage.platform.database;
  await stage.change(id, { desired: "deleted" });
  await stage.until(() => records.releasedPorts.length > 0, 30_000, "its port was not given back");
}

/** Two schedulers are cut off from the database, and a port changes hands behind their backs. */
const staleEdge: Scenario = {
  name: "stale-edge",
  play: async stage => {
    const { platform } = stage;
    for (let number = 3; number <= 8; number++) {
      const edge = new Edge(platform, `edge-${number}`);
      platform.edges.push(edge);
      void edge.run();
    }
    await stage.create("acme", web("bank", {}, PINNED));
    await stage.advance(10_000);
    const port = stage.rowsOf("acme.bank")[0]!.ports[0]!.hostPort;
    const leader = stage.leader();
    for (const name of platform.schedulers) if (name !== leader) platform.database.cut(name);
    await deleteAndWait(stage, "acme.bank");
    leaveOnePort(stage, port);
    await stage.create("globex", web("evil", {}, PINNED));
    const isUp = (): boolean => stage.running().some(one => one.startsWith("globex.evil."));
    await stage.until(isUp, 60_000, "a port was not given again after its rest");
    await stage.advance(5_000);
  },
};

/** The one free port of a node has just been given back by another deployment. */
const portRests: Scenario = {
  name: "port-rests",
  play: async stage => {
    await stage.create("acme", web("bank", {}, PINNED));
    await stage.advance(10_000);
    const port = stage.rowsOf("acme.bank")[0]!.ports[0]!.hostPort;
    await deleteAndWait(stage, "acme.bank");
    leaveOnePort(stage, port);
    await stage.create("globex", web("evil", {}, PINNED));
    await stage.advance(SETTINGS.portQuarantineMs / 2);
    stage.hold(stage.rowsOf("globex.evil").length === 0, "a port is given again before it has rested");
    const isUp = (): boolean => stage.running().some(one => one.startsWith("globex.evil."));
    await stage.until(isUp, 60_000, "a port was not given again after its rest");
  },
};

/** The port of a vanished row was given to another before the row's agent is heard. */
const portOfVanishedRow: Scenario = {
  name: "port-of-vanished-row",
  play: async stage => {
    await stage.create("acme", web("bank", {}, PINNED));
    await stage.advance(10_000);
    const { platform } = stage;
    const { records } = platform.database;
    const row = stage.rowsOf("acme.bank")[0]!;
    const isTaken = (): boolean => stage.rowsOf("globex.evil").length > 0;
    platform.hindrance = { loses: subject => subject.includes(".ask.") && !isTaken() };
    records.locations.delete(locationKey(row));
    records.releasedPorts = releasePorts([], [row], platform.clock.now(), platform.clock.now());
    leaveOnePort(stage, row.ports[0]!.hostPort);
    await stage.create("globex", web("evil", {}, PINNED));
    await stage.until(isTaken, 8_000, "the port of a vanished row was not given again");
    await stage.advance(8_000);
  },
};

/** Looks ten times a second whether every edge has somewhere to send requests. */
async function servedThroughout(stage: Stage, ms: number, sentence: string): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await stage.advance(100);
    stage.hold(
      stage.platform.edges.every(edge => edge.servers("acme.web") > 0),
      sentence,
    );
  }
}

/** An update moves an app to another port, and takes its time. */
const portOfRelease: Scenario = {
  name: "port-of-release",
  play: async stage => {
    await stage.create("acme", web("web"));
    await stage.advance(10_000);
    for (const node of stage.platform.nodes) node.engine.setDelays({ startMs: 3_000 });
    const ports = [{ containerPort: 9090, protocol: "tcp" as const, hostPort: undefined }];
    const spec = web("web", { ports }, { update: { order: "start-first", parallelism: 1 } });
    await stage.change("acme.web", { spec, routes: routesOf("acme", spec) });
    await servedThroughout(stage, 15_000, "an update that changes the port leaves a route without a server");
    stage.hold(stage.running().join() === "acme.web.2@1", "not as desired: the update did not end");
  },
};

const HEALTH = {
  ...{ probe: { kind: "http" as const, port: 8080, path: "/" }, intervalMs: 1_000, timeoutMs: 500 },
  ...{ retries: 2, startPeriodMs: 500 },
};

/** An agent is started anew on a node whose instances it probes. */
const agentRestarts: Scenario = {
  name: "agent-restarts",
  play: async stage => {
    await stage.create("acme", web("web", { health: HEALTH }));
    await stage.advance(10_000);
    const node = stage.homeOf("acme.web");
    stage.platform.hindrance = { probesMs: 400 };
    stage.stopAgent(node);
    await stage.advance(300);
    stage.startAgent(node);
    const isWell = (): boolean => stage.rowsOf("acme.web").every(one => one.health === "healthy");
    for (let passed = 0; passed < 5_000; passed += 1) {
      await stage.advance(1);
      stage.hold(isWell(), "an agent's restart makes what it probes unwell");
    }
  },
};

/** A drained node's copy ends by itself while the one that is to follow it still starts. */
const unwellMove: Scenario = {
  name: "unwell-move",
  play: async stage => {
    await stage.create("acme", web("web"));
    await stage.advance(10_000);
    const { swarm, nodes } = stage.platform;
    const home = stage.homeOf("acme.web");
    for (const node of nodes) if (node !== home) node.engine.setDelays({ startMs: 8_000 });
    swarm.set(home.id, { ...swarm.get(home.id)!, availability: "drain", versionIndex: 100 });
    await stage.until(() => stage.rowsOf("acme.web").length === 2, 10_000, "nothing was placed elsewhere");
    home.engine.crash(home.engine.containers()[0]!.id, 1);
    const isServed = (): boolean => stage.running().includes("acme.web.1@2");
    while (!isServed() && stage.platform.violation() === undefined) {
      await stage.advance(100);
      const old = stage.rowsOf("acme.web").find(one => one.epoch === 1);
      stage.hold(isServed() || old?.desired === "run", "acme.web.1@1 stops before anything serves in its place");
    }
  },
};

/** Who gets the requests while things move. */
export const EDGES: readonly Scenario[] = [
  staleEdge,
  portRests,
  portOfVanishedRow,
  portOfRelease,
  agentRestarts,
  unwellMove,
];
