import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeInbox } from "@skep/api/subjects.ts";
import { natsAuth } from "@skep/deploy/bootstrap/nats-auth.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createNatsBus } from "@skep/kit/nats-bus.ts";
import { newNatsKey, signedLogin, type NatsKey } from "@skep/kit/nats-keys.ts";
import { createIdSource, systemRandom } from "@skep/kit/random.ts";
import { DEFAULT_SETTINGS } from "@skep/core/world/world.ts";
import { createScheduler, type Scheduler } from "@skep/scheduler/create-scheduler.ts";
import { createKick, kickAll } from "@skep/scheduler/join/kick.ts";
import { createMemoryDatabase, type MemoryDatabase } from "@skep/scheduler/store/memory/memory-store.ts";
import { eventually } from "../support/eventually.ts";
import { startNatsServer, type NatsServer } from "../support/nats-server.ts";

const passwords = { scheduler: 'one "quoted"', operator: "three" };
const [issuer, system] = [newNatsKey("account"), newNatsKey("user")];
const JOIN_SECRET = "the join secret of this Swarm";
const keys: Record<string, NatsKey> = { n1: newNatsKey("user"), n2: newNatsKey("user"), thief: newNatsKey("user") };

let nats: NatsServer;
let database: MemoryDatabase;
let scheduler: Scheduler | undefined;
const open: { close(): Promise<unknown> }[] = [];

/** A scheduler on the real bus, which lets agents in; its records are the twin's. */
function startScheduler(join: { readonly loginForMs?: number } = {}): Scheduler {
  const log = createRecordingLog();
  const user = { user: "scheduler", password: passwords.scheduler, inboxPrefix: "_INBOX_scheduler" };
  const bus = createNatsBus({ servers: [nats.url], name: "scheduler", ...user, log });
  const random = systemRandom;
  const started = createScheduler({
    ...{ store: database.connect("s"), bus, clock: systemClock, log, random, ids: createIdSource(random) },
    ...{ settings: DEFAULT_SETTINGS, name: "s", version: "0" },
    join: { issuerSeed: issuer.seed, joinSecret: JOIN_SECRET, kick: createKick([nats.url], system.seed), ...join },
  });
  started.start();
  open.push(bus);
  return started;
}

const byPassword = async (user: keyof typeof passwords): Promise<NatsConnection> => {
  const login = { user, pass: passwords[user], inboxPrefix: `_INBOX_${user}` };
  const connection = await connect({ servers: nats.url, ...login, reconnect: false });
  open.push(connection);
  return connection;
};

/** Logs in as a node with a key; the node's own, unless another is named. */
const asNode = async (nodeId: string, who = nodeId, password = JOIN_SECRET): Promise<NatsConnection> => {
  const authenticator = signedLogin(keys[who]!.seed, { user: nodeId, password });
  const connection = await connect({
    servers: nats.url,
    authenticator,
    inboxPrefix: nodeInbox(nodeId),
    reconnect: false,
  });
  open.push(connection);
  return connection;
};

/**
 * What the server says about an action of a connection: its refusal, or `allowed` after a round
 * trip without one.
 */
async function verdict(connection: NatsConnection, act: (connection: NatsConnection) => void): Promise<string> {
  const refusal = (async () => {
    for await (const status of connection.status()) if (status.type === "error") return String(status.error.message);
    return "closed";
  })();
  act(connection);
  const roundTrip = connection
    .flush()
    .then(() => new Promise<string>(resolve => setTimeout(() => resolve("allowed"), 50)));
  return Promise.race([refusal, roundTrip]);
}

const REFUSED = expect.stringContaining("Permissions Violation");

beforeAll(async () => {
  nats = await startNatsServer(natsAuth(passwords, { issuer: issuer.publicKey, system: system.publicKey }));
  database = createMemoryDatabase(systemClock);
  scheduler = startScheduler();
  await eventually(() => asNode("n1"));
}, 30_000);
afterAll(async () => {
  await scheduler?.stop();
  for (const one of open) await one.close();
  await nats?.close();
});

