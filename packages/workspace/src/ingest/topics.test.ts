import { parseTopic } from "@skep/core/workspace/topic.ts";
import { describe, expect, it } from "vitest";
import { createTopicReader } from "./topics.ts";

describe("topics", () => {
  it("are taken apart once, and what is no topic of a device never is", () => {
    const read = createTopicReader();
    expect(read("acme/devices/d1/telemetry/x")).toEqual(parseTopic("acme/devices/d1/telemetry/x"));
    expect(read("acme/devices/d1/telemetry/x")).toBe(read("acme/devices/d1/telemetry/x"));
    expect([read("acme/devices/d1"), read("acme/devices/d1")]).toEqual([undefined, undefined]);
  });

  it("are remembered up to a bound, however many a device invents", () => {
    const read = createTopicReader();
    const first = read("acme/devices/d1/telemetry/0");
    for (let n = 1; n <= 5_000; n += 1) read(`acme/devices/d1/telemetry/${n}`);
    expect(read("acme/devices/d1/telemetry/0")).toEqual(first);
    expect(read("acme/devices/d1/telemetry/0")).not.toBe(first);
  });
});
