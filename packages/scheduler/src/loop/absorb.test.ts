import { decodeFetchReply, encodeFetch } from "@skep/api/codec/assignment.ts";
import { encodeBeat } from "@skep/api/codec/beat.ts";
import { encodeLeaseRequest } from "@skep/api/codec/lease.ts";
import { encodeSpecFetch } from "@skep/api/codec/spec-name.ts";
import { decodeReportAck, encodeReport, type Report, type ReportAck } from "@skep/api/codec/report.ts";
import { encodeSwarmNodes } from "@skep/api/codec/swarm.ts";
import type { Bus } from "@skep/kit/bus.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aStatus, someFacts } from "../store/testing/records.ts";
import { createRig, type Rig } from "../testing/rig.ts";
import { createAbsorb } from "./absorb.ts";
import { createBeats } from "./beats.ts";
import { createSenders } from "./senders.ts";
import { createHints } from "./hints.ts";
import type { Running } from "./ports.ts";

let rig: Rig;
let agent: Bus;
let loops: Running[];
let woken: string[];
let answers: number;

beforeEach(() => {
  rig = createRig();
  [loops, woken, answers] = [[], [], 0];
  for (const name of ["s1", "s2"]) {
    const ports = rig.ports(name);
    const senders = createSenders(ports);
    const [beats, hints] = [createBeats(ports, senders), createHints(ports.bus, ports.clock)];
    loops.push(
      createAbsorb(ports, {
        beats,
        hints,
        senders,
        records: { areOurs: () => true, isUnproven: () => false, unrecoveredMs: () => 0 },
        wake: because => void woken.push(because),
      }),
      beats,
      hints,
    );
  }
  agent = rig.network.connect("node-1");
});
afterEach(() => Promise.all(loops.map(loop => loop.close())));

function aFullReport(over: Partial<Report> = {}): Report {
  return {
    nodeId: "node-1",
    sessionId: "session-1",
    seq: 1,
    full: true,
    ...{ incarnation: "", appliedTerm: 0, appliedRevision: 0 },
    facts: { ...someFacts(), agentVersion: "1" },
    statuses: [],
    gone: [],
    strangers: [],
    volumes: undefined,
    usage: [],
    ...over,
  };
}

function aBeat(sessionId: string, seq: number, nodeId = "node-1"): Uint8Array {
  return encodeBeat({
    ...{ nodeId, bootId: "b", sessionId, seq, reportSeq: 0 },
    ...{ incarnation: "", refused: "", appliedTerm: 0, appliedRevision: 0 },
    ...{ digest: 0n, instances: 0, load: undefined, leaving: false, at: 0 },
  });
}

async function say(report: Report, timeoutMs = 1_000): Promise<ReportAck> {
  const answer = agent.request("skep.v1.report.node-1", encodeReport(report), { timeoutMs });
  void answer.then(
    () => (answers += 1),
    () => undefined,
  );
  await rig.clock.advance(timeoutMs);
  return decodeReportAck(await answer);
}

