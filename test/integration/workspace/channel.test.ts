import { createRecordingLog } from "@skep/kit/log.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { systemRandom } from "@skep/kit/random.ts";
import type { MessageDocument } from "@skep/workspace/message.ts";
import type { Reader, ReaderState } from "@skep/workspace/channel/delivery.ts";
import { leaveSession } from "@skep/workspace/channel/leave-session.ts";
import { openReader } from "@skep/workspace/channel/reader.ts";
import type { ReaderSettings } from "@skep/workspace/channel/settings.ts";
import { createPipeline, type Pipeline } from "@skep/workspace/ingest/pipeline.ts";
import { createTwinDatabase, type TwinDatabase } from "@skep/workspace/testing/twin-database.ts";
import { connectAsync } from "mqtt";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startMosquittoServer, type MosquittoServer } from "../../support/mosquitto-server.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function startBroker(config?: (directory: string) => Promise<string>): Promise<MosquittoServer> {
  const broker = await startMosquittoServer(config);
  ends.push(() => broker.close());
  return broker;
}

interface Owner {
  readonly reader: Reader;
  readonly pipeline: Pipeline;
  readonly states: ReaderState[];
  own(isOwner: boolean): void;
}

function settingsFor(broker: MosquittoServer, more: Partial<ReaderSettings> = {}): ReaderSettings {
  return {
    ...{ url: broker.url, username: "", password: "", clientId: "skep-ws-acme", filters: ["acme/devices/#"] },
    ...{ receiveMaximum: 100, sessionExpirySeconds: 3_600, keepaliveSeconds: 10, ...more },
  };
}

/** One owner of the workspace: its reader and its pipeline. */
function openOwner(broker: MosquittoServer, database: TwinDatabase, more: Partial<ReaderSettings> = {}): Owner {
  const states: ReaderState[] = [];
  let isOwner = true;
  const reader = openReader(
    settingsFor(broker, more),
    { delivered: one => pipeline.take(one), changed: state => states.push(state) },
    { clock: systemClock, random: systemRandom, mayRead: () => isOwner },
  );
  const pipeline = createPipeline(
    {
      ...{ reader, database, clock: systemClock, random: systemRandom, log: createRecordingLog() },
      rules: {
        process: messages => ({
          documents: messages.map(({ key, topic, payload, receivedAt }): MessageDocument => ({
            ...{ _id: key, deviceId: topic.deviceId, category: topic.category, type: topic.type },
            ...{ at: new Date(receivedAt), receivedAt: new Date(receivedAt), value: Buffer.from(payload).toString() },
          })),
          ...{ dead: [], effects: [], events: [] },
        }),
        act: async () => undefined,
      },
      events: { emit: () => undefined },
    },
    { workspaceId: "acme", batch: { most: 50, waitMs: 5 }, maxPayload: 65_536, mayRead: () => isOwner },
  );
  ends.push(async () => {
    await reader.close();
    await pipeline.close();
  });
  return { reader, pipeline, states, own: wanted => void (isOwner = wanted) };
}

/** Publishes numbers from `first` on, at QoS 1, and answers those that the broker took. */
async function publish(broker: MosquittoServer, first: number, count: number): Promise<readonly string[]> {
  const client = await connectAsync(broker.url, { reconnectPeriod: 0 });
  const taken: string[] = [];
  await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const text = String(first + at);
      await client.publishAsync(`acme/devices/d${at % 7}/telemetry/count`, text, { qos: 1 });
      taken.push(text);
    }),
  );
  await client.endAsync();
  return taken;
}

/** Publishes what cannot be told apart. */
async function publishAlike(broker: MosquittoServer, count: number): Promise<void> {
  const client = await connectAsync(broker.url, { reconnectPeriod: 0 });
  for (let sent = 0; sent < count; sent += 1)
    await client.publishAsync("acme/devices/d1/telemetry/beat", "alive", { qos: 1 });
  await client.endAsync();
}

function storedIn(database: TwinDatabase): readonly string[] {
  return [...database.stored.values()].map(one => String(one.value)).toSorted((a, b) => Number(a) - Number(b));
}

const connected = (owner: Owner): Promise<void> =>
  eventually(() => expect(owner.reader.state().kind).toBe("connected"));

