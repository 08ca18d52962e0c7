import type { RuleSet } from "@skep/core/rules/rule-set.ts";
import type { Condition } from "@skep/core/rules/condition.ts";
import type { Action, Rule } from "@skep/core/rules/rule.ts";
import type { FieldRule, Format, Schema } from "@skep/core/rules/schema.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { encode } from "cborg";
import { describe, expect, it } from "vitest";
import type { Message } from "../message.ts";
import type { Actions } from "./acting.ts";
import { createRules } from "./rules.ts";
import { createWebhooks, type Webhooks } from "./webhook.ts";

const field = (over: Partial<FieldRule> = {}): FieldRule => ({
  ...{ type: "number", sources: ["t"], required: true, unit: undefined, sentUnit: undefined, scale: 1, offset: 0 },
  ...{ least: undefined, most: 200, description: "" },
  ...over,
});

function schemaOf(format: Format = { kind: "json" }): Schema {
  const fields = new Map([
    ["engine.temperature", field()],
    ["at", field({ type: "time", sources: ["time"], required: false, most: undefined })],
  ]);
  return { reference: "telemetry", version: 3, format, fields };
}

function ruleOf(when: Condition, actions: readonly Action[], over: Partial<Rule> = {}): Rule {
  return {
    ...{ id: "hot", version: 1, enabled: true, category: "", type: "", when, repeat: { kind: "once" } },
    ...{ actions, clearActions: [], ...over },
  };
}

const EVENT: Action = { kind: "event", topic: "alarms/hot" };
const HOT: Condition = { kind: "threshold", field: "engine.temperature", is: ">", value: 80, clear: undefined };

function begin(set: Partial<RuleSet> = {}, mostDevices = 10, webhooks?: Webhooks) {
  const clock = createVirtualClock(1_700_000_000_000);
  const done: string[] = [];
  let fails = false;
  let mayRead = true;
  const say = async (text: string): Promise<void> => {
    if (fails) throw new Error("the broker is away");
    done.push(text);
  };
  const actions: Actions = {
    store: (collection, message) => say(`store ${collection} ${message.key}`),
    event: (topic, message, effect) => say(`event ${topic} ${message.topic.deviceId} ${effect.because}`),
    command: (deviceId, type) => say(`command ${deviceId} ${type}`),
    webhook: target => say(`webhook ${target}`),
  };
  const rules = createRules(
    {
      workspaceId: "acme",
      clock,
      actions,
      mostDevices,
      mayRead: () => mayRead,
      ...(webhooks === undefined ? {} : { webhooks }),
    },
    { schemas: new Map([["telemetry", schemaOf()]]), rules: [], ...set },
  );
  const fail = (): void => void (fails = true);
  const own = (wanted: boolean): void => void (mayRead = wanted);
  let made = 0;
  const message = (payload: unknown, over: Partial<Message["topic"]> = {}): Message => ({
    key: `k${++made}`,
    topic: { workspaceId: "acme", deviceId: "d1", category: "telemetry", type: "engine", ...over },
    payload: payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload)),
    receivedAt: clock.now(),
  });
  return { clock, rules, done, fail, own, message };
}

