import { createAgent } from "@skep/agent/create-agent.ts";
import type { Engine } from "@skep/agent/engine/engine.ts";
import { createMemoryJournal } from "@skep/agent/loop/journal.ts";
import { createMemoryMemo } from "@skep/agent/loop/memo.ts";
import { networkProber } from "@skep/agent/loop/prober.ts";
import { noRegistries } from "@skep/agent/loop/registry-auth.ts";
import { noGuard } from "@skep/agent/guard/guard.ts";
import { noSampler } from "@skep/agent/node/sampler.ts";
import { encodeAssignment, encodeFetchReply } from "@skep/api/codec/assignment.ts";
import { decodeReport, encodeReportAck } from "@skep/api/codec/report.ts";
import { everyNode, nodeSubject } from "@skep/api/subjects.ts";
import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createMemoryNetwork } from "@skep/kit/memory-bus.ts";
import { systemIds, systemRandom } from "@skep/kit/random.ts";

/**
 * A real agent on a real engine, and a scheduler that only tells it what to run and hears its
 * reports.
 */
export interface LoneAgent {
  /** Assigns these and answers in how many ms the agent reported that the last of them runs. */
  runToRunning(instances: readonly AssignedInstance[]): Promise<number>;
  /** Ends what was assigned last, and resolves when nothing of it is left. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts it on the engine, which is in a Swarm; the bus between the two is in memory. It has the
 * given start limit, or the one that agents have unless an operator says otherwise.
 */
export async function startLoneAgent(engine: Engine, startLimit?: number): Promise<LoneAgent> {
  const network = createMemoryNetwork(systemClock);
  const scheduler = network.connect("scheduler");
  const nodeId = (await engine.facts()).nodeId ?? "";
  let assignment: Assignment = {
    ...{ nodeId, incarnation: "load", succeeds: [], term: 1, revision: 1, availability: "active" },
    ...{ stamps: [], instances: [], removals: [], volumeRemovals: [] },
  };
  let heard: (running: ReadonlySet<string>, gone: ReadonlySet<string>) => void = () => undefined;
  const running = new Set<string>();
  const gone = new Set<string>();
  scheduler.subscribe(everyNode("report"), message => {
    const report = decodeReport(message.data);
    message.reply(encodeReportAck({ accepted: true, needFull: false, because: "" }));
    for (const { instanceId, state } of report.statuses) if (state === "running") running.add(instanceId);
    for (const { instanceId } of report.gone) gone.add(instanceId);
    heard(running, gone);
  });
  scheduler.subscribe(everyNode("fetch"), message => message.reply(encodeFetchReply(assignment)));
  const agent = createAgent({
    engine,
    bus: network.connect("agent"),
    clock: systemClock,
    random: systemRandom,
    ids: systemIds,
    log: createRecordingLog(),
    journal: createMemoryJournal(),
    healthyMemo: createMemoryMemo(),
    imagesMemo: createMemoryMemo(),
    directoryMemo: createMemoryMemo(),
    prober: networkProber,
    sampler: noSampler,
    guard: noGuard,
    registries: noRegistries,
    machineBootId: "load",
    limits: { portFrom: 20_000, portTo: 29_999, maxInstances: 1_000 },
    sandboxImage: "skep/pause:latest",
    startLimit,
    agentVersion: "0",
  });
  const listening = new Promise<void>(resolve => {
    heard = () => resolve();
  });
  await agent.start();
  await listening;

  function assign(instances: readonly AssignedInstance[], isDone: () => boolean): Promise<number> {
    const startedAt = performance.now();
    running.clear();
    gone.clear();
    assignment = { ...assignment, revision: assignment.revision + 1, instances };
    return new Promise((resolve, reject) => {
      const tooLate = setTimeout(
        () =>
          reject(
            new Error(
              `the agent has not done within 2 minutes what it was told; ${agent.trouble() ?? "it sees no trouble"}`,
            ),
          ),
        120_000,
      );
      heard = () => {
        if (!isDone()) return;
        clearTimeout(tooLate);
        resolve(performance.now() - startedAt);
      };
      scheduler.publish(nodeSubject("assign", nodeId), encodeAssignment(assignment));
    });
  }

  return {
    runToRunning: instances => assign(instances, () => instances.every(one => running.has(one.instanceId))),
    clear: async () => {
      const ending = assignment.instances.map(one => ({ ...one, desired: "stop" as const }));
      if (ending.length > 0) await assign(ending, () => ending.every(one => gone.has(one.instanceId)));
      assignment = { ...assignment, revision: assignment.revision + 1, instances: [] };
      scheduler.publish(nodeSubject("assign", nodeId), encodeAssignment(assignment));
    },
    close: () => agent.stop(),
  };
}
