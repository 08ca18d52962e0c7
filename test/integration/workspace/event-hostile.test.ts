import { digestSecret } from "@skep/kit/secret-digest.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startEventHost, type Answer, type Client, type EventHost } from "./event-clients.ts";
import { event, joinOn, openOn, type OpenWorkspace } from "./event-rooms.ts";

/**
 * What a hostile tenant tries with sockets, tokens and namespaces; each attempt with its answer. It
 * owns `mine`. After each attempt its neighbour, in the same process, is told an event, and nothing
 * that the hostile one has open hears of it.
 */
let host: EventHost;
let mine: OpenWorkspace;
let neighbour: OpenWorkspace;
let witness: Client;

beforeAll(async () => {
  host = await startEventHost();
  neighbour = await openOn(host, { events: 10_000 });
  witness = await joinOn(host, neighbour);
  await witness.ask("subscribe", "#");
});
afterAll(() => host.close());

/** Tries it in a workspace of its own; whoever is banned for one attempt is free for the next. */
async function attempt(act: () => Promise<string>): Promise<string> {
  mine = await openOn(host);
  const answer = await act();
  const before = witness.heard.length;
  neighbour.events.emit([event("devices/d1/status")]);
  await eventually(() => expect(witness.heard.length).toBe(before + 1), 10_000, 5);
  expect(witness.socket.connected).toBe(true);
  for (const { address } of host.events.bans.list()) host.events.bans.unban(address);
  for (const { address } of neighbour.events.bans.list()) neighbour.events.bans.unban(address);
  await mine.events.close();
  return answer;
}

async function entry(client: Client): Promise<string> {
  const refusal = await client.entry;
  if (refusal !== undefined) return refusal.reason ?? refusal.message;
  // It is in: what does it hear of the neighbour?
  await client.ask("subscribe", "#");
  neighbour.events.emit([event("devices/d1/secret")]);
  await eventually(() => expect(witness.heard.at(-1)?.topic).toBe("devices/d1/secret"), 10_000, 5);
  return client.heard.length === 0 ? "in, and hears nothing" : "IN, AND HEARS THE NEIGHBOUR";
}

async function asked(value: unknown, name = "subscribe"): Promise<string> {
  const client = await joinOn(host, mine);
  const answer: Answer = await client.ask(name, value);
  if (answer.ok) return answer.gap === undefined ? "done" : "gap";
  return String(answer.reason);
}

/** Sends a packet as it stands, and says what becomes of the connection. */
async function sent(...packets: readonly (string | Buffer)[]): Promise<string> {
  const client = await joinOn(host, mine);
  const engine = client.socket.io.engine as unknown as { write(packet: string | Buffer): void };
  for (const packet of packets) engine.write(packet.toString().startsWith("@") ? packet.toString().slice(1) : packet);
  const answer = client.ask("subscribe", "a").then(
    ({ ok }) => (ok ? "goes on" : "refused"),
    () => "closed",
  );
  const closed = new Promise<string>(resolve => void client.socket.once("disconnect", () => resolve("closed")));
  return await Promise.race([answer, closed]);
}

const forged = (claims: object, head: object = { alg: "none" }): string =>
  [head, claims, ""]
    .map(part => (part === "" ? "" : Buffer.from(JSON.stringify(part)).toString("base64url")))
    .join(".");
const claims = (): object => ({
  iss: "skep",
  aud: `workspace:${neighbour.id}`,
  sub: "x",
  exp: 9_999_999_999,
  topics: ["#"],
});

