import { decodeFetch, encodeFetchReply } from "@skep/api/codec/assignment.ts";
import { decodeReport, encodeReportAck, type Report } from "@skep/api/codec/report.ts";
import { decodeSwarmNodes } from "@skep/api/codec/swarm.ts";
import { ABSORB_QUEUE, everyNode, SUBJECTS } from "@skep/api/subjects.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { BusMessage } from "@skep/kit/bus.ts";
import type { Usage } from "../store/reports.ts";
import type { Beats } from "./beats.ts";
import type { Hints } from "./hints.ts";
import { createOutage } from "./outage.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** What absorb works with beside the ports. */
export interface AbsorbOptions {
  readonly beats: Beats;
  readonly hints: Hints;
  /** Tells the leader, whoever that is, that there is something to look at. */
  readonly wake: (because: string) => void;
}

const USAGE_EVERY_MS = 5_000;

/**
 * Writes what agents say into the status columns, and answers them. Every replica does it; the queue group gives each
 * message to one of them. A message that could not be written gets no answer: its agent sends it again.
 */
export function createAbsorb(ports: LoopPorts, options: AbsorbOptions): Running {
  const { store, bus, clock, log } = ports;
  const { beats, hints } = options;
  const outage = createOutage("absorb", ports);
  /** The last write of each node: reports of one node go one after the other, those of different nodes together. */
  const chains = new Map<NodeId, Promise<void>>();
  let usage = new Map<string, Usage>();
  let closed = false;

  async function saveReport(report: Report, message: BusMessage): Promise<void> {
    const now = clock.now();
    if (report.facts !== undefined) await store.saveFacts(report.facts, now);
    const saved = await store.saveReport(report, now);
    message.reply(encodeReportAck({ accepted: saved.accepted, needFull: saved.needFull }));
    for (const one of report.usage) usage.set(`${one.instanceId} ${one.epoch}`, one);
    if (saved.changed || report.facts !== undefined || report.gone.length > 0) {
      options.wake(`report of ${report.nodeId}`);
      const instances = [...report.statuses, ...report.gone].map(one => one.instanceId);
      hints.tell({ nodeIds: [report.nodeId], deploymentIds: instances.map(deploymentOf) });
    }
  }

  async function answerFetch(message: BusMessage): Promise<void> {
    const { nodeId, term, revision } = decodeFetch(message.data);
    beats.note(nodeId);
    const assignment = await store.loadAssignment(nodeId);
    const isCurrent = assignment?.term === term && assignment.revision === revision;
    message.reply(encodeFetchReply(isCurrent ? undefined : assignment));
  }

  async function saveSwarm(message: BusMessage): Promise<void> {
    const { nodes } = decodeSwarmNodes(message.data);
    if (!(await store.saveSwarmNodes(nodes, clock.now()))) return;
    options.wake("the Swarm's list of nodes changed");
    hints.tell({ nodeIds: nodes.map(node => node.nodeId) });
  }

  function inTurn(key: string, write: () => Promise<void>): void {
    const turn = (chains.get(key) ?? Promise.resolve()).then(write).then(outage.succeeded, outage.failed);
    const done = turn.then(() => {
      if (chains.get(key) === done) chains.delete(key);
    });
    chains.set(key, done);
  }

  /** A message that cannot be read is its sender's fault and says nothing of the loop. */
  function guarded(kind: string, handle: (message: BusMessage) => void): (message: BusMessage) => void {
    return message => {
      if (closed) return;
      try {
        handle(message);
      } catch (error) {
        log.warn("message.unreadable", `A ${kind} could not be read; update the older side.`, { subject: message.subject, error });
      }
    };
  }

  const subscriptions = [
    bus.subscribe(
      everyNode("report"),
      guarded("report", message => {
        const report = decodeReport(message.data);
        beats.note(report.nodeId);
        inTurn(report.nodeId, () => saveReport(report, message));
      }),
      { queue: ABSORB_QUEUE },
    ),
    bus.subscribe(
      everyNode("fetch"),
      guarded("fetch", message => {
        void answerFetch(message).then(outage.succeeded, outage.failed);
      }),
      { queue: ABSORB_QUEUE },
    ),
    bus.subscribe(
      SUBJECTS.swarm,
      guarded("list of Swarm nodes", message => inTurn(SUBJECTS.swarm, () => saveSwarm(message))),
      { queue: ABSORB_QUEUE },
    ),
  ];

  function flushUsage(): void {
    cancelUsage = clock.timer(USAGE_EVERY_MS, flushUsage);
    if (usage.size === 0) return;
    const samples = [...usage.values()];
    usage = new Map();
    void store.saveUsage(samples, clock.now()).then(outage.succeeded, outage.failed);
  }
  let cancelUsage = clock.timer(USAGE_EVERY_MS, flushUsage);

  return {
    close: async () => {
      closed = true;
      cancelUsage();
      for (const subscription of subscriptions) subscription.close();
      await Promise.all(chains.values());
    },
  };
}

/** The deployment of an instance's id, `<deployment>.<serial>`. */
function deploymentOf(instanceId: string): string {
  return instanceId.slice(0, Math.max(0, instanceId.lastIndexOf(".")));
}