describe("a message", () => {
  it("has what stands at one path within another in one object, whatever the names are", () => {
    const names = ["gps.lat", "gps.lon", "gps.height", "__proto__", "a", "a.b"];
    const fields = new Map(names.map(name => [name, field({ sources: ["t"] })]));
    const schemas = new Map([["telemetry", { ...schemaOf(), fields }]]);
    const { rules, message, clock } = begin({ schemas });
    const { value } = rules.process([message({ t: 7 })], clock.now()).documents[0]!;
    expect(JSON.stringify(value)).toBe('{"gps":{"lat":7,"lon":7,"height":7},"__proto__":7,"a":{"b":7}}');
  });

  it("is stored with its typed fields, by its own time, and told to sockets", () => {
    const { rules, message, clock } = begin();
    const { documents, events, dead } = rules.process([message({ t: 81, time: 1_600_000_000 })], clock.now());
    expect(documents).toEqual([
      {
        ...{ _id: "k1", deviceId: "d1", category: "telemetry", type: "engine", schema: "telemetry@3" },
        ...{ at: new Date(1_600_000_000_000), receivedAt: new Date(clock.now()) },
        value: { engine: { temperature: 81 }, at: 1_600_000_000_000 },
      },
    ]);
    expect(events).toEqual([
      { topic: "devices/d1/telemetry/engine", data: documents[0]!.value, at: 1_600_000_000_000 },
    ]);
    expect(dead).toEqual([]);
  });

  it("without a schema is stored as it came: its JSON, or its bytes", () => {
    const { rules, message, clock } = begin();
    const deep = Buffer.from(`${"[".repeat(60)}${"]".repeat(60)}`);
    const { documents } = rules.process(
      [{ any: [1] }, Buffer.from([0xff, 0]), deep].map(one => message(one, { category: "status" })),
      clock.now(),
    );
    expect(documents.map(one => one.value)).toEqual([{ any: [1] }, Buffer.from([0xff, 0]), deep]);
    expect(documents[0]).not.toHaveProperty("schema");
  });

  it("that its schema cannot read is a dead letter with all that is wrong", () => {
    const { rules, message, clock } = begin();
    const given = [message({ t: 300, time: "never" }), message(Buffer.from("{"))];
    const { documents, dead } = rules.process(given, clock.now());
    expect(documents).toEqual([]);
    expect(dead.map(one => [one._id, one.topic, one.payload])).toEqual([
      ["k1", "acme/devices/d1/telemetry/engine", given[0]!.payload],
      ["k2", "acme/devices/d1/telemetry/engine", given[1]!.payload],
    ]);
    expect(dead[0]!.because).toMatch(/^telemetry@3 cannot read it: engine\.temperature: 300 is above 200; at: /);
    expect(dead[1]!.because).toMatch(/^telemetry@3 cannot read it: it is no JSON: /);
  });

  it.each<[string, Format, Uint8Array]>([
    ["CBOR", { kind: "cbor" }, encode({ t: 81 })],
    [
      "a binary layout",
      { kind: "binary", fields: [{ name: "t", type: "uint8", littleEndian: false, length: undefined }] },
      Buffer.from([81]),
    ],
    [
      "a line of a tracker",
      { kind: "positional", separator: ",", head: ["+T"], struct: ["", "t"] },
      Buffer.from("+T,x,81"),
    ],
  ])("is read from %s", (_, format, payload) => {
    const { rules, message, clock } = begin({ schemas: new Map([["telemetry", schemaOf(format)]]) });
    const { documents } = rules.process([message(payload)], clock.now());
    expect(documents[0]?.value).toEqual({ engine: { temperature: 81 } });
    const wrong = rules.process([message(Buffer.from([0xff, 0xff, 0xff]))], clock.now());
    expect(wrong.dead).toHaveLength(1);
  });
});