describe("a workspace's channel on a real broker", () => {
  it("stores what the broker took, once, while the database fails now and then", async () => {
    const broker = await startBroker();
    const database = createTwinDatabase();
    let calls = 0;
    database.after = () => {
      calls += 1;
      if (calls % 3 === 0) throw new Error("the answer is lost");
    };
    await connected(openOwner(broker, database));
    const taken = await publish(broker, 1, 1_000);
    await eventually(() => expect(storedIn(database)).toEqual(taken.toSorted((a, b) => Number(a) - Number(b))), 20_000);
  });

  it("takes no message for one of a session before, though all are alike and their numbers are", async () => {
    const [source, target] = [await startBroker(), await startBroker()];
    const database = createTwinDatabase();
    const first = openOwner(source, database);
    await connected(first);
    await publishAlike(source, 10);
    await eventually(() => expect(database.stored.size).toBe(10));
    // A move: looking after the target's session draws what waits there before anybody reads it.
    await leaveSession(settingsFor(target), systemClock);
    await publishAlike(target, 5);
    await leaveSession(settingsFor(target), systemClock);
    first.own(false);
    await first.reader.close();
    const second = openOwner(target, database);
    await connected(second);
    await eventually(() => expect(database.stored.size).toBe(15));
    expect(second.pipeline.counts().repeated).toBeGreaterThan(0);
    // An owner that dies while the database is away, in this young session, and a broker that ends.
    database.before = () => Promise.reject(new Error("away"));
    await publishAlike(target, 3);
    await eventually(() => expect(second.pipeline.counts().read).toBe(18 - 10));
    second.own(false);
    await second.reader.close();
    database.before = () => undefined;
    await target.stop();
    await target.start();
    const third = openOwner(target, database);
    await eventually(() => expect(third.pipeline.counts().repeated).toBe(3));
    expect(database.stored.size).toBe(18);
  });

  it("stores once what its owner stored and could not acknowledge before another took over", async () => {
    const broker = await startBroker();
    const database = createTwinDatabase();
    const first = openOwner(broker, database);
    await connected(first);
    // It stores, and loses the workspace before it may acknowledge.
    database.after = () => first.own(false);
    const taken = await publish(broker, 1, 300);
    await eventually(() => expect(database.stored.size).toBeGreaterThan(0));
    const before = database.stored.size;
    expect(before).toBeLessThan(300);
    database.after = () => undefined;
    const second = openOwner(broker, database);
    await eventually(() => expect(storedIn(database)).toHaveLength(300), 20_000);
    expect(storedIn(database)).toEqual(taken.toSorted((a, b) => Number(a) - Number(b)));
    expect(second.pipeline.counts().repeated).toBeGreaterThanOrEqual(before);
    // The old one is told nothing by the broker, and leaves the session to the new one.
    await eventually(() => expect(first.reader.state().kind).toBe("away"));
    await publish(broker, 301, 10);
    await eventually(() => expect(storedIn(database)).toHaveLength(310));
    expect([first.reader.connections(), second.reader.connections()]).toEqual([1, 1]);
  });

  it("reads what was published while nobody read, also after the broker has started again", async () => {
    const broker = await startBroker();
    const database = createTwinDatabase();
    const owner = openOwner(broker, database);
    await connected(owner);
    await owner.reader.close();
    await owner.pipeline.close();
    await publish(broker, 1, 200);
    await broker.stop();
    await broker.start();
    await connected(openOwner(broker, database));
    await eventually(() => expect(storedIn(database)).toHaveLength(200));
  });

  it("connects again when the broker comes back, and says why it is away meanwhile", async () => {
    const broker = await startBroker();
    const database = createTwinDatabase();
    const owner = openOwner(broker, database);
    await connected(owner);
    await broker.kill();
    await eventually(() =>
      expect(owner.reader.state()).toMatchObject({
        kind: "away",
        because: "ERROR: MQTT connection failed: unreachable: ECONNREFUSED",
      }),
    );
    await broker.start();
    await connected(owner);
    await publish(broker, 1, 10);
    await eventually(() => expect(storedIn(database)).toHaveLength(10));
    expect(owner.reader.connections()).toBe(2);
  });

  it("says that the broker refuses it, without the password", async () => {
    const broker = await startBroker(async directory => {
      await writeFile(join(directory, "passwords"), "", { mode: 0o600 });
      return `allow_anonymous false\npassword_file ${join(directory, "passwords")}`;
    });
    const owner = openOwner(broker, createTwinDatabase(), { username: "acme", password: "a-secret-word" });
    await eventually(() => expect(owner.reader.state().kind).toBe("away"));
    const { because } = owner.reader.state() as { readonly because: string };
    expect(because).toMatch(/^ERROR: MQTT connection failed: CONNACK 5: authentication: /);
    expect(because).not.toContain("a-secret-word");
  });
});