describe("the users of the bus", () => {
  it("carries what an agent says, and the answers of both sides", async () => {
    const [agent, other, operator] = [await asNode("n1"), await byPassword("scheduler"), await byPassword("operator")];
    const heard = (async () => {
      for await (const message of operator.subscribe("skep.v1.beat.*", { max: 1 })) return message.subject;
      return undefined;
    })();
    await operator.flush();
    agent.publish("skep.v1.beat.n1");
    expect(await heard).toBe("skep.v1.beat.n1");
    agent.subscribe("skep.v1.ask.n1", { max: 1, callback: (_, message) => void message.respond("here") });
    await agent.flush();
    expect((await other.request("skep.v1.ask.n1", "who", { timeout: 2_000 })).string()).toBe("here");
  });

  it("lets an agent answer a question with many messages, and write to no inbox that did not ask it", async () => {
    const [agent, asker] = [await asNode("n1"), await byPassword("scheduler")];
    const inbox = "_INBOX_scheduler.a-stream";
    const heard: string[] = [];
    asker.subscribe(inbox, { callback: (_, message) => void heard.push(message.string()) });
    agent.subscribe("skep.v1.ask.n1", {
      callback: (_, message) => {
        for (const word of ["1", "2", "3"]) message.respond(word);
      },
    });
    await Promise.all([agent.flush(), asker.flush()]);
    asker.publish("skep.v1.ask.n1", "go", { reply: inbox });
    await eventually(() => expect(heard).toEqual(["1", "2", "3"]));
    expect(await verdict(await asNode("n1"), one => one.publish("_INBOX_scheduler.another"))).toEqual(REFUSED);
  });

  it("refuses an agent everything on another node's subjects, and all that is the schedulers'", async () => {
    for (const kind of ["beat", "report", "fetch", "spec", "lease", "swarm"]) {
      expect(await verdict(await asNode("n1"), one => one.publish(`skep.v1.${kind}.n2`))).toEqual(REFUSED);
      expect(await verdict(await asNode("n1"), one => one.publish(`skep.v1.${kind}.n1`))).toBe("allowed");
    }
    for (const subject of [
      "skep.v1.assign.n2",
      "skep.v1.ask.n2",
      "skep.v1.assign.*",
      "_INBOX_node.n2.>",
      "skep.v1.report.*",
      "_INBOX_scheduler.>",
      "$SYS.REQ.USER.AUTH",
    ])
      expect(await verdict(await asNode("n1"), one => void one.subscribe(subject))).toEqual(REFUSED);
    expect(await verdict(await asNode("n1"), one => one.publish("skep.v1.assign.n1"))).toEqual(REFUSED);
  });

  it("refuses an operator that publishes, and a wrong password", async () => {
    expect(await verdict(await byPassword("operator"), one => one.publish("skep.v1.assign.n2"))).toEqual(REFUSED);
    const wrong = connect({ servers: nats.url, user: "scheduler", pass: "wrong", reconnect: false });
    await expect(wrong).rejects.toThrow(/authorization/i);
  });

  it("binds a node to the first key that came with the join secret", async () => {
    await expect(asNode("n2", "n2", "not the secret")).rejects.toThrow(/authorization/i);
    await asNode("n2");
    await expect(asNode("n2", "thief")).rejects.toThrow(/authorization/i);
    expect(database.records.nodeKeys.get("n2")?.publicKey).toBe(keys["n2"]?.publicKey);
    // A node that has joined needs the secret no more: the secret may be changed.
    await asNode("n2", "n2", "another secret");
  });

  it("believes no signature of another challenge", async () => {
    const { nkey, sig } = signedLogin(keys["n2"]!.seed)("a challenge of long ago");
    const replayed = connect({ servers: nats.url, authenticator: () => ({ user: "n2", nkey, sig }), reconnect: false });
    await expect(replayed).rejects.toThrow(/authorization/i);
  });

  it("lists its connections page by page to who ends those of a revoked node", async () => {
    const [bad, good, worse] = [await asNode("n1"), await asNode("n2"), await asNode("n1")];
    const authenticator = signedLogin(system.seed);
    const systems = await connect({ servers: nats.url, authenticator, reconnect: false });
    open.push(systems);
    await kickAll(systems, new Set(["n1"]), 1);
    await Promise.all([bad.closed(), worse.closed()]);
    expect(good.isClosed()).toBe(false);
  });

  it("ends the connection of a revoked node, refuses its key, and takes it back when it may join again", async () => {
    const agent = await asNode("n2");
    const store = database.connect("person");
    await store.revokeNode("n2", systemClock.now());
    scheduler?.api.keysChanged();
    await eventually(() => expect(agent.isClosed()).toBe(true));
    await expect(asNode("n2")).rejects.toThrow(/authorization/i);
    expect((await asNode("n1")).isClosed()).toBe(false);
    await store.rejoinNode("n2");
    scheduler?.api.keysChanged();
    await asNode("n2", "thief");
    expect(database.records.nodeKeys.get("n2")?.publicKey).toBe(keys["thief"]?.publicKey);
  });

  it("keeps who is connected while no scheduler answers, and lets others in when one does again", async () => {
    const agent = await asNode("n1");
    await scheduler?.stop();
    await expect(asNode("n1")).rejects.toThrow();
    expect(await verdict(agent, one => one.publish("skep.v1.beat.n1"))).toBe("allowed");
    scheduler = startScheduler();
    await eventually(() => asNode("n1"));
  }, 30_000);

  it("ends a login after a while, and its agent is back at once by a new one", async () => {
    await scheduler?.stop();
    scheduler = startScheduler({ loginForMs: 2_000 });
    const plain = await eventually(() => asNode("n1"));
    const login = signedLogin(keys["n1"]!.seed, { user: "n1", password: JOIN_SECRET });
    const log = createRecordingLog();
    const agent = createNatsBus({ servers: [nats.url], name: "agent", login, inboxPrefix: nodeInbox("n1"), log });
    open.push(agent);
    const heard: string[] = [];
    agent.subscribe("skep.v1.ask.n1", message => void heard.push(new TextDecoder().decode(message.data)));
    const lost: boolean[] = [];
    agent.onStatus(connected => void (connected || lost.push(true)));
    await eventually(() => expect([plain.isClosed(), lost.length > 0]).toEqual([true, true]), 15_000);
    await eventually(() => expect(agent.connected()).toBe(true), 15_000);
    const asker = await byPassword("scheduler");
    await eventually(() => {
      asker.publish("skep.v1.ask.n1", "again");
      expect(heard).toContain("again");
    });
    await scheduler.stop();
    scheduler = startScheduler();
    await eventually(() => asNode("n1"));
  }, 60_000);

  it("holds a node that the Swarm's last list does not have, while no manager tells a new one", async () => {
    const store = database.connect("swarm");
    const node = (nodeId: string) => ({
      ...({ nodeId, hostname: nodeId, role: "manager", availability: "active", state: "ready" } as const),
      ...{ address: "10.0.0.1", labels: {}, versionIndex: 1 },
    });
    await store.saveSwarmNodes([node("n1")], systemClock.now());
    keys["n9"] = newNatsKey("user");
    await expect(asNode("n9")).rejects.toThrow(/authorization/i);
    expect((await asNode("n1")).isClosed()).toBe(false);
    await store.saveSwarmNodes([node("n1"), node("n9")], systemClock.now());
    await asNode("n9");
  });
});
