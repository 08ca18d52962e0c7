import { create, fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  MessageService,
  type FollowMessagesRequest,
  type ListMessagesRequest,
  MessageSchema,
  type Message,
} from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { serveWorkspace } from "@skep/scheduler/api/testing/hosted.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startCommandTest, type CommandTest, type Outcome } from "../testing/command.ts";

const AT = Date.UTC(2026, 0, 1, 12);

let test: CommandTest;
/** What the host of `fleet` has, and what it was asked. */
let stored: Message[];
let lists: ListMessagesRequest[];
let follows: FollowMessagesRequest[];
let replayed: string[];
/** What each follower is told, one after the other; then the stream breaks. */
let live: Message[][];

type Init = Exclude<MessageInitShape<typeof MessageSchema>, Message>;

const aMessage = (id: string, value: JsonValue, over: Init = {}): Message =>
  create(MessageSchema, {
    ...{ id, deviceId: "car-1", category: "telemetry", type: "engine", at: timestampFromMs(AT) },
    receivedAt: timestampFromMs(AT),
    content: { case: "value" as const, value: fromJson(ValueSchema, value) },
    ...over,
  });

beforeEach(async () => {
  [stored, lists, follows, replayed, live] = [[], [], [], [], []];
  test = await startCommandTest();
  ok(await test.skep("workspace create fleet"));
  await serveWorkspace(test.platform, "fleet", router => {
    router.service(MessageService, {
      listMessages: request => {
        lists.push(request);
        const from = Number(request.pageToken || "0");
        const end = Math.min(stored.length, from + request.pageSize);
        return { messages: stored.slice(from, end), nextPageToken: end < stored.length ? String(end) : "" };
      },
      followMessages: async function* (request) {
        follows.push(request);
        for (const messages of live.splice(0, 1)) yield { messages, notice: "3 messages were left out" };
        if (live.length > 0) throw new SkepError("unavailable", "AWAY", "away");
      },
      listDeadLetters: () => ({
        letters: [
          { id: "l1", topic: "fleet/devices/car-1/telemetry/x", because: "no JSON", receivedAt: timestampFromMs(AT) },
        ],
      }),
      getDeadLetter: ({ letterId }) => ({
        letter: {
          ...{ id: letterId, topic: "t", because: "no JSON", receivedAt: timestampFromMs(AT), cutFrom: 90n },
          payload: letterId === "bytes" ? Uint8Array.of(0, 255) : Buffer.from("half a text\u001b[2J"),
        },
      }),
      replayDeadLetter: ({ letterId }) => {
        replayed.push(letterId);
        return {};
      },
      deleteDeadLetter: ({ letterId }) => {
        replayed.push(`forget ${letterId}`);
        return {};
      },
      followWorkspaceLog: async function* ({ tail, follow }) {
        const line = { at: timestampFromMs(AT), level: "warn", event: "ingest.waits", sentence: "Messages wait." };
        yield { lines: [{ ...line, fields: { tail: tail ?? 0, follow } }] };
      },
    });
  });
});
afterEach(() => test[Symbol.asyncDispose]());

function ok(outcome: Outcome): string {
  expect(outcome.err).toBe("");
  expect(outcome.code).toBe(0);
  return outcome.out;
}

