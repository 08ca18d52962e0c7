import { setTimeout as sleep } from "node:timers/promises";
import type { Bus } from "@skep/kit/bus.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createNatsBus } from "@skep/kit/nats-bus.ts";
import { createPool } from "@skep/kit/postgres.ts";
import type { SkepClient } from "@skep/sdk/index.ts";
import { connect as connectClient } from "@skep/sdk/node.ts";
import { eventually } from "../support/eventually.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import type { Bench, Measurement } from "./measurement.ts";
import { openRequests, type Requests } from "./p3-requests.ts";
import { playNodes } from "./played-nodes.ts";
import { duration, significant, type Result } from "./result.ts";
import { startScheduler, type SchedulerProcess } from "../support/scheduler-process.ts";
import { sharedNats, sharedPostgres } from "./servers.ts";
import { median, quantile } from "./statistics.ts";

const GOAL = 4;
const RATE_P99_MS = 20;
const RATE_EVERY_MS = 10;
const RATE_COUNT = 200;
const BESIDE = 1_000;
const BESIDE_GOAL = 1.5;
const NODES = 5;
const PER_ROUND = 20;
const WARM_UP = 50;
/**
 * Before each request: longer than what the one before leaves behind, so that none waits for
 * another. The raw pieces get the same pause, since whoever wakes up on an idle machine takes
 * longer than whoever is running.
 */
const PAUSE_MS = 60;

/** From the call of `createDeployment` to the arrival of the assignment at the node's agent. */
export const p3: Measurement = {
  name: "P3",
  title: "request to command at the agent, against one Postgres commit and two NATS round trips",
  run: async bench => {
    const [postgres, nats] = await Promise.all([sharedPostgres(bench), sharedNats(bench)]);
    const database = await postgres.createDatabase();
    const scheduler = await startScheduler(postgres, database, nats);
    bench.defer("scheduler", () => scheduler.close());
    const log = createRecordingLog();
    const connect = (name: string): Bus => {
      const bus = createNatsBus({ servers: [nats.url], name, log });
      bench.defer(`bus of ${name}`, () => bus.close());
      return bus;
    };
    const [agents, pinger, echo] = [connect("agents"), connect("pinger"), connect("echo")];
    await eventually(() => {
      if (![agents, pinger, echo].every(bus => bus.connected())) throw new Error("NATS does not answer");
    });
    const nodes = playNodes(
      agents,
      Array.from({ length: NODES }, (_, index) => `load-${index + 1}`),
    );
    bench.defer("played nodes", async () => nodes.close());
    await nodes.reportAll();
    nodes.keepBeating();
    const client = connectClient({ url: scheduler.apiUrl });
    await untilReady(client);
    const raw = await openRaw(bench, postgres, pinger, echo);
    const requests = openRequests(agents, client, nodes);

    // A scheduler that has worked for a while is what is measured: its first hundreds of requests
    // run unoptimized.
    for (let index = 0; index < bench.rounds(10); index++) {
      await requests.many(WARM_UP, 20);
      await requests.clear();
    }
    const seen = { ours: [] as number[], commit: [] as number[], roundTrip: [] as number[] };
    const perRound: number[] = [];
    const hot: number[] = [];
    for (let round = 0; round < bench.rounds(10); round++) {
      const commit = await times(PER_ROUND, afterPause(raw.commit));
      const ours = await times(
        PER_ROUND,
        afterPause(() => requests.one()),
      );
      const roundTrip = await times(PER_ROUND, afterPause(raw.roundTrip));
      hot.push(median(await times(PER_ROUND, raw.commit)) + 2 * median(await times(PER_ROUND, raw.roundTrip)));
      await requests.clear();
      seen.ours.push(...ours);
      seen.commit.push(...commit);
      seen.roundTrip.push(...roundTrip);
      perRound.push(median(ours) / (median(commit) + 2 * median(roundTrip)));
    }
    bench.say(
      `one Postgres commit: p50 ${duration(median(seen.commit))}, p99 ${duration(quantile(seen.commit, 0.99))}`,
    );
    bench.say(
      `one NATS round trip: p50 ${duration(median(seen.roundTrip))}, p99 ${duration(quantile(seen.roundTrip, 0.99))}`,
    );
    bench.say(
      `request to command: p50 ${duration(median(seen.ours))}, p99 ${duration(quantile(seen.ours, 0.99))}, worst ${duration(Math.max(...seen.ours))}, ${seen.ours.length} requests`,
    );
    bench.say(
      `the raw pieces back to back, without a pause: ${duration(median(hot))}; a request would be ${significant(median(seen.ours) / median(hot))} times that`,
    );
    bench.say(
      `ratio by round: best ${significant(Math.min(...perRound))}, worst ${significant(Math.max(...perRound))}`,
    );
    const also = { rate: await atRate(bench, requests), beside: await beside(bench, requests, scheduler) };
    return { ...judge(median(seen.ours), median(seen.commit) + 2 * median(seen.roundTrip)), also };
  },
};