describe("credentials of a hostile tenant", () => {
  it.each<[string, string, () => object]>([
    ["none", "NO_CREDENTIALS", () => ({})],
    ["its own secret", "WRONG_SECRET", () => ({ secret: mine.secret })],
    ["a prefix of the secret", "WRONG_SECRET", () => ({ secret: neighbour.secret.slice(0, -1) })],
    [
      "the digest of the secret, as a backup has it",
      "WRONG_SECRET",
      () => ({ secret: digestSecret(neighbour.id, neighbour.secret) }),
    ],
    ["a list with the secret", "NO_CREDENTIALS", () => ({ secret: [neighbour.secret] })],
    ["an object that would be a secret as text", "NO_CREDENTIALS", () => ({ secret: { toString: neighbour.secret } })],
    ["a token without a signature", "TOKEN_INVALID", () => ({ token: forged(claims()) })],
    [
      "a token that names another algorithm",
      "TOKEN_INVALID",
      () => ({ token: `${forged(claims(), { alg: "RS256" })}AAAA` }),
    ],
    [
      "a token of another audience",
      "TOKEN_OF_ANOTHER_WORKSPACE",
      () => ({ token: forged({ ...claims(), aud: "workspace:x" }) }),
    ],
    ["no token at all", "TOKEN_OF_ANOTHER_WORKSPACE", () => ({ token: "../../etc/passwd" })],
    ["a token of 60 kB", "NO_CREDENTIALS", () => ({ token: "x".repeat(60_000) })],
    ["somebody's session without a secret", "NO_CREDENTIALS", () => ({ pid: "AAAAAAAAAAAAAAAAAAAA", offset: "1-0" })],
  ])("%s: %s", async (_, expected, auth) => {
    expect(await attempt(() => entry(host.client(neighbour.id, auth())))).toBe(expected);
  });

  it("its own token: TOKEN_OF_ANOTHER_WORKSPACE", async () => {
    const act = async (): Promise<string> => {
      const token = await mine.events.issueToken({ subject: "x", topics: ["#"], lifetimeMs: 60_000 });
      return entry(host.client(neighbour.id, { token }));
    };
    expect(await attempt(act)).toBe("TOKEN_OF_ANOTHER_WORKSPACE");
  });

  it("the right secret in the URL, where logs would have it: NO_CREDENTIALS", async () => {
    const act = (): Promise<string> => entry(host.client(neighbour.id, {}, { query: { secret: neighbour.secret } }));
    expect(await attempt(act)).toBe("NO_CREDENTIALS");
  });

  it("more than a request may be long: the connection ends", async () => {
    expect(await attempt(() => sent(`0/ws/${neighbour.id},{"secret":"${"x".repeat(70_000)}"}`))).toBe("closed");
  });
});

describe("namespaces of a hostile tenant", () => {
  it.each<[string, string]>([
    ["/", "NO_WORKSPACE"],
    ["/admin", "Invalid namespace"],
    ["/ws", "Invalid namespace"],
    ["/ws/", "Invalid namespace"],
    ["/ws/__proto__", "Invalid namespace"],
    ["/ws/../ws/NEIGHBOUR", "Invalid namespace"],
    ["/ws/%2e%2e/NEIGHBOUR", "Invalid namespace"],
    ["/ws/NEIGHBOUR/", "Invalid namespace"],
    ["/ws/NEIGHBOUR<NUL>", "Invalid namespace"],
    ["/WS/NEIGHBOUR", "Invalid namespace"],
    ["/ws/*", "Invalid namespace"],
  ])("%s: %s", async (name, expected) => {
    const act = async (): Promise<string> => {
      const path = name.replace("NEIGHBOUR", neighbour.id).replace("<NUL>", "\0");
      const client = await joinOn(host, mine);
      const socket = client.socket.io.socket(path, { auth: { secret: mine.secret } });
      return new Promise(resolve => {
        socket.once("connect", () => resolve("IN"));
        socket.once("connect_error", (error: Error & { data?: { reason: string } }) => {
          resolve(error.data?.reason ?? error.message);
        });
      });
    };
    expect(await attempt(act)).toBe(expected);
  });
});