describe("rules", () => {
  it("lead to effects when they begin to hold, and remember that of each device", async () => {
    const { rules, message, clock, done } = begin({ rules: [ruleOf(HOT, [EVENT])] });
    const given = [message({ t: 81 }), message({ t: 82 }), message({ t: 81 }, { deviceId: "d2" })];
    const { effects } = rules.process(given, clock.now());
    expect(effects.map(one => one.message.key)).toEqual(["k1", "k3"]);
    await rules.act(effects);
    expect(done).toEqual(["event alarms/hot d1 begins", "event alarms/hot d2 begins"]);
  });

  it("carry out each kind of action, and count those that fail", async () => {
    const actions: readonly Action[] = [
      { kind: "store", collection: "alarms" },
      { kind: "command", deviceId: undefined, type: "stop", payload: {} },
      { kind: "command", deviceId: "pump", type: "stop", payload: {} },
      { kind: "webhook", target: "pager" },
    ];
    const { rules, message, clock, done, fail } = begin({ rules: [ruleOf(HOT, actions)] });
    const { effects } = rules.process([message({ t: 81 })], clock.now());
    await rules.act(effects);
    expect(done).toEqual(["store alarms k1", "command d1 stop", "command pump stop", "webhook pager"]);
    fail();
    await rules.act(effects);
    expect(rules.counts()).toMatchObject({ acted: 4, actionsFailed: 4, actionsUnderWay: 0 });
    expect(rules.health().lastError).toBe("rule hot (webhook): the broker is away");
  });

  it("post by webhooks where there are some, and wait for none of them at the end", async () => {
    const clock = createVirtualClock(1_700_000_000_000);
    const post = (): Promise<number> => Promise.resolve(503);
    const targets = new Map([["pager", { url: "https://hooks.example.com/", secret: undefined }]]);
    const webhooks = createWebhooks({ clock, random: () => 0.5, post, allowedHosts: [] }, targets);
    const { rules, message } = begin({ rules: [ruleOf(HOT, [{ kind: "webhook", target: "pager" }])] }, 10, webhooks);
    const acting = rules.act(rules.process([message({ t: 81 })], clock.now()).effects);
    await clock.settle();
    expect(rules.counts()).toMatchObject({ actionsUnderWay: 1, webhooksRepeated: 1 });
    await Promise.all([rules.close(), acting]);
    expect(rules.counts()).toMatchObject({ actionsUnderWay: 0, actionsFailed: 1, webhooksFailed: 1 });
  });

  it("see nothing of what is said to a device, which is stored all the same", () => {
    const { rules, message, clock } = begin({
      rules: [ruleOf({ kind: "always" }, [EVENT], { repeat: { kind: "always" } })],
    });
    const given = [message({ t: 1 }, { category: "commands" }), message({ t: 1 }, { category: "status" })];
    const { documents, effects } = rules.process(given, clock.now());
    expect([documents.length, effects.map(one => one.message.key)]).toEqual([2, ["k2"]]);
  });

  it("begin anew with another version of the rule", () => {
    const { rules, message, clock } = begin({ rules: [ruleOf(HOT, [EVENT])] });
    rules.process([message({ t: 81 })], clock.now());
    rules.set({ schemas: new Map([["telemetry", schemaOf()]]), rules: [ruleOf(HOT, [EVENT], { version: 2 })] });
    expect(rules.process([message({ t: 81 })], clock.now()).effects).toHaveLength(1);
  });

  it("begin anew where one is taken away and comes back", () => {
    const { rules, message, clock } = begin({ rules: [ruleOf(HOT, [EVENT])] });
    const schemas = new Map([["telemetry", schemaOf()]]);
    rules.process([message({ t: 81 })], clock.now());
    rules.set({ schemas, rules: [] });
    rules.set({ schemas, rules: [ruleOf(HOT, [EVENT])] });
    expect(rules.process([message({ t: 81 })], clock.now()).effects).toHaveLength(1);
  });

  it("forget the device that was heard of least lately, and say how many", () => {
    const { rules, message, clock } = begin({ rules: [ruleOf(HOT, [EVENT])] }, 2);
    for (const deviceId of ["d1", "d2", "d1", "d3"]) rules.process([message({ t: 81 }, { deviceId })], clock.now());
    expect(rules.counts()).toMatchObject({ devices: 2, forgotten: 1 });
    expect(rules.process([message({ t: 81 }, { deviceId: "d1" })], clock.now()).effects).toHaveLength(0);
    expect(rules.process([message({ t: 81 }, { deviceId: "d2" })], clock.now()).effects).toHaveLength(1);
  });

  it("notice silence, once, and only while the workspace is their own", async () => {
    const absent = ruleOf({ kind: "absence", forMs: 10_000 }, [EVENT]);
    const { rules, message, clock, done, own } = begin({ rules: [absent] });
    rules.process([message({ t: 1 })], clock.now());
    own(false);
    await clock.advance(12_000);
    expect(done).toEqual([]);
    own(true);
    await clock.advance(30_000);
    expect(done).toEqual(["event alarms/hot d1 begins"]);
    rules.process([message({ t: 1 })], clock.now());
    await clock.advance(30_000);
    expect(done).toHaveLength(2);
    await rules.close();
    await clock.advance(60_000);
    expect([done.length, clock.nextAt()]).toEqual([2, undefined]);
  });
});
