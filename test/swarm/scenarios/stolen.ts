import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeFetch } from "@skep/api/codec/assignment.ts";
import { encodeBeat } from "@skep/api/codec/beat.ts";
import { encodeLeaseRequest } from "@skep/api/codec/lease.ts";
import { encodeReport } from "@skep/api/codec/report.ts";
import { encodeSwarmNodes } from "@skep/api/codec/swarm.ts";
import { nodeInbox, nodeSubject, SUBJECTS, type NodeSubject } from "@skep/api/subjects.ts";
import { eventually } from "../../support/eventually.ts";
import { webApp } from "../apps.ts";
import { nodeOf, type Platform } from "../platform.ts";
import { stealAgent, type Thief } from "../thief.ts";
import { answersEverywhere } from "./deploy.ts";

const SAID_BY_AGENTS: readonly NodeSubject[] = ["beat", "report", "fetch", "spec", "lease", "swarm"];
const REFUSED = expect.stringContaining("Permissions Violation");

/** What the agent of one node has is worth nothing against another node. */
export function stolenScenarios(given: () => Platform): void {
  let thief: Thief;
  let own = "";
  let other = "";
  let before: unknown;

  beforeAll(async () => {
    const platform = given();
    own = nodeOf(platform.fleet, "node-2").swarmId;
    other = nodeOf(platform.fleet, "node-3").swarmId;
    before = await recordsOf(platform, other);
    thief = await stealAgent(platform, "node-2");
  });
  afterAll(async () => {
    await thief?.close();
  });

  it("speaks on no subject of another node, and for no scheduler", async () => {
    for (const kind of SAID_BY_AGENTS) {
      const publish = (nodeId: string) => thief.verdict(bus => bus.publish(nodeSubject(kind, nodeId), "x"));
      expect(await publish(other), kind).toEqual(REFUSED);
      // The subject of the stolen node itself is allowed, or the refusals would say nothing.
      expect(await publish(own), kind).toBe("allowed");
    }
    const forbidden = [
      nodeSubject("assign", other),
      nodeSubject("assign", own),
      nodeSubject("ask", other),
      `${nodeInbox(other)}.answer`,
      "_INBOX_scheduler.answer",
      ...Object.values(SUBJECTS),
      "$SYS.REQ.USER.AUTH",
      "$SYS.REQ.SERVER.PING.CONNZ",
    ];
    for (const subject of forbidden)
      expect(await thief.verdict(bus => bus.publish(subject, "x")), subject).toEqual(REFUSED);
    const asked = thief.connection.request(nodeSubject("fetch", other), question(other), { timeout: 1_000 });
    await expect(asked).rejects.toThrow(/Permissions Violation|timeout/i);
  });

  it("hears nothing of another node while the platform works, and its own assignments as before", async () => {
    const platform = given();
    const heard: string[] = [];
    const listen = (pattern: string) =>
      thief.verdict(
        bus => void bus.subscribe(pattern, { callback: (error, at) => void (error ?? heard.push(at.subject)) }),
      );
    const forbidden = [
      ...[nodeSubject("assign", other), nodeSubject("ask", other), `${nodeInbox(other)}.>`, "_INBOX_scheduler.>"],
      ...["skep.v1.assign.*", "skep.v1.report.*", nodeSubject("beat", other), "skep.v1.>", "_INBOX.>", ">", "$SYS.>"],
      ...Object.values(SUBJECTS),
    ];
    for (const pattern of forbidden) expect(await listen(pattern), pattern).toEqual(REFUSED);
    expect(await listen(nodeSubject("assign", own))).toBe("allowed");
    const result = await platform.skep(["deploy", "-f", "-"], webApp(platform, "guarded", 3));
    expect(result.code, result.stdout + result.stderr).toBe(0);
    await answersEverywhere(platform, "guarded.test", 3);
    expect((await platform.skep(["rm", "guarded-app"])).code).toBe(0);
    await eventually(() => expect(heard.length).toBeGreaterThan(0));
    expect(new Set(heard)).toEqual(new Set([nodeSubject("assign", own)]));
  });

  it("is not believed where it names another node on its own subject, and a person is told", async () => {
    const platform = given();
    const manager = nodeOf(platform.fleet, "node-1").swarmId;
    const mark = { incarnation: "", appliedTerm: 0, appliedRevision: 0 };
    const beat = {
      ...mark,
      nodeId: other,
      sessionId: "thief",
      bootId: "thief",
      seq: 1_000_000,
      leaving: true,
      refused: "",
    };
    const facts = {
      ...{ nodeId: other, sessionId: "thief", bootId: "thief", hostname: "thief", address: "10.66.6.6" },
      ...{ os: "linux", architecture: "x86_64", engineVersion: "0", engineLabels: {}, agentVersion: "0" },
      capacity: { cpuMillis: 1, memoryBytes: 1, instances: 1, portFrom: 1, portTo: 1 },
    };
    const report = { ...mark, sessionId: "thief", seq: 1, full: true, facts, ...NOTHING };
    const gone = (await platform.client.nodes.listNodes({})).nodes.map(({ id, hostname }) => ({
      ...({ nodeId: id, hostname, role: "worker", availability: "drain", state: "down" } as const),
      ...{ address: "10.66.6.6", labels: {}, versionIndex: 10 ** 9 },
    }));
    const says = (kind: NodeSubject, bytes: Uint8Array) => thief.connection.publish(nodeSubject(kind, own), bytes);
    says(
      "beat",
      encodeBeat({ ...beat, ...{ reportSeq: 1, digest: 0n, instances: 0, load: undefined, at: Date.now() } }),
    );
    // As another node, as one's own with the facts of another, and as a manager that it is not.
    const list = (from: string) =>
      encodeSwarmNodes({
        managerNodeId: from,
        at: Date.now(),
        nodes: gone.map(one => ({ ...one, role: one.nodeId === from ? "manager" : "worker" })),
      });
    for (const from of [manager, own]) says("swarm", list(from));
    const requests: readonly (readonly [NodeSubject, Uint8Array])[] = [
      ["report", encodeReport({ ...report, nodeId: other })],
      ["report", encodeReport({ ...report, nodeId: own })],
      ["fetch", question(other)],
      ["lease", encodeLeaseRequest({ nodeId: other, instances: [] })],
    ];
    for (const [kind, bytes] of requests) {
      const answer = thief.connection.request(nodeSubject(kind, own), bytes, { timeout: 1_000 });
      await expect(answer, kind).rejects.toThrow(/timeout/i);
    }
    await eventually(async () => expect(await recordsOf(platform, other)).toEqual(before), 20_000);
    await eventually(async () => {
      const { stdout } = await platform.skep(["events", "-A"]);
      expect(stdout).toContain(`A message on the subject of node ${own} calls itself node ${other}`);
      expect(stdout).toContain(`Node ${own} tells a list of the Swarm's nodes`);
    });
    const { nodes } = await platform.client.platform.getStatus({});
    expect(nodes).toEqual({ ready: platform.fleet.nodes.length });
  });
}

const NOTHING = { statuses: [], gone: [], strangers: [], usage: [], volumes: [] };

function question(nodeId: string): Uint8Array {
  return encodeFetch({ nodeId, sessionId: "thief", incarnation: "", term: 0, revision: 0 });
}

/** All that stands of a node and of what runs there, but for what every beat changes. */
async function recordsOf(platform: Platform, nodeId: string): Promise<unknown> {
  const nodes = `SELECT node_id, hostname, address, role, availability, swarm_state, session_id, boot_id, liveness,
    memory_bytes, port_from FROM node_metadata ORDER BY node_id`;
  const runs = `SELECT instance_id, epoch, status, health_status, containers FROM deployment_locations
    WHERE node_id = '${nodeId}' AND status = 'running' ORDER BY instance_id`;
  const keys = "SELECT * FROM node_keys ORDER BY node_id";
  return Promise.all([nodes, runs, keys].map(query => platform.sql(query)));
}
