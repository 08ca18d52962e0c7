import { deploymentOf } from "@skep/core/model/instance-id.ts";
import { decodeReport, encodeReportAck, endsFull, type Report } from "@skep/api/codec/report.ts";
import { decodeSwarmNodes, type SwarmNodes } from "@skep/api/codec/swarm.ts";
import { everyNode } from "@skep/api/subjects.ts";
import type { BusMessage } from "@skep/kit/bus.ts";
import { swarmAddress } from "../store/swarm-address.ts";
import { createAddressNotes } from "./address-notes.ts";
import { answerAgents, type JudgedRecords } from "./answers.ts";
import type { Beats } from "./beats.ts";
import { CLONE_WORD } from "./clones.ts";
import type { Hints } from "./hints.ts";
import { createListen } from "./listen.ts";
import type { LoopPorts, Running } from "./ports.ts";
import { holdingOf, UNPROVEN_WORD } from "./records-guard.ts";
import { createReportWake } from "./report-wake.ts";
import type { Senders } from "./senders.ts";
import { believes, createDisbelief } from "./swarm-belief.ts";
import { createTurns } from "./turns.ts";
import { createUnreadable } from "./unreadable.ts";
import { createUsageBuffer } from "./usage-buffer.ts";

const REFUSED = { accepted: false, needFull: false, because: CLONE_WORD };
const UNPROVEN = { accepted: false, needFull: false, because: UNPROVEN_WORD };

/** What absorb works with beside the ports. */
export interface AbsorbOptions {
  readonly beats: Beats;
  readonly hints: Hints;
  readonly senders: Senders;
  readonly records: JudgedRecords;
  /** Tells the leader, whoever that is, that there is something to look at. */
  readonly wake: (because: string) => void;
}

/**
 * Writes what agents say into the status columns, and answers them. Every replica does it; the
 * queue group gives each message to one of them. A message that could not be written gets no
 * answer: its agent sends it again.
 */
export function createAbsorb(ports: LoopPorts, options: AbsorbOptions): Running {
  const { store, clock, loops } = ports;
  const { beats, hints, senders } = options;
  const outage = loops.watch("absorb");
  const turns = createTurns(outage);
  const usage = createUsageBuffer(ports);
  const reportWake = createReportWake(clock, options.wake);

  async function saveReport(report: Report, message: BusMessage): Promise<void> {
    const now = clock.now();
    const { facts, volumes } = report;
    if (facts !== undefined) addresses.tell(facts.nodeId, facts.address, await store.saveFacts(facts, now));
    const saved = await store.saveReport({ ...report, full: endsFull(report) }, now);
    const hasVolumes = saved.fresh && volumes !== undefined && (await store.saveVolumes(report.nodeId, volumes, now));
    message.reply(encodeReportAck({ accepted: saved.accepted, needFull: saved.needFull, because: "" }));
    usage.add(report.usage);
    if (hasVolumes || saved.changed || report.facts !== undefined || report.gone.length > 0) {
      reportWake.soon(`report of ${report.nodeId}`);
      const instances = [...report.statuses, ...report.gone].map(one => one.instanceId);
      hints.tell({ nodeIds: [report.nodeId], deploymentIds: instances.map(deploymentOf) });
    }
  }

  async function saveSwarm(list: SwarmNodes): Promise<void> {
    const { nodes } = list;
    const known = await store.listNodes();
    if (!believes(list, known, beats)) return disbelief.tell(list);
    if (!(await store.saveSwarmNodes(nodes, clock.now()))) return;
    const before = new Map(known.map(({ node }) => [node.id, node.address]));
    for (const { nodeId, address } of nodes) addresses.tell(nodeId, before.get(nodeId) ?? "", swarmAddress(address));
    options.wake("the Swarm's list of nodes changed");
    hints.tell({ nodeIds: nodes.map(node => node.nodeId) });
  }

  /** Whether every id in a message is the one of its subject. */
  function areOf(subject: string, ...claimed: readonly (string | undefined)[]): boolean {
    return claimed.every(one => one === undefined || senders.isGenuine(subject, one));
  }

  const addresses = createAddressNotes(ports);
  const disbelief = createDisbelief(ports);
  const unreadable = createUnreadable(ports, "message.unreadable");
  const listen = createListen(ports, unreadable);
  const subscriptions = [
    listen(everyNode("report"), "report", message => {
      const report = decodeReport(message.data);
      if (!areOf(message.subject, report.nodeId, report.facts?.nodeId)) return;
      if (beats.isRefused(report.nodeId, report.sessionId)) return message.reply(encodeReportAck(REFUSED));
      if (options.records.isUnproven(holdingOf(report))) return message.reply(encodeReportAck(UNPROVEN));
      beats.note(report.nodeId);
      for (const one of report.unreadable) unreadable.tell("part of a report", message.subject, one.because);
      turns.take(report.nodeId, () => saveReport(report, message));
    }),
    ...answerAgents(ports, { beats, senders, outage, listen, records: options.records }),
    listen(everyNode("swarm"), "list of Swarm nodes", message => {
      const list = decodeSwarmNodes(message.data);
      if (!senders.isGenuine(message.subject, list.managerNodeId)) return;
      turns.take("swarm", () => saveSwarm(list));
    }),
  ];
  return {
    close: async () => {
      for (const subscription of subscriptions) subscription.close();
      for (const alarms of [disbelief, addresses, unreadable]) alarms.close();
      await Promise.all([usage.close(), turns.close()]);
      reportWake.close();
      outage.close();
    },
  };
}
