import type { ReportedStatus } from "@skep/core/model/report.ts";
import { createHash } from "node:crypto";
import { decodeAsk } from "@skep/api/codec/ask.ts";
import { encodeAskReply } from "@skep/api/codec/ask-reply.ts";
import { encodeBeat } from "@skep/api/codec/beat.ts";
import { decodeReportAck, encodeReport, type Stranger } from "@skep/api/codec/report.ts";
import { everyNode, nodeSubject, parseNodeSubject } from "@skep/api/subjects.ts";
import { digestText, isDigested } from "@skep/core/converge/digest.ts";
import { aNode } from "@skep/core/testing/builders.ts";
import type { Bus } from "@skep/kit/bus.ts";

/** One node whose agent is played: it follows the real protocol and runs nothing. */
export interface PlayedNode {
  readonly nodeId: string;
  readonly running: Map<string, ReportedStatus>;
  readonly strangers: Map<string, Stranger>;
  /** Keys of `running` that the scheduler has not been told of as they are. */
  readonly untold: Set<string>;
  /** Ended, and not yet told. */
  gone: { readonly instanceId: string; readonly epoch: number }[];
  appliedTerm: number;
  appliedRevision: number;
  reportSeq: number;
  beatSeq: number;
}

/** The agents of many nodes behind one connection. */
export interface PlayedNodes {
  readonly nodes: ReadonlyMap<string, PlayedNode>;
  /** All reports in full, some at a time, each until it is acknowledged. */
  reportAll(): Promise<void>;
  report(node: PlayedNode): Promise<void>;
  /** What changed since the last report, as a real agent tells it. */
  reportNews(node: PlayedNode): Promise<void>;
  /** One beat of every node. */
  beatAll(): void;
  /** Beats each second until `close`. */
  keepBeating(): void;
  close(): void;
}

const SESSION = "played";
const AT_ONCE = 32;

/**
 * Plays nodes with these ids, each with room for everything; they answer asks and report in full
 * when told to.
 */
export function playNodes(bus: Bus, nodeIds: readonly string[]): PlayedNodes {
  const nodes = new Map(
    nodeIds.map((nodeId): [string, PlayedNode] => [
      nodeId,
      {
        nodeId,
        running: new Map(),
        strangers: new Map(),
        untold: new Set(),
        gone: [],
        ...{ incarnation: "", refused: "", appliedTerm: 0, appliedRevision: 0, reportSeq: 0, beatSeq: 0 },
      },
    ]),
  );
  const report = (node: PlayedNode): Promise<void> => sendReport(bus, node, true);
  const beatAll = (): void => {
    for (const node of nodes.values()) bus.publish(nodeSubject("beat", node.nodeId), beatOf(node));
  };
  const asks = bus.subscribe(everyNode("ask"), message => {
    const node = nodes.get(parseNodeSubject(message.subject)?.nodeId ?? "");
    if (node === undefined) return;
    const ask = decodeAsk(message.data);
    message.reply(
      encodeAskReply(ask.kind === "probe" ? { kind: "probe", answered: true, detail: "" } : { kind: "done" }),
    );
    if (ask.kind === "report") void report(node).catch(() => undefined);
  });
  let beating: NodeJS.Timeout | undefined;
  return {
    nodes,
    report,
    reportNews: node => sendReport(bus, node, false),
    reportAll: async () => {
      const waiting = [...nodes.values()];
      const worker = async (): Promise<void> => {
        for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) await report(node);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    },
    beatAll,
    keepBeating: () => {
      beatAll();
      beating ??= setInterval(beatAll, 1_000);
    },
    close: () => {
      clearInterval(beating);
      asks.close();
    },
  };
}

async function sendReport(bus: Bus, node: PlayedNode, full: boolean): Promise<void> {
  const { hostname: _, ...played } = aNode({ id: node.nodeId });
  const { os, architecture, engineVersion, engineLabels, address } = played;
  const capacity = { ...played.capacity, cpuMillis: 1_000_000, memoryBytes: 2 ** 42, instances: 100_000 };
  const { nodeId } = node;
  const facts = {
    ...{ nodeId, sessionId: SESSION, bootId: "boot", hostname: nodeId, address, os, architecture },
    ...{ engineVersion, engineLabels, capacity, agentVersion: "0" },
  };
  node.reportSeq += 1;
  const gone = node.gone.splice(0);
  const news = [...node.untold].flatMap(key => node.running.get(key) ?? []);
  node.untold.clear();
  const data = encodeReport({
    ...{
      nodeId,
      sessionId: SESSION,
      seq: node.reportSeq,
      full,
      facts: full ? facts : undefined,
      gone,
      volumes: undefined,
      usage: [],
    },
    statuses: full ? [...node.running.values()] : news,
    strangers: full ? [...node.strangers.values()] : [],
    ...{ incarnation: "", appliedTerm: node.appliedTerm, appliedRevision: node.appliedRevision },
  });
  for (let attempt = 1; ; attempt++) {
    try {
      const ack = decodeReportAck(await bus.request(nodeSubject("report", nodeId), data, { timeoutMs: 10_000 }));
      if (!ack.accepted) throw new Error(`the report of ${nodeId} was not accepted`);
      return;
    } catch (cause) {
      if (attempt === 5) throw cause;
    }
  }
}

function beatOf(node: PlayedNode): Uint8Array {
  const seen = [...node.running.values(), ...[...node.strangers.values()].map(one => one.status)].filter(isDigested);
  node.beatSeq += 1;
  return encodeBeat({
    ...{ nodeId: node.nodeId, bootId: "boot", sessionId: SESSION, seq: node.beatSeq, reportSeq: node.reportSeq },
    ...{ incarnation: "", refused: "", appliedTerm: node.appliedTerm, appliedRevision: node.appliedRevision },
    ...{ instances: seen.length, load: { cpuShare: 0, memoryShare: 0 }, leaving: false, at: Date.now() },
    digest: seen.reduce((sum, one) => sum ^ hash(digestText(one)), 0n),
  });
}

/** Most of what a node sees is what it saw a second ago. */
const hashes = new Map<string, bigint>();

function hash(text: string): bigint {
  const known = hashes.get(text) ?? md5Head(text);
  hashes.set(text, known);
  return known;
}

/** The first 64 bits of the md5. */
function md5Head(text: string): bigint {
  return BigInt(`0x${createHash("md5").update(text).digest("hex").slice(0, 16)}`);
}
