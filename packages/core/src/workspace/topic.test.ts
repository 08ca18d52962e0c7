import { describe, expect, it, test } from "vitest";
import {
  deviceFilter,
  isFilter,
  LONGEST_FILTER,
  matches,
  mayPublish,
  maySubscribe,
  parseTopic,
  topicOf,
} from "./topic.ts";

const device = { workspaceId: "ws1", deviceId: "d-1" };

test("A topic is taken apart and put together again", () => {
  const topic = { ...device, category: "telemetry", type: "location" };
  expect(parseTopic("ws1/devices/d-1/telemetry/location")).toEqual(topic);
  expect(topicOf(topic)).toBe("ws1/devices/d-1/telemetry/location");
  expect(parseTopic("ws1/devices/d-1/status")).toEqual({ ...device, category: "status", type: "" });
  expect(topicOf({ ...device, category: "status", type: "" })).toBe("ws1/devices/d-1/status");
});

test.each([
  "",
  "ws1",
  "ws1/devices/d-1",
  "ws1/device/d-1/telemetry/x",
  "WS1/devices/d-1/telemetry/x",
  "ws1/devices//telemetry/x",
  "ws1/devices/d-1//x",
  "ws1/devices/d-1/telemetry/",
  "ws1/devices/d-1/telemetry/x/y",
  "ws1/devices/+/telemetry/x",
  "ws1/devices/d-1/telemetry/#",
  "ws1/devices/d 1/telemetry/x",
  "/ws1/devices/d-1/telemetry/x",
  `ws1/devices/${"d".repeat(129)}/telemetry/x`,
])("%j is no topic of a device", topic => {
  expect(parseTopic(topic)).toBeUndefined();
});

describe("a device", () => {
  it("publishes to its own topics, and gives itself no commands", () => {
    expect(mayPublish("ws1/devices/d-1/telemetry/location", device)).toBe(true);
    expect(mayPublish("ws1/devices/d-1/status", device)).toBe(true);
    expect(mayPublish("ws1/devices/d-1/commands/reboot", device)).toBe(false);
  });

  it.each([
    "ws1/devices/d-2/telemetry/x",
    "ws2/devices/d-1/telemetry/x",
    "ws1/devices/d-1x/telemetry/x",
    "$SYS/broker/uptime",
    "ws1/devices/d-1/+/x",
  ])("does not publish to %s", topic => {
    expect(mayPublish(topic, device)).toBe(false);
  });

  it.each([
    "ws1/devices/d-1/commands/#",
    "ws1/devices/d-1/commands/reboot",
    "ws1/devices/d-1/+/x",
    "ws1/devices/d-1/#",
  ])("subscribes to %s", filter => {
    expect(maySubscribe(filter, device)).toBe(true);
  });

  it.each([
    "#",
    "+/devices/d-1/#",
    "ws1/#",
    "ws1/devices/#",
    "ws1/devices/+/commands/x",
    "ws1/devices/d-1",
    "ws1/devices/d-2/#",
    "$share/g/ws1/devices/d-1/#",
    "ws1/devices/d-1/#/x",
    "ws1/devices/d-1/a+",
    `ws1/devices/d-1/${"x".repeat(LONGEST_FILTER)}`,
  ])("does not subscribe to %s", filter => {
    expect(maySubscribe(filter, device)).toBe(false);
  });
});

test.each<[string, string, boolean]>([
  ["a/b", "a/b", true],
  ["a/+", "a/b", true],
  ["a/+", "a", false],
  ["a/+", "a/b/c", false],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["a/b/c", "a/b", false],
  ["#", "a", true],
  ["#", "$SYS/x", false],
  ["+/x", "$SYS/x", false],
  ["$SYS/#", "$SYS/x", true],
  ["a/+/c", "a//c", true],
])("The filter %s means %s: %s", (filter, topic, expected) => {
  expect(matches(filter, topic)).toBe(expected);
});

test("Wildcards stand for whole levels", () => {
  expect(["a", "+", "#", "a/+/b", "a/#", "/"].every(isFilter)).toBe(true);
  expect(["", "a#", "a/#/b", "+a", "a\0"].some(isFilter)).toBe(false);
  expect(deviceFilter("ws1")).toBe("ws1/devices/#");
});