function judge(ours: number, baseline: number): Result {
  const ratio = ours / baseline;
  const holds = ratio <= GOAL;
  return {
    value: duration(ours),
    baseline: duration(baseline),
    ratio,
    goal: `<=${GOAL}`,
    holds,
    because: holds
      ? undefined
      : "A request is, one after the other, an HTTP/2 call, the commit of the wish, a read of what changed, the commit of the plan and a publish, on cores that client, scheduler, database and bus share. Cores of their own would change it.",
  };
}

/** One request begun each 10 ms, whether or not those before have arrived. */
async function atRate(bench: Bench, requests: Requests): Promise<Result> {
  const alone = await times(
    PER_ROUND,
    afterPause(() => requests.one()),
  );
  await requests.clear();
  const busy: number[] = [];
  for (let round = 0; round < bench.rounds(5); round++) {
    const samples = await requests.many(RATE_COUNT, RATE_EVERY_MS);
    bench.say(`100 requests a second: p50 ${duration(median(samples))}, p99 ${duration(quantile(samples, 0.99))}`);
    busy.push(...samples);
    await requests.clear();
  }
  const [ours, baseline] = [quantile(busy, 0.99), median(alone)];
  const holds = ours <= RATE_P99_MS;
  return {
    value: `p99:${duration(ours)}`,
    baseline: `alone-p50:${duration(baseline)}`,
    ratio: ours / baseline,
    goal: `p99<=${RATE_P99_MS}ms`,
    holds,
    because: holds
      ? undefined
      : "A request waits for the look that is under way and then takes part in the next one; client, scheduler, database and bus share the cores, so a burst of theirs is waited for as well.",
  };
}

/** One request at a time, on a platform that runs many other deployments and on an empty one. */
async function beside(bench: Bench, requests: Requests, scheduler: SchedulerProcess): Promise<Result> {
  const some = async (where: string): Promise<number[]> => {
    const before = scheduler.processorMs();
    const samples = await times(
      2 * PER_ROUND,
      afterPause(() => requests.one()),
    );
    const each = (scheduler.processorMs() - before) / samples.length;
    bench.say(`${where}: p50 ${duration(median(samples))}, the scheduler's processor ${duration(each)} per request`);
    return samples;
  };
  const empty = await some("on the empty platform");
  await requests.clear();
  await requests.many(bench.rounds(BESIDE), 15);
  const crowded = await some(`beside ${bench.rounds(BESIDE)} deployments`);
  const ratio = median(crowded) / median(empty);
  const holds = ratio <= BESIDE_GOAL;
  return {
    value: duration(median(crowded)),
    baseline: `empty:${duration(median(empty))}`,
    ratio,
    goal: `<=${BESIDE_GOAL}`,
    holds,
    because: holds
      ? undefined
      : `Beside ${bench.rounds(BESIDE)} deployments: a node is told all that it runs, and its agent reads all of it. Telling only what changed would change it.`,
  };
}

function afterPause(one: () => Promise<number>): () => Promise<number> {
  return async () => {
    await sleep(PAUSE_MS);
    return one();
  };
}

async function times(count: number, one: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let index = 0; index < count; index++) samples.push(await one());
  return samples;
}

async function untilReady(client: SkepClient): Promise<void> {
  await eventually(async () => {
    const { nodes } = await client.nodes.listNodes({});
    if (nodes.length < NODES) throw new Error(`only ${nodes.length} of ${NODES} nodes are recorded`);
    const preview = await client.platform.getStatus({});
    if (preview.nodes["ready"] !== NODES) throw new Error("not every node is ready");
  }, 15_000);
}

/**
 * What the machine itself needs: a row written and committed, a request and its reply through the
 * bus.
 */
async function openRaw(
  bench: Bench,
  postgres: PostgresServer,
  pinger: Bus,
  echo: Bus,
): Promise<Readonly<Record<"commit" | "roundTrip", () => Promise<number>>>> {
  const pool = createPool({
    ...{ host: postgres.host, port: postgres.port, user: postgres.user, password: undefined },
    ...{ database: await postgres.createDatabase(), maxConnections: 1, name: "load", onIdleError: () => undefined },
  });
  bench.defer("pool", () => pool.end());
  await pool.query("CREATE TABLE rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL)");
  echo.subscribe("load.echo", message => message.reply(message.data));
  const data = new Uint8Array(256);
  const timed = (work: () => Promise<unknown>) => async (): Promise<number> => {
    const startedAt = performance.now();
    await work();
    return performance.now() - startedAt;
  };
  const raw = {
    commit: timed(() => pool.query({ name: "commit", text: "INSERT INTO rows (note) VALUES ($1)", values: ["load"] })),
    roundTrip: timed(() => pinger.request("load.echo", data, { timeoutMs: 5_000 })),
  };
  await times(20, raw.commit);
  await eventually(() => raw.roundTrip());
  await times(20, raw.roundTrip);
  return raw;
}
