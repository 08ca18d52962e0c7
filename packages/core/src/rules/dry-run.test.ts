import { describe, expect, it } from "vitest";
import { chooseSchema } from "./choose-schema.ts";
import { dryRun, type TriedMessage } from "./dry-run.ts";
import { readRule } from "./read-rule.ts";
import { readSchema } from "./read-schema.ts";
import type { Schema } from "./schema.ts";

const rule = (over: object) => readRule({ id: "hot", actions: [{ kind: "event", topic: "alarm" }], ...over }, 1).value!;
const HOT = rule({
  when: { kind: "threshold", field: "t", is: ">", value: 80 },
  clearActions: [{ kind: "event", topic: "calm" }],
});
const GONE = rule({ id: "gone", when: { kind: "absence", forMs: 60_000 } });

const schemas = (...references: readonly string[]): ReadonlyMap<string, Schema> =>
  new Map(
    references.map(reference => [reference, readSchema({ reference, fields: { t: { type: "number" } } }, 1).value!]),
  );

const message = (t: unknown, at: number, deviceId = "d1"): TriedMessage => ({
  ...{ deviceId, category: "telemetry", type: "sensors", at },
  read: () => ({ value: { t } }),
});

const told = (...args: Parameters<typeof dryRun>): readonly string[] =>
  dryRun(...args).map(({ deviceId, at, isSilence, problem, effects }) => {
    const what = effects.map(one => `${one.because} ${one.ruleId}`).join() || problem || "nothing";
    return `${deviceId} ${at}${isSilence ? " silent" : ""}: ${what}`;
  });

describe("a dry run", () => {
  it("tells what each message would lead to, device by device", () => {
    const messages = [message(81, 1), message(1, 2, "d2"), message(82, 3), message(1, 4)];
    expect(told([HOT], schemas("telemetry.sensors"), messages, 5)).toEqual([
      ...["d1 1: begins hot", "d2 2: nothing", "d1 3: nothing", "d1 4: ends hot"],
    ]);
  });

  it("tells why a message would be set aside, and lets it change nothing", () => {
    const unread: TriedMessage = { ...message(1, 2), read: () => ({ problem: "it has 3 bytes" }) };
    const messages = [message(81, 1), message("warm", 2), unread, message(82, 3)];
    expect(told([HOT], schemas("telemetry"), messages, 5)).toEqual([
      ...["d1 1: begins hot", 'd1 2: t: "warm" is not a number', "d1 2: it has 3 bytes", "d1 3: nothing"],
    ]);
  });

  it("tells of silences between messages and after them, once", () => {
    const messages = [message(1, 1_000), message(1, 2_000, "d2"), message(1, 100_000), message(1, 101_000)];
    expect(told([GONE], schemas("default"), messages, 500_000)).toEqual([
      ...["d1 1000: nothing", "d2 2000: nothing", "d1 61000 silent: begins gone", "d2 62000 silent: begins gone"],
      ...["d1 100000: nothing", "d1 101000: nothing", "d1 161000 silent: begins gone"],
    ]);
    expect(told([GONE], schemas("default"), messages, 160_999)).toHaveLength(6);
  });

  it("takes typed fields as they are, and no field of what no schema types", () => {
    const typed: TriedMessage = { ...message(0, 1), read: { fields: new Map([["t", 90]]) } };
    expect(told([HOT], new Map(), [typed, message(95, 2, "d2")], 3)).toEqual(["d1 1: begins hot", "d2 2: nothing"]);
  });
});

describe("the schema of a message", () => {
  it.each([
    ["telemetry.sensors", "sensors", ["telemetry.sensors", "telemetry", "default"]],
    ["telemetry", "location", ["telemetry.sensors", "telemetry", "default"]],
    ["default", "location", ["telemetry.sensors", "default"]],
    ["telemetry", "", ["telemetry.", "telemetry", "default"]],
    [undefined, "location", ["telemetry.sensors", "status"]],
  ])("is %s for the type %j of those that there are", (found, type, references) => {
    expect(
      chooseSchema(schemas(...references.filter(one => !one.endsWith("."))), { category: "telemetry", type })
        ?.reference,
    ).toBe(found);
  });
});
