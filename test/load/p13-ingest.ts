import { run } from "@skep/deploy/programs/run.ts";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { databaseName } from "@skep/workspace/database/name.ts";
import { MongoClient, type Collection } from "mongodb";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startMongodServer } from "../support/mongod-server.ts";
import { startMosquittoServer, type MosquittoServer } from "../support/mosquitto-server.ts";
import { processorMs } from "../support/processor.ts";
import { programVersion } from "./machine.ts";
import type { Bench, Measurement } from "./measurement.ts";
import { startOurs, startReference, type Gateway } from "./p13-gateways.ts";
import { rate, significant, type Result } from "./result.ts";
import { interleave } from "./rounds.ts";
import { median } from "./statistics.ts";

/** What is published in a round at most; a slow machine publishes less. */
const MESSAGES = { reference: 4_000, ours: 400_000, instant: 400_000 };
const PUBLISH_SECONDS = 4;
const GOAL = { ratio: 25, instantPerSecond: 60_000, processorUs: 15 };
const POLL_MS = 20;
const LONGEST_MS = 120_000;

/** From the first publish until the last message is stored, everything on this machine. */
export const p13: Measurement = {
  name: "P13",
  title: "messages stored per second at QoS 1, against one insert per message",
  run: async bench => {
    const broker = await startMosquittoServer();
    bench.defer("mosquitto", () => broker.close());
    const mongod = await startMongodServer(1);
    bench.defer("mongod", () => mongod.close());
    await sayEngines(bench);
    const client = await new MongoClient(mongod.url).connect();
    bench.defer("mongo client", () => client.close());
    const ours = client.db(databaseName("acme")).collection("messages");
    const reference = client.db("mongogw").collection("devices");
    const processor = { ours: [] as number[], reference: [] as number[], instant: [] as number[] };
    const beside: Record<keyof typeof MESSAGES, Beside[]> = { ours: [], reference: [], instant: [] };

    async function measure(kind: keyof typeof MESSAGES, start: () => Promise<Gateway>): Promise<number> {
      const into = { ours, reference, instant: undefined }[kind];
      await into?.deleteMany({});
      const gateway = await start();
      try {
        const topic = kind === "reference" ? "device/%" : "acme/devices/%/telemetry/position";
        const before = gateway.processorMs();
        const brokerBefore = processorMs(broker.pid());
        const { count, seconds, publisherUs } = await untilStored(broker, topic, MESSAGES[kind], () =>
          into === undefined ? (gateway.stored() ?? 0) : into.estimatedDocumentCount(),
        );
        processor[kind].push(((gateway.processorMs() - before) * 1_000) / count);
        const brokerUs = ((processorMs(broker.pid()) - brokerBefore) * 1_000) / count;
        beside[kind].push({ brokerUs, publisherUs: publisherUs / count });
        if (kind === "ours") await refuseLoss(ours, count);
        return count / seconds;
      } finally {
        await gateway.close();
      }
    }

    const samples = await interleave(bench.rounds(3), {
      reference: () => measure("reference", () => startReference(broker, mongod.url)),
      ours: () => measure("ours", () => startOurs(broker, mongod.url)),
      instant: () => measure("instant", () => startOurs(broker)),
    });
    for (const [name, all] of Object.entries(samples)) bench.say(`${name}: ${all.map(one => rate(one)).join(", ")}`);
    for (const name of Object.keys(samples) as (keyof typeof MESSAGES)[]) {
      const [broker, publisher] = [
        us(beside[name].map(one => one.brokerUs)),
        us(beside[name].map(one => one.publisherUs)),
      ];
      bench.say(`${name}: processor ${us(processor[name])} each, broker ${broker}, publisher ${publisher}`);
    }
    return judge(samples, processor);
  },
};

/** Processor time for a message of those that share the machine. */
interface Beside {
  readonly brokerUs: number;
  readonly publisherUs: number;
}

/**
 * Publishes. Answers how many the broker took, after how many seconds all were stored, and what
 * processor time all of it took the publisher.
 */
async function untilStored(
  broker: MosquittoServer,
  topic: string,
  most: number,
  stored: () => number | Promise<number>,
): Promise<{ readonly count: number; readonly seconds: number; readonly publisherUs: number }> {
  const args = [String(broker.port), String(most), String(PUBLISH_SECONDS), topic];
  const program = join(import.meta.dirname, "p13-publisher.ts");
  const said = await run([process.execPath, program, ...args], { timeoutMs: LONGEST_MS });
  const [count = 0, begunAt = 0, publisherUs = 0] = said.split(" ").map(Number);
  for (let now = await stored(); now < count; now = await stored()) {
    if (Date.now() - begunAt > LONGEST_MS) throw new Error(`${now} of ${count} messages were stored`);
    await sleep(POLL_MS);
  }
  return { count, seconds: (Date.now() - begunAt) / 1_000, publisherUs };
}

/** What was published is stored, and nothing twice: else the rate says nothing. */
async function refuseLoss(messages: Collection, count: number): Promise<void> {
  const [seen] = await messages
    .aggregate<{ all: number; distinct: number }>([
      { $group: { _id: "$value.n", times: { $sum: 1 } } },
      { $group: { _id: null, all: { $sum: "$times" }, distinct: { $sum: 1 } } },
    ])
    .toArray();
  if (seen?.all === count && seen.distinct === count) return;
  throw new Error(`${count} published, ${seen?.all ?? 0} stored, ${seen?.distinct ?? 0} of them distinct`);
}

type Samples = Readonly<Record<keyof typeof MESSAGES, readonly number[]>>;

function judge(rates: Samples, processor: Samples): Result {
  const [reference, ours, instant] = [median(rates.reference), median(rates.ours), median(rates.instant)];
  const each = median(processor.instant);
  const holds = ours / reference >= GOAL.ratio;
  return {
    value: rate(ours),
    baseline: `one-by-one:${rate(reference)}`,
    ratio: ours / reference,
    goal: `>=${GOAL.ratio}`,
    holds,
    because: holds
      ? undefined
      : "Publisher, broker, gateway and mongod share the cores of this machine; the processor times above say which of them is the narrow one.",
    also: {
      instant: {
        value: rate(instant),
        baseline: `mongod:${rate(ours)}`,
        ratio: instant / ours,
        goal: `>=${GOAL.instantPerSecond}/s`,
        holds: instant >= GOAL.instantPerSecond,
        because:
          "The store answers at once: what is left is the publisher, the broker and the pipeline, on the same cores. The processor times above bound the rate: cores divided by their sum.",
      },
      processor: {
        value: us(processor.instant),
        baseline: `one-by-one:${us(processor.reference)}`,
        ratio: each / median(processor.reference),
        goal: `<=${GOAL.processorUs}us`,
        holds: each <= GOAL.processorUs,
        because: `With MongoDB's driver it is ${us(processor.ours)}.`,
      },
    },
  };
}

function us(samples: readonly number[]): string {
  return `${significant(median(samples))}us`;
}

async function sayEngines(bench: Bench): Promise<void> {
  const mongod = await resolveProgram("mongod");
  bench.engine("MongoDB", `${await programVersion(mongod.path)} (${mongod.how})`);
  const mosquitto = await resolveProgram("mosquitto");
  bench.engine("Mosquitto", `(${mosquitto.how})`);
}
