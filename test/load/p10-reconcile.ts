import type { Bus } from "@skep/kit/bus.ts";
import { DEFAULT_SETTINGS } from "@skep/core/world/world.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { createNatsBus } from "@skep/kit/nats-bus.ts";
import { createPool } from "@skep/kit/postgres.ts";
import { systemRandom } from "@skep/kit/random.ts";
import { createAbsorb } from "@skep/scheduler/loop/absorb.ts";
import { createAssignments } from "@skep/scheduler/loop/assignments.ts";
import { createBeats } from "@skep/scheduler/loop/beats.ts";
import { createHints } from "@skep/scheduler/loop/hints.ts";
import { createRecordsGuard } from "@skep/scheduler/loop/records-guard.ts";
import { createRemovals } from "@skep/scheduler/loop/removals.ts";
import { createSenders } from "@skep/scheduler/loop/senders.ts";
import { createReconcile } from "@skep/scheduler/loop/reconcile.ts";
import { createPostgresStore, SESSION_SETTINGS } from "@skep/scheduler/store/postgres/postgres-store.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import type { Bench, Measurement } from "./measurement.ts";
import { countRepairs } from "./p10-repairs.ts";
import { INSTANCES, makeDrift, NODES, nodeIds, RAW_DIGEST, seedRecords, takeOver } from "./p10-workload.ts";
import { playNodes } from "./played-nodes.ts";
import { duration, significant, type Result } from "./result.ts";
import { ratios } from "./rounds.ts";
import { sharedNats, sharedPostgres } from "./servers.ts";
import { median, worst } from "./statistics.ts";

const GOAL = 10;
const LEASE_MS = 3_600_000;

/**
 * From the moment the reconcile is due until every difference is repaired, against the one query it
 * cannot do without.
 */
export const p10: Measurement = {
  name: "P10",
  title: `minute reconcile of ${INSTANCES} instances on ${NODES} nodes with 0.1 % drift, against the raw digest query`,
  run: async bench => {
    const [postgres, nats] = await Promise.all([sharedPostgres(bench), sharedNats(bench)]);
    const pool = createPool({
      ...{ host: postgres.host, port: postgres.port, user: postgres.user, password: undefined, name: "load" },
      ...{ database: await postgres.createDatabase(), maxConnections: 12, onIdleError: () => undefined },
      ...{ statementTimeoutMs: 120_000, settings: SESSION_SETTINGS },
    });
    const records = createPostgresStore(pool);
    bench.defer("store", () => records.close());
    await records.migrate();
    await seedRecords(pool);
    const repairs = countRepairs(records);
    const lease = await records.takeLease("load", LEASE_MS);
    const log = createRecordingLog();
    const [bus, agents] = await connectTwo(bench, nats.url, log);
    const played = playNodes(agents, nodeIds());
    bench.defer("played nodes", async () => played.close());
    takeOver(played);

    const own = { clock: systemClock, log, random: systemRandom };
    const ports = { ...own, store: repairs.store, bus, loops: createLoops(own), settings: DEFAULT_SETTINGS };
    const senders = createSenders(ports);
    const [beats, hints] = [createBeats(ports, senders), createHints(bus, systemClock)];
    const absorb = createAbsorb(ports, {
      beats,
      hints,
      senders,
      records: { areOurs: () => true, isUnproven: () => false, unrecoveredMs: () => 0 },
      wake: () => undefined,
    });
    for (const [name, loop] of Object.entries({ beats, hints, absorb })) bench.defer(name, () => loop.close());
    const leadership = { ...lease, holds: () => true };
    const removals = createRemovals(ports.store, leadership);
    const assignments = createAssignments(ports, leadership, removals, () => undefined);
    const reconcile = createReconcile(ports, {
      leadership,
      guard: createRecordsGuard(ports, { leadership, beats, hints }),
      assignments,
      removals,
      beats,
      hints,
      senders,
      wake: () => undefined,
    });
    bench.defer("reconcile", () => reconcile.close());

    const allHeard = (): void => {
      for (const [nodeId, { beatSeq }] of played.nodes)
        if (beats.heard(nodeId)?.beat?.seq !== beatSeq) throw new Error(`no beat of ${nodeId} yet`);
    };
    /**
     * The next comparison sees all nodes as they are; a beat can be lost, so all of them beat until
     * all are heard.
     */
    const allBeat = (): Promise<void> =>
      eventually(async () => {
        played.beatAll();
        await eventually(allHeard, 2_000, 5);
      }, 30_000);
    const first = await repairs.settled(async () => {
      await allBeat();
      reconcile.soon();
    }, NODES);
    bench.say(`a new leader's first look, in which every node reports in full: ${duration(first)}`);

    const seen = { ours: [] as number[], raw: [] as number[] };
    const rounds = bench.rounds(7);
    for (let round = -1; seen.ours.length < rounds; round++) {
      repairs.reset();
      const drift = await makeDrift(pool, played, round);
      // Comparisons keep a second's distance; the minute that usually lies between them is not what
      // is measured.
      await sleep(1_000);
      await allBeat();
      const raw = await timed(() => pool.query(RAW_DIGEST));
      const ours = await repairs.until(() => reconcile.soon(), drift.expected);
      await drift.settle();
      // The first one warms up.
      if (round < 0 || ours === undefined) continue;
      seen.ours.push(ours);
      seen.raw.push(raw);
    }
    for (const [name, samples] of Object.entries(seen))
      bench.say(`${name}: median ${duration(median(samples))}, worst ${duration(worst(samples, "lower"))}`);
    bench.say(`ratio by round: ${ratios(seen.ours, seen.raw).map(significant).join(", ")}`);
    return judge(median(seen.ours), median(seen.raw));
  },
};

function judge(ours: number, baseline: number): Result {
  const ratio = ours / baseline;
  const holds = ratio <= GOAL;
  return {
    value: duration(ours),
    baseline: `digest-query:${duration(baseline)}`,
    ratio,
    goal: `<=${GOAL}`,
    holds,
    because: holds
      ? undefined
      : "The reports that differ are examined one after the other, each with reads and writes of its own; examining several at a time, or all in one statement, would shorten it.",
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function connectTwo(
  bench: Bench,
  url: string,
  log: ReturnType<typeof createRecordingLog>,
): Promise<readonly [Bus, Bus]> {
  const connect = (name: string): Bus => {
    const bus = createNatsBus({ servers: [url], name, log });
    bench.defer(`bus of ${name}`, () => bus.close());
    return bus;
  };
  const both = [connect("scheduler"), connect("agents")] as const;
  await eventually(() => {
    if (!both.every(bus => bus.connected())) throw new Error("NATS does not answer");
  });
  return both;
}