describe("skep messages", () => {
  it("shows the latest, the oldest of them first, as far as they are asked for", async () => {
    stored = [aMessage("b", { t: 2 }), aMessage("a", "text", { type: "" })];
    const shown = ok(
      await test.skep("messages fleet --device car-1 --category telemetry --type engine --since 1h -n 7"),
    );
    expect(shown).toMatch(
      /^2026-01-01 \S+ car-1 telemetry "text"\n2026-01-01 \S+ car-1 telemetry\/engine \{"t":2\}\n$/,
    );
    const [{ from, ...asked }] = lists as [ListMessagesRequest];
    const filter = { deviceId: "car-1", category: "telemetry", type: "engine" };
    expect(asked).toMatchObject({ ...filter, pageSize: 7, oldestFirst: false });
    expect(Math.abs(timestampMs(from!) - (Date.now() - 3_600_000))).toBeLessThan(60_000);
  });

  it("asks for page after page, and no more than so many", async () => {
    stored = Array.from({ length: 1_500 }, (_, index) => aMessage(`m${index}`, index));
    expect(ok(await test.skep("messages fleet -n 1200")).split("\n")).toHaveLength(1_201);
    expect(lists.map(one => one.pageSize)).toEqual([1_000, 200]);
    expect(JSON.parse(ok(await test.skep("messages fleet -n 2 -o json")))).toMatchObject([{ id: "m1" }, { id: "m0" }]);
  });

  it("shows nothing that a terminal would obey, and bytes as base64", async () => {
    stored = [
      aMessage("a", { "\u001b[2J": "\u0007" }, { deviceId: "x\u001b[31m" }),
      aMessage("b", 1, { content: { case: "payload", value: Uint8Array.of(0, 255) } }),
    ];
    const shown = ok(await test.skep("messages fleet"));
    for (const control of ["\u0007", "\u001b"]) expect(shown).not.toContain(control);
    expect(shown).toContain("(2 B) base64 AP8=");
  });

  it("follows, goes on where it broke off, shows nothing twice and says what is missing", async () => {
    const future = timestampFromMs(Date.UTC(2030, 0, 1));
    const old = aMessage("old", 0, { at: future, receivedAt: timestampFromMs(AT - 3_600_000) });
    live = [
      [old, aMessage("a", 1, { at: future }), aMessage("b", 2)],
      [old, aMessage("a", 1, { at: future }), aMessage("b", 2), aMessage("c", 3)],
    ];
    const { out, err } = await test.skep("messages fleet -f --since 10m --device car-1");
    expect(out.split("\n").map(line => line.at(-1))).toEqual(["0", "1", "2", "3", undefined]);
    expect(err).toContain("the stream broke off");
    expect(err).toContain("skep: 3 messages were left out");
    expect(follows.map(one => one.deviceId)).toEqual(["car-1", "car-1"]);
    // By when it was received: a device's clock may be wrong.
    expect(timestampMs(follows[1]!.since!)).toBeLessThanOrEqual(AT);
  });

  it("begins with now where nothing is said", async () => {
    live = [[aMessage("a", { t: 1 })]];
    const { out } = await test.skep("messages fleet -f -o json");
    expect(JSON.parse(out)).toMatchObject({ id: "a", value: { t: 1 } });
    expect(follows[0]!.since).toBeUndefined();
  });

  it("lists dead letters, shows one, has it stored or forgotten", async () => {
    expect(ok(await test.skep("messages fleet --dead"))).toMatch(
      /^l1\s+\S+\s+fleet\/devices\/car-1\/telemetry\/x\s+no JSON$/m,
    );
    const letter = ok(await test.skep("messages fleet --letter l1"));
    expect(letter).toContain("half a text");
    expect(letter).toContain("of 90 bytes");
    expect(letter).not.toContain("\u001b");
    expect(ok(await test.skep("messages fleet --letter bytes"))).toContain("base64 AP8=");
    expect(ok(await test.skep("messages fleet --replay l1"))).toContain("l1: is stored now");
    expect(ok(await test.skep("messages fleet --forget l1"))).toContain("l1: is forgotten");
    expect(replayed).toEqual(["l1", "forget l1"]);
  });

  it("says that nobody has the workspace", async () => {
    ok(await test.skep("workspace create second"));
    const { code, err } = await test.skep("messages second");
    expect(err).toContain("The workspace second cannot be asked at present");
    expect(code).toBe((await test.skep("messages second -f")).code);
    expect(code).not.toBe(0);
  });
});

describe("skep rule test --stored", () => {
  const RULES = [
    { reference: "telemetry", format: { kind: "json" }, fields: { t: { type: "number", sources: ["temp"] } } },
    {
      id: "hot",
      when: { kind: "threshold", field: "t", is: ">", value: 80 },
      actions: [{ kind: "event", topic: "hot" }],
    },
  ];

  it("tries rules with what is stored: typed fields as they are, all else by the schemas", async () => {
    test.write("rules.json", JSON.stringify(RULES));
    stored = [
      aMessage("c", { t: 90 }, { schema: "telemetry@1" }),
      aMessage("b", { temp: 91 }),
      aMessage("a", 1, { content: { case: "payload", value: Buffer.from('{"temp":92}') } }),
    ];
    const shown = ok(await test.skep("rule test fleet -f rules.json --stored --device car-1"));
    expect(shown).toContain("3 messages, 1 effect, 0 set aside");
    expect(lists[0]).toMatchObject({ deviceId: "car-1" });
  });

  it.each([
    ["rule test fleet", "Name messages by"],
    ["rule test fleet --stored --messages a.jsonl", "Name messages by"],
    ["rule test -f rules.json --stored", "Name the workspace"],
  ])("refuses `%s`", async (line, told) => {
    test.write("rules.json", JSON.stringify(RULES));
    test.write("a.jsonl", "");
    expect((await test.skep(line)).err).toContain(told);
  });
});

describe("skep workspace", () => {
  it("makes a token that is written alone, and says where it is good", async () => {
    const { out, err, code } = await test.skep(
      "workspace token fleet --topic devices/# --topic hot --for 2h --subject me",
    );
    expect(code).toBe(0);
    const claims = Buffer.from(out.trim().split(".")[1] ?? "", "base64url").toString();
    const { topics, sub, exp, iat } = JSON.parse(claims) as Record<string, unknown> & { exp: number; iat: number };
    expect([topics, sub, exp - iat]).toEqual([["devices/#", "hot"], "me", 7_200]);
    expect(err).toContain("Namespace /ws/fleet, path /ws/fleet/socket.io");
  });

  it("shows what its host has logged", async () => {
    expect(ok(await test.skep("workspace logs fleet -n 3"))).toMatch(
      /warn Messages wait\. \{"tail":3,"follow":false\}$/m,
    );
    expect(JSON.parse(ok(await test.skep("workspace logs fleet -f -o json")))).toMatchObject({ event: "ingest.waits" });
  });
});