describe("requests of a hostile tenant", () => {
  it.each<[string, string, unknown]>([
    ["all topics", "done", "#"],
    ["topics of the system", "BAD_FILTER", "$SYS/#"],
    ["a filter with a NUL", "BAD_FILTER", "a\0b"],
    ["a filter of 17 levels", "BAD_FILTER", "a/".repeat(16)],
    ["a filter of 513 characters", "BAD_FILTER", "a".repeat(513)],
    ["a wildcard within a level", "BAD_FILTER", "devices/d+/#"],
    [
      "a pattern that would backtrack",
      "LIMIT_CHANNELS",
      Array.from({ length: 51 }, (_, n) => `+/+/+/+/+/+/+/+/+/+/+/+/+/+/${n}`),
    ],
    ["a thousand subscriptions", "LIMIT_CHANNELS", Array.from({ length: 1_000 }, (_, n) => `${n}/#`)],
    ["a list that only says that it is long", "BAD_REQUEST", { filters: { length: 1e9 } }],
    ["fields that there are none of", "BAD_REQUEST", { filters: "a", scopes: ["#"] }],
    ["the past since ever", "gap", { filters: "a", from: "0-0" }],
    ["the future", "gap", { filters: "a", from: "9000000000000000-0" }],
    ["an offset that is no number", "BAD_OFFSET", { filters: "a", from: "NaN-NaN" }],
    ["nothing", "BAD_REQUEST", null],
  ])("%s: %s", async (_, expected, value) => {
    expect(await attempt(() => asked(value))).toBe(expected);
  });

  it.each(["__proto__", "constructor", "toString", "event", "join", "emit"])(
    "a request %s: BAD_REQUEST",
    async name => {
      expect(await attempt(() => asked("a", name))).toBe("BAD_REQUEST");
    },
  );

  it("what a token does not allow, before and after what it allows: NOT_ALLOWED, and nothing is done", async () => {
    const act = async (): Promise<string> => {
      const token = await mine.events.issueToken({ subject: "x", topics: ["devices/d1/#"], lifetimeMs: 60_000 });
      const client = await joinOn(host, mine, { token });
      const answers = await Promise.all([
        client.ask("subscribe", ["devices/d1/status", "#"]),
        client.ask("subscribe", ["devices/+/status"]),
        client.ask("subscribe", ["+/d1/status"]),
        client.ask("subscribe", ["devices/d1/../d2/#", "devices/d2/#"]),
      ]);
      expect(mine.events.counts()["subscriptions"]).toBe(0);
      return [...new Set(answers.map(answer => answer.reason))].join();
    };
    expect(await attempt(act)).toBe("NOT_ALLOWED");
  });
});

describe("packets of a hostile tenant", () => {
  it.each<[string, string, readonly (string | Buffer)[]]>([
    ["that are nothing", "closed", ["@@@"]],
    ["that end in the middle", "closed", ['2/ws/MINE,["subscribe"']],
    ["with a name that is the library's own", "closed", ['2/ws/MINE,["disconnect"]']],
    ["for a workspace that it is not in", "closed", ['2/ws/NEIGHBOUR,["subscribe","#"]']],
    ["with an answer that nobody asked for", "goes on", ['3/ws/MINE,7["x"]']],
    ["with eleven binary parts", "closed", ['511-/ws/MINE,["subscribe",{"_placeholder":true,"num":0}]']],
    [
      "with a binary part that is none",
      "closed",
      ['51-/ws/MINE,["subscribe",{"_placeholder":true,"num":9}]', Buffer.from([1])],
    ],
    ["that come in again", "closed", ['0/ws/MINE,{"secret":"x"}']],
    ["nested ten thousand deep", "goes on", [`2/ws/MINE,["subscribe",${"[".repeat(10_000)}${"]".repeat(10_000)}]`]],
  ])("%s: %s", async (_, expected, packets) => {
    const act = (): Promise<string> =>
      sent(
        ...packets.map(packet =>
          typeof packet === "string" ? packet.replace("MINE", mine.id).replace("NEIGHBOUR", neighbour.id) : packet,
        ),
      );
    expect(await attempt(act)).toBe(expected);
  });

  it.each<[string, number]>([
    ["/socket.io/?EIO=4&transport=polling", 400],
    ["/socket.io/?EIO=3&transport=websocket", 400],
    ["/socket.io/?EIO=4&transport=webtransport", 400],
    ["/socket.io/socket.io.js", 400],
  ])("%s over HTTP: %i", async (path, status) => {
    const act = async (): Promise<string> => String((await fetch(`http://127.0.0.1:${host.port}${path}`)).status);
    expect(await attempt(act)).toBe(String(status));
  });
});
