import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startCommandTest, type CommandTest, type Outcome } from "../testing/command.ts";

let test: CommandTest;
beforeAll(async () => {
  test = await startCommandTest();
  expectOk(await test.skep("workspace create fleet"));
});
afterAll(() => test[Symbol.asyncDispose]());

function expectOk(outcome: Outcome): string {
  expect(outcome.err).toBe("");
  expect(outcome.code).toBe(0);
  return outcome.out;
}

const RULES = `
- reference: telemetry
  fields: { t: { type: number, sources: [temp], unit: °C, sentUnit: °F } }
- reference: raw
  format: { kind: positional, head: ["*HQ"], struct: [imei, t] }
  fields: { t: { type: number } }
- reference: bytes
  format: { kind: binary, fields: [{ name: t, type: uint8 }] }
  fields: { t: { type: number } }
- id: hot
  when: { kind: threshold, field: t, is: ">", value: 80 }
  actions: [{ kind: event, topic: alarm }, { kind: command, type: slow }]
  clearActions: [{ kind: store, collection: calm }]
- id: gone
  when: { kind: absence, forMs: 60000 }
  actions: [{ kind: webhook, target: ops }]
`;
const MESSAGES = [
  { topic: "fleet/devices/d1/telemetry/sensors", payload: { temp: 212 }, at: "2026-11-21T06:00:00Z" },
  { topic: "fleet/devices/d1/telemetry/sensors", payload: { temp: "warm" } },
  { topic: "fleet/devices/d1/telemetry/sensors", payload: { temp: 32 } },
  { topic: "fleet/devices/d2/raw/line", payload: "*HQ,123,99" },
  { topic: "fleet/devices/d3/bytes/x", base64: "Wg==" },
  { topic: "fleet/devices/d4/other/x", fields: { t: 81 } },
];

beforeEach(() => {
  test.write("rules.yaml", RULES);
  test.write("day.jsonl", MESSAGES.map(one => JSON.stringify(one)).join("\n"));
});

