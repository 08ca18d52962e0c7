import { decodeFetch, encodeFetchReply, type AssignmentFetch } from "@skep/api/codec/assignment.ts";
import { decodeReport, encodeReportAck, type Report } from "@skep/api/codec/report.ts";
import { decodeSwarmNodes, type SwarmNodes } from "@skep/api/codec/swarm.ts";
import { ABSORB_QUEUE, everyNode, SUBJECTS } from "@skep/api/subjects.ts";
import type { BusMessage, BusSubscription } from "@skep/kit/bus.ts";
import type { Beats } from "./beats.ts";
import type { Hints } from "./hints.ts";
import type { LoopPorts, Running } from "./ports.ts";
import { createTurns } from "./turns.ts";
import { createUsageBuffer } from "./usage-buffer.ts";

/** What absorb works with beside the ports. */
export interface AbsorbOptions {
  readonly beats: Beats;
  readonly hints: Hints;
  /** Tells the leader, whoever that is, that there is something to look at. */
  readonly wake: (because: string) => void;
}

/**
 * Writes what agents say into the status columns, and answers them. Every replica does it; the queue group gives each
 * message to one of them. A message that could not be written gets no answer: its agent sends it again.
 */
export function createAbsorb(ports: LoopPorts, options: AbsorbOptions): Running {
  const { store, bus, clock, log, loops } = ports;
  const { beats, hints } = options;
  const outage = loops.watch("absorb");
  const turns = createTurns(outage);
  const usage = createUsageBuffer(ports);

  async function saveReport(report: Report, message: BusMessage): Promise<void> {
    const now = clock.now();
    if (report.facts !== undefined) await store.saveFacts(report.facts, now);
    const saved = await store.saveReport(report, now);
    message.reply(encodeReportAck({ accepted: saved.accepted, needFull: saved.needFull }));
    usage.add(report.usage);
    if (saved.changed || report.facts !== undefined || report.gone.length > 0) {
      options.wake(`report of ${report.nodeId}`);
      const instances = [...report.statuses, ...report.gone].map(one => one.instanceId);
      hints.tell({ nodeIds: [report.nodeId], deploymentIds: instances.map(deploymentOf) });
    }
  }

  async function answerFetch({ nodeId, term, revision }: AssignmentFetch, message: BusMessage): Promise<void> {
    const assignment = await store.loadAssignment(nodeId);
    const isCurrent = assignment?.term === term && assignment.revision === revision;
    message.reply(encodeFetchReply(isCurrent ? undefined : assignment));
  }

  async function saveSwarm({ nodes }: SwarmNodes): Promise<void> {
    if (!(await store.saveSwarmNodes(nodes, clock.now()))) return;
    options.wake("the Swarm's list of nodes changed");
    hints.tell({ nodeIds: nodes.map(node => node.nodeId) });
  }

  /** A message that cannot be read is its sender's fault and says nothing of the loop. */
  function absorb(subject: string, kind: string, handle: (message: BusMessage) => void): BusSubscription {
    const guarded = (message: BusMessage): void => {
      try {
        handle(message);
      } catch (error) {
        const fields = { subject: message.subject, error };
        log.warn("message.unreadable", `A ${kind} could not be read; update the older side.`, fields);
      }
    };
    return bus.subscribe(subject, guarded, { queue: ABSORB_QUEUE });
  }

  const subscriptions = [
    absorb(everyNode("report"), "report", message => {
      const report = decodeReport(message.data);
      beats.note(report.nodeId);
      turns.take(report.nodeId, () => saveReport(report, message));
    }),
    absorb(everyNode("fetch"), "fetch", message => {
      const fetch = decodeFetch(message.data);
      beats.note(fetch.nodeId);
      void answerFetch(fetch, message).then(outage.succeeded, outage.failed);
    }),
    absorb(SUBJECTS.swarm, "list of Swarm nodes", message => {
      const list = decodeSwarmNodes(message.data);
      turns.take(SUBJECTS.swarm, () => saveSwarm(list));
    }),
  ];
  return {
    close: async () => {
      for (const subscription of subscriptions) subscription.close();
      await Promise.all([usage.close(), turns.close()]);
      outage.close();
    },
  };
}

/** The deployment of an instance's id, `<deployment>.<serial>`. */
function deploymentOf(instanceId: string): string {
  return instanceId.slice(0, Math.max(0, instanceId.lastIndexOf(".")));
}