describe("absorb", () => {
  it("writes the facts of a new session and its full report, by one of the replicas", async () => {
    expect(await say(aFullReport())).toMatchObject({ accepted: true, needFull: false });
    expect(rig.database.records.nodes.get("node-1")).toMatchObject({ sessionId: "session-1", reportedFull: true });
    expect(woken).toEqual(["report of node-1"]);
  });

  it("asks a session that it does not know for everything", async () => {
    const partial = aFullReport({ full: false, facts: undefined, statuses: [aStatus()] });
    expect(await say(partial)).toMatchObject({ accepted: false, needFull: true });
    expect(woken).toEqual([]);
  });

  it("gives no answer while the database is away, so that the agent sends the report again", async () => {
    rig.database.cut();
    await expect(say(aFullReport())).rejects.toMatchObject({ code: "timeout" });
    rig.database.heal();
    expect(await say(aFullReport())).toMatchObject({ accepted: true, needFull: false });
    const said = rig.lines.filter(line => line.fields.loop === "absorb").map(line => line.event);
    expect(said).toEqual(["loop.failed"]);
  });

  it("answers a fetch with the assignment, and with nothing where the agent has it", async () => {
    await say(aFullReport());
    const fetch = async (term: number, revision: number, incarnation = rig.database.records.platform.incarnation) => {
      const question = encodeFetch({ nodeId: "node-1", sessionId: "session-1", incarnation, term, revision });
      const answer = agent.request("skep.v1.fetch.node-1", question, { timeoutMs: 1_000 });
      await rig.clock.advance(10);
      return decodeFetchReply(await answer)?.assignment;
    };
    await rig.database.connect("test").takeLease("s1", 60_000);
    expect(await fetch(0, 0)).toMatchObject({ nodeId: "node-1", term: 1, revision: 0, instances: [] });
    expect(await fetch(1, 0)).toBeUndefined();
    expect(await fetch(1, 0, "inc_other")).toMatchObject({ term: 1, revision: 0 });
  });

  it("answers a fetch with the assignment where another copy of the records gave its number", async () => {
    await say(aFullReport());
    const { platform, nodes } = rig.database.records;
    const entry = nodes.get("node-1")!;
    entry.node = { ...entry.node, assignmentRevision: 2, assignmentStamps: [11, 12] };
    await rig.database.connect("test").takeLease("s1", 60_000);
    const fetch = async (stamp: number) => {
      const mark = { incarnation: platform.incarnation, term: 1, revision: 2, stamp };
      const question = encodeFetch({ nodeId: "node-1", sessionId: "session-1", ...mark });
      const answer = agent.request("skep.v1.fetch.node-1", question, { timeoutMs: 1_000 });
      await rig.clock.advance(10);
      return decodeFetchReply(await answer)?.assignment;
    };
    expect(await fetch(12)).toBeUndefined();
    expect(await fetch(99)).toMatchObject({ revision: 2, stamps: [11, 12] });
  });

  it("takes the Swarm's list, and wakes the tick only when it says something new", async () => {
    await say(aFullReport());
    woken = [];
    const list = encodeSwarmNodes({
      managerNodeId: "node-1",
      at: 0,
      nodes: [
        {
          ...{ nodeId: "node-1", hostname: "n1", role: "manager", availability: "drain", state: "ready" },
          ...{ address: "10.0.0.1", labels: { compute: "true" }, versionIndex: 3 },
        },
      ],
    });
    agent.publish("skep.v1.swarm.node-1", list);
    await rig.clock.advance(10);
    agent.publish("skep.v1.swarm.node-1", list);
    await rig.clock.advance(10);
    expect(rig.database.records.nodes.get("node-1")?.node).toMatchObject({ availability: "drain", role: "manager" });
    expect(woken).toHaveLength(1);
  });

  it("takes nothing from the later of two sessions that beat as one node, and all from a restarted agent", async () => {
    await say(aFullReport());
    const sessionIds = ["session-1", "clone"];
    const clone = aFullReport({
      sessionId: "clone",
      facts: { ...someFacts({ sessionId: "clone" }), agentVersion: "1" },
    });
    for (let seq = 1; seq <= 5; seq += 1) {
      for (const [index, sessionId] of sessionIds.entries())
        agent.publish("skep.v1.beat.node-1", aBeat(sessionId, index === 0 ? seq + 10 : seq));
      await rig.clock.advance(1_000);
    }
    expect(await say(clone)).toMatchObject({
      accepted: false,
      needFull: false,
      because: expect.stringContaining("node"),
    });
    expect(rig.database.records.nodes.get("node-1")?.sessionId).toBe("session-1");
    const fetch = encodeFetch({ nodeId: "node-1", sessionId: "clone", incarnation: "", term: 0, revision: 0 });
    const fetched = expect(agent.request("skep.v1.fetch.node-1", fetch, { timeoutMs: 100 })).rejects.toBeDefined();
    await rig.clock.advance(200);
    await fetched;
    const restarted = { ...someFacts({ sessionId: "session-2" }), agentVersion: "1" };
    expect(await say(aFullReport({ sessionId: "session-2", facts: restarted }))).toMatchObject({ accepted: true });
  });

  it("uses the Swarm's word for an address, and says once that the agent's differs", async () => {
    await say(aFullReport());
    const node = { nodeId: "node-1", hostname: "n1", role: "manager", availability: "active", state: "ready" } as const;
    const nodes = [{ ...node, address: "10.9.9.9", labels: {}, versionIndex: 3 }];
    agent.publish("skep.v1.swarm.node-1", encodeSwarmNodes({ managerNodeId: "node-1", at: 0, nodes }));
    await rig.clock.advance(10);
    const other = { ...someFacts({ address: "10.6.6.6" }), agentVersion: "1" };
    for (const seq of [2, 3, 4, 5]) await say(aFullReport({ seq, facts: other }));
    expect(rig.database.records.nodes.get("node-1")?.node.address).toBe("10.9.9.9");
    const said = rig.lines.filter(line => line.event === "node.address");
    expect(said.map(line => line.fields.word)).toContain("10.6.6.6");
    expect(new Set(said.map(line => JSON.stringify(line.fields))).size).toBe(said.length);
    const sentences = rig.database.records.decisions.map(one => one.decision.sentence);
    expect(sentences).toContainEqual(
      expect.stringContaining("at 10.9.9.9, as the Swarm's list says, and not at 10.6.6.6"),
    );
  });

  it("drops what a node says in the name of another, and says so once", async () => {
    await say(aFullReport());
    const report = aFullReport({ nodeId: "node-2", facts: { ...someFacts({ nodeId: "node-2" }), agentVersion: "1" } });
    const inFacts = aFullReport({ seq: 2, facts: { ...someFacts({ nodeId: "node-2" }), agentVersion: "1" } });
    await expect(say(report)).rejects.toMatchObject({ code: "timeout" });
    await expect(say(inFacts)).rejects.toMatchObject({ code: "timeout" });
    const fetch = encodeFetch({ nodeId: "node-2", sessionId: "session-1", incarnation: "", term: 0, revision: 0 });
    const fetched = agent.request("skep.v1.fetch.node-1", fetch, { timeoutMs: 100 });
    const spec = encodeSpecFetch({ nodeId: "node-2", deploymentId: "acme.web", release: 1, offset: 0 });
    const asked = agent.request("skep.v1.spec.node-1", spec, { timeoutMs: 100 });
    const lease = encodeLeaseRequest({ nodeId: "node-2", instances: [] });
    const leased = agent.request("skep.v1.lease.node-1", lease, { timeoutMs: 100 });
    const refused = [expect(fetched), expect(asked), expect(leased)].map(one =>
      one.rejects.toMatchObject({ code: "timeout" }),
    );
    await rig.clock.advance(200);
    await Promise.all(refused);
    expect(rig.database.records.nodes.has("node-2")).toBe(false);
    const alarms = rig.database.records.decisions.filter(one => one.decision.kind === "node.impersonated");
    expect(alarms.map(one => one.decision.nodeId)).toContain("node-1");
    expect(alarms.length).toBeLessThanOrEqual(2);
  });

  it("hears nothing of a revoked node", async () => {
    const ports = rig.ports("s3");
    const senders = createSenders(ports, nodeId => nodeId === "node-1");
    expect(senders.isGenuine("skep.v1.beat.node-1", "node-1")).toBe(false);
    expect(senders.isGenuine("skep.v1.beat.node-2", "node-2")).toBe(true);
    expect(senders.dropped()).toBe(1);
  });

  it("takes no beat in another node's name", async () => {
    const ports = rig.ports("s3");
    const beats = createBeats(ports, createSenders(ports));
    loops.push(beats);
    agent.publish("skep.v1.beat.node-1", aBeat("session-1", 1, "node-2"));
    agent.publish("skep.v1.beat.node-1", aBeat("session-1", 1));
    await rig.clock.advance(10);
    expect([...beats.all().keys()]).toEqual(["node-1"]);
  });

  it("answers a full report in parts, and calls it full with the last one", async () => {
    const part = (number: number, over: Partial<Report> = {}) =>
      say(aFullReport({ seq: number, part: { number, of: 2 }, ...over }));
    expect(await part(1)).toMatchObject({ accepted: true, needFull: true });
    expect(await part(2, { facts: undefined })).toMatchObject({ accepted: true, needFull: false });
  });

  it("believes the Swarm's list from managers, and the first list from who is one by it", async () => {
    const list = (managerNodeId: string, role: "manager" | "worker", versionIndex: number) =>
      encodeSwarmNodes({
        ...{ managerNodeId, at: 0 },
        nodes: [
          {
            ...{ nodeId: managerNodeId, hostname: "n", role, availability: "drain", state: "ready" },
            ...{ address: "10.0.0.9", labels: {}, versionIndex },
          },
        ],
      });
    const tell = async (nodeId: string, role: "manager" | "worker", versionIndex: number): Promise<void> => {
      agent.publish(`skep.v1.swarm.${nodeId}`, list(nodeId, role, versionIndex));
      await rig.clock.advance(10);
    };
    const known = (): readonly string[] => [...rig.database.records.nodes.keys()];
    await tell("node-8", "worker", 1);
    expect(known()).toEqual([]);
    await tell("node-1", "manager", 2);
    await tell("node-9", "manager", 3);
    expect(known()).toEqual(["node-1"]);
    const alarms = rig.database.records.decisions.filter(one => one.decision.kind === "swarm.disbelieved");
    expect(alarms.map(one => one.decision.nodeId)).toContain("node-9");
    await rig.clock.advance(61_000);
    await tell("node-9", "manager", 4);
    expect(known()).toEqual(["node-1", "node-9"]);
  });

  it("takes the rest of a report in which something has an absurd epoch, and says so", async () => {
    const stray = { tenantId: "acme", deploymentId: "acme.web", release: 1 };
    const strangers = [{ ...stray, status: aStatus({ epoch: 2 ** 31 }) }];
    expect(await say(aFullReport({ strangers }))).toMatchObject({ accepted: true, needFull: false });
    expect(rig.lines.filter(line => line.event === "message.unreadable")).toHaveLength(1);
  });

  it("lives through a message that is not one", async () => {
    agent.publish("skep.v1.report.node-1", new Uint8Array([1, 2, 3]));
    agent.publish("skep.v1.beat.node-1", new Uint8Array([255]));
    await rig.clock.advance(10);
    expect(await say(aFullReport())).toMatchObject({ accepted: true, needFull: false });
    expect(rig.lines.map(line => line.event)).toContain("message.unreadable");
  });
});