describe("skep rule", () => {
  it("puts what a file has, lists it, shows it and deletes it", async () => {
    expect(expectOk(await test.skep("rule put fleet -f rules.yaml"))).toMatch(
      /^rule\s+hot\s+1\s+\d+s\s+anonymous\s+on$/m,
    );
    expect(expectOk(await test.skep("rule put fleet -f rules.yaml"))).toMatch(/^rule\s+hot\s+1\s/m);
    test.write(
      "off.json",
      JSON.stringify({ id: "hot", enabled: false, when: { kind: "always" }, actions: [{ kind: "event", topic: "a" }] }),
    );
    expect(expectOk(await test.skep("rule put fleet -f off.json"))).toMatch(/^rule\s+hot\s+2\s.*\soff$/m);
    expect(expectOk(await test.skep("rule list fleet --kind schema")).split("\n")).toHaveLength(5);
    expect(JSON.parse(expectOk(await test.skep("rule show fleet hot")))).toMatchObject({ id: "hot", enabled: false });
    expect(expectOk(await test.skep("rule rm fleet hot"))).toBe("hot: is deleted\n");
    expect(expectOk(await test.skep("rule versions fleet hot"))).toMatch(
      /hot\s+3\s.*deleted\n.*hot\s+2\s.*off\n.*hot\s+1\s.*on/,
    );
    expect((await test.skep("rule show fleet hot")).code).toBe(5);
    expect(expectOk(await test.skep("rule rm fleet bytes --kind schema"))).toBe("bytes: is deleted\n");
  });

  it("tells what rules would make of messages of every format, and does nothing", async () => {
    const out = expectOk(await test.skep("rule test -f rules.yaml --messages day.jsonl --silence 60"));
    const lines = out.split("\n").map(line => line.replace(/\s+/g, " "));
    expect(lines).toContain("1 2026-11-21T06:00:00.000Z d1 hot begins event alarm");
    expect(lines).toContain("1 2026-11-21T06:00:00.000Z d1 hot begins command slow");
    expect(lines).toContain('2 2026-11-21T06:00:01.000Z d1 - set aside t: "warm" is not a number');
    expect(lines).toContain("3 2026-11-21T06:00:02.000Z d1 hot ends store in calm");
    expect(lines).toContain("4 2026-11-21T06:00:03.000Z d2 hot begins event alarm");
    expect(lines).toContain("5 2026-11-21T06:00:04.000Z d3 hot begins event alarm");
    expect(lines).toContain("6 2026-11-21T06:00:05.000Z d4 hot begins event alarm");
    expect(lines).toContain("6 2026-11-21T06:01:05.000Z d4 gone begins, silent webhook ops");
    expect(out).toContain("6 messages, 13 effects, 1 set aside; nothing was done\n");
    const json = JSON.parse(
      expectOk(await test.skep("rule test -f rules.yaml --messages day.jsonl -o json")),
    ) as object[];
    expect(json[0]).toMatchObject({
      index: 0,
      schema: "telemetry",
      effects: [{ ruleId: "hot", because: "begins" }, {}],
    });
  });

  it("tries the recorded rules, and a file's in place of those of its names", async () => {
    expectOk(await test.skep("rule put fleet -f rules.yaml"));
    const recorded = expectOk(await test.skep("rule test fleet --messages day.jsonl"));
    expect(recorded).toContain("9 effects");
    test.write("never.yaml", "id: hot\nenabled: false\nwhen: { kind: always }\nactions: [{ kind: event, topic: a }]\n");
    expect(expectOk(await test.skep("rule test fleet -f never.yaml --messages day.jsonl"))).toContain(" 0 effects");
  });

  it("says of a rule that no schema reads its messages, wherever it is put, listed or tried", async () => {
    expectOk(await test.skep("workspace create plain"));
    const [, hot = ""] = /(- id: hot\n[^]*?)- id: gone/.exec(RULES) ?? [];
    test.write("blind.yaml", hot);
    const told =
      /^skep: no schema reads the messages that rule hot looks at, so its condition never sees t: put a schema/;
    expect((await test.skep("rule put plain -f blind.yaml")).err).toMatch(told);
    expect((await test.skep("rule list plain")).err).toMatch(told);
    const tried = await test.skep("rule test -f blind.yaml --messages day.jsonl");
    expect(tried.err).toMatch(told);
    expect(tried.out).toContain("5 read by no schema, whose fields no condition sees; nothing was done");
    expect((await test.skep("rule test -f blind.yaml --messages day.jsonl -o json")).err).toBe("");
    test.write("other.yaml", "reference: telemetry\nfields: { u: { type: number } }\n");
    expect((await test.skep("rule put plain -f other.yaml")).err).toContain("put the fields into that schema");
    test.write("schema.yaml", "reference: telemetry\nfields: { t: { type: number } }\n");
    expectOk(await test.skep("rule put plain -f schema.yaml"));
  });

  it("does by the README's rules what the README says of its device's message", async () => {
    const readme = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
    const [, rules = ""] = /```yaml\n# rules.yaml\n([^]*?)```/.exec(readme) ?? [];
    const [, topic = "", payload = ""] = /-t (\S+) -m '([^']+)'/.exec(readme) ?? [];
    test.write("readme.yaml", rules);
    test.write("readme.jsonl", JSON.stringify({ topic, payload: JSON.parse(payload) as object }));
    const out = expectOk(await test.skep("rule test -f readme.yaml --messages readme.jsonl"));
    expect(out).toMatch(/yours\s+warm\s+begins\s+event alarm/);
    expectOk(await test.skep("workspace create readme"));
    expectOk(await test.skep("rule put readme -f readme.yaml"));
  });

  it.each([
    ["rule put fleet -f broken.yaml", "document.when.kind"],
    ["rule put fleet -f list.yaml", "list.yaml[0]: it is neither a rule nor a schema"],
    ["rule put fleet", "required option '-f, --file <FILE>'"],
    ["rule test --messages day.jsonl", "Name a workspace, or a file of rules"],
    ["rule test -f broken.yaml --messages day.jsonl", "broken.yaml when.kind"],
    ["rule test -f rules.yaml --messages none.jsonl", "none.jsonl:1: its topic is none of a device"],
    ["rule test -f rules.yaml --messages both.jsonl", "both.jsonl:2: it needs one of `payload`, `base64` and `fields`"],
    ["rule test -f rules.yaml --messages bad.jsonl", "bad.jsonl:1: "],
    ["rule test -f rules.yaml --messages time.jsonl", "time.jsonl:1: `at` is no time"],
  ])("refuses `%s`, by its place", async (line, told) => {
    test.write("broken.yaml", "id: hot\nwhen: { kind: script }\nactions: []\n");
    test.write("list.yaml", "- 7\n");
    test.write("none.jsonl", '{"topic":"fleet","payload":{}}');
    const topic = "fleet/devices/d/telemetry";
    test.write("both.jsonl", `\n${JSON.stringify({ topic, payload: {}, base64: "" })}\n`);
    test.write("bad.jsonl", "{");
    test.write("time.jsonl", JSON.stringify({ topic, payload: {}, at: "soon" }));
    const { code, err } = await test.skep(line);
    expect(err).toContain(told);
    expect(code).toBe(2);
  });
});
