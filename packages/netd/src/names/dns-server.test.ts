import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { parseBlock } from "@skep/core/network/block.ts";
import type { NameEntry } from "@skep/core/network/names.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDnsServer, type DnsServer } from "./dns-server.ts";
import { createForward, type Upstream } from "./forward.ts";
import { frame } from "./frames.ts";
import { parseResolvers } from "./resolvers.ts";
import { readQuery, writeReply } from "./wire.ts";

const POOL = parseBlock("127.0.0.0/24")!;
const [HOST, ASKER] = ["127.0.0.1", "127.0.0.2"];
const closing: (() => unknown)[] = [];
let server: DnsServer;
let upstreams: readonly Upstream[];

const network = [{ name: "shop_default", aliases: [] }];
const entry = (service: string, well: readonly string[]): NameEntry => {
  return { deployment: `shop-${service}`, project: "shop", service, networks: network, well, others: [] };
};
const asker = { address: ASKER, tenantId: "acme", project: "shop", networks: ["shop_default"] };
const many = Array.from({ length: 100 }, (_, at) => `127.0.0.${at + 10}`);

beforeEach(async () => {
  upstreams = [];
  const log = createRecordingLog();
  server = await createDnsServer({
    ...{ address: HOST, port: 0, clock: systemClock, log },
    forward: createForward(() => upstreams, 200),
  });
  closing.push(() => server.close());
  server.take(
    { askers: [asker], tenants: [{ tenantId: "acme", entries: [entry("db", ["127.0.0.7"]), entry("many", many)] }] },
    POOL,
  );
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function resolver(from = ASKER): Resolver {
  const made = new Resolver({ timeout: 300, tries: 1 });
  made.setServers([`${HOST}:${server.port}`]);
  made.setLocalAddress(from);
  closing.push(() => made.cancel());
  return made;
}

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    found => `found ${JSON.stringify(found)}`,
    (error: { code: string }) => error.code,
  );

/** A resolver of the node that answers by its rule. */
async function anUpstream(answerTo: (bytes: Uint8Array) => Uint8Array | readonly Uint8Array[] | undefined) {
  const socket = createSocket("udp4");
  const asked: { readonly id: number; readonly port: number }[] = [];
  socket.on("message", (message, from) => {
    asked.push({ id: message.readUInt16BE(), port: from.port });
    const answers = answerTo(message);
    for (const one of answers instanceof Uint8Array ? [answers] : (answers ?? []))
      socket.send(one, from.port, from.address);
  });
  socket.bind(0, HOST);
  await once(socket, "listening");
  closing.push(() => socket.close());
  return { asked, upstream: { address: HOST, port: socket.address().port } };
}

function reply(bytes: Uint8Array, address: string): Uint8Array {
  const query = readQuery(bytes);
  if (query === undefined || "rcode" in query) throw new Error("it is no question");
  return writeReply(query, { rcode: 0, answers: [{ type: "A", address }] }, 512);
}

describe("a resolver that programs have", () => {
  it("finds a name, by any spelling, and whose an address is", async () => {
    expect(await resolver().resolve4("db", { ttl: true })).toEqual([{ address: "127.0.0.7", ttl: 0 }]);
    expect(await resolver().resolve4("DB.shop.ACME.skep")).toEqual(["127.0.0.7"]);
    expect(await resolver().reverse("127.0.0.7")).toEqual(["db.shop.acme.skep"]);
  });

  it("learns at once what is not there", async () => {
    expect(await codeOf(resolver().resolve4("nobody"))).toBe("ENOTFOUND");
    expect(await codeOf(resolver().resolve6("db"))).toBe("ENODATA");
    expect(await codeOf(resolver().resolveMx("db"))).toBe("ENODATA");
  });

  it("gets all of a hundred addresses, by TCP where UDP has no room", async () => {
    expect((await resolver().resolve4("many")).toSorted()).toEqual(many.toSorted());
  });

  it("goes by the newest table", async () => {
    server.take({ askers: [asker], tenants: [{ tenantId: "acme", entries: [entry("db", ["127.0.0.9"])] }] }, POOL);
    expect(await resolver().resolve4("db")).toEqual(["127.0.0.9"]);
  });

  it("gets no answer at all where it is nobody's instance", async () => {
    expect(await codeOf(resolver("127.0.0.3").resolve4("db"))).toBe("ETIMEOUT");
    const socket = connect({ host: HOST, port: server.port, localAddress: "127.0.0.3" });
    closing.push(() => socket.destroy());
    await once(socket, "close");
  });
});

describe("names of others", () => {
  it("are asked of the node's resolvers, each time under another id and from another port", async () => {
    const { asked, upstream } = await anUpstream(bytes => reply(bytes, "192.0.2.1"));
    upstreams = [upstream];
    for (let times = 0; times < 8; times += 1)
      expect(await resolver().resolve4("a.example.com")).toEqual(["192.0.2.1"]);
    expect(new Set(asked.map(one => one.id)).size).toBeGreaterThan(6);
    expect(new Set(asked.map(one => one.port)).size).toBeGreaterThan(6);
  });

  it("are asked of the next one where the first is silent", async () => {
    const silent = await anUpstream(() => undefined);
    const { upstream } = await anUpstream(bytes => reply(bytes, "192.0.2.2"));
    upstreams = [silent.upstream, upstream];
    const patient = new Resolver({ timeout: 2_000, tries: 1 });
    patient.setServers([`${HOST}:${server.port}`]);
    patient.setLocalAddress(ASKER);
    expect(await patient.resolve4("a.example.com")).toEqual(["192.0.2.2"]);
  });

  it("are not believed of an answer under another id, or to another question", async () => {
    const { upstream } = await anUpstream(bytes => {
      const wrongId = Uint8Array.from(reply(bytes, "192.0.2.66"));
      wrongId[0]! ^= 1;
      const wrongName = Uint8Array.from(reply(bytes, "192.0.2.66"));
      wrongName[13]! ^= 1;
      return [wrongId, wrongName, reply(bytes, "192.0.2.3")];
    });
    upstreams = [upstream];
    expect(await resolver().resolve4("a.example.com")).toEqual(["192.0.2.3"]);
  });

  it("fail at once where the node has no resolver, and never leave the node if they could be ours", async () => {
    const { asked, upstream } = await anUpstream(bytes => reply(bytes, "192.0.2.4"));
    expect(await codeOf(resolver().resolve4("a.example.com"))).toBe("ESERVFAIL");
    upstreams = [upstream];
    for (const name of ["nobody", "nobody.shop", "db.shop.evil.skep"])
      expect(await codeOf(resolver().resolve4(name))).toBe("ENOTFOUND");
    expect(asked).toEqual([]);
  });
});

describe("what is no question", () => {
  /** Sends it, and answers what comes back within a moment. */
  async function send(bytes: Uint8Array): Promise<string> {
    const socket = createSocket("udp4");
    closing.push(() => socket.close());
    socket.bind(0, ASKER);
    await once(socket, "listening");
    socket.send(bytes, server.port, HOST);
    const late = AbortSignal.timeout(100);
    return once(socket, "message", { signal: late }).then(
      ([message]) => `rcode ${(message as Buffer).readUInt16BE(2) & 0xf}`,
      () => "nothing",
    );
  }
  const header = (flags: number, questions = 1) => [0, 7, flags >> 8, flags & 0xff, 0, questions, 0, 0, 0, 0, 0, 0];
  const question = [2, 0x64, 0x62, 0, 0, 1, 0, 1];

  it.each([
    ["a question", [...header(0x0100), ...question], "rcode 0"],
    ["an answer, which two servers would send each other for ever", [...header(0x8000), ...question], "nothing"],
    ["half a header", [0, 7, 1], "nothing"],
    ["an update", [...header(0x2800), ...question], "rcode 4"],
    ["two questions", [...header(0x0100, 2), ...question, ...question], "rcode 1"],
    ["a name that points at itself", [...header(0x0100), 0xc0, 12, 0, 1, 0, 1], "rcode 1"],
    ["a name without an end", [...header(0x0100), 63, 0x61], "rcode 1"],
    ["another class", [...header(0x0100), 2, 0x64, 0x62, 0, 0, 1, 0, 3], "rcode 5"],
    ["a dot within a label", [...header(0x0100), 4, 0x64, 0x62, 0x2e, 0x61, 0, 0, 1, 0, 1], "rcode 3"],
  ])("%s", async (_, bytes, expected) => {
    expect(await send(Uint8Array.from(bytes))).toBe(expected);
  });

  it("ends a connection whose question has no end, and answers the others", async () => {
    const socket = connect({ host: HOST, port: server.port, localAddress: ASKER });
    closing.push(() => socket.destroy());
    const ended = once(socket, "close");
    socket.on("error", () => undefined);
    socket.write(frame(new Uint8Array(5_000)));
    await ended;
    expect(await resolver().resolve4("db")).toEqual(["127.0.0.7"]);
  });
});

it("answers one that asks without end so many times, and nobody else waits", async () => {
  server.take(
    {
      askers: [asker, { ...asker, address: "127.0.0.4" }],
      tenants: [{ tenantId: "acme", entries: [entry("db", ["127.0.0.7"])] }],
    },
    POOL,
  );
  const socket = createSocket("udp4");
  closing.push(() => socket.close());
  socket.bind(0, ASKER);
  await once(socket, "listening");
  let answered = 0;
  socket.on("message", () => (answered += 1));
  const question = Uint8Array.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0x64, 0x62, 0, 0, 1, 0, 1]);
  const sent = 3_000;
  for (let times = 0; times < sent; times += 1) {
    socket.send(question, server.port, HOST);
    if (times % 100 === 0) await new Promise(setImmediate);
  }
  await new Promise(resolve => setTimeout(resolve, 100));
  expect(await resolver("127.0.0.4").resolve4("db")).toEqual(["127.0.0.7"]);
  expect(answered).toBeGreaterThan(100);
  expect(answered).toBeLessThan(sent - 500);
});

it("takes the node's resolvers from its resolv.conf, three at most and never itself", () => {
  const text =
    "# nameserver 1.1.1.1\nnameserver 169.254.1.1\nnameserver 10.0.0.2 # ours\noptions ndots:2\n nameserver ::1\nnameserver nonsense\n";
  expect(parseResolvers(text, "169.254.1.1").map(one => one.address)).toEqual(["10.0.0.2", "::1"]);
  expect(parseResolvers("nameserver 10.0.0.1\n".repeat(5), "")).toHaveLength(3);
});
