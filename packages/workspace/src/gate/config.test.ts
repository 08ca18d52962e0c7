import { brokerConfig } from "@skep/core/workspace/broker-files.ts";
import { expect, it, vi } from "vitest";
import { readGateConfig } from "./config.ts";

it("lets no device send a packet that the broker would drop and acknowledge", () => {
  vi.stubEnv("SKEP_MQTT_PACKET_BYTES", "262144");
  expect(brokerConfig("/x")).toContain(`message_size_limit ${readGateConfig().mostBytes}\n`);
  vi.stubEnv("SKEP_MQTT_PACKET_BYTES", "262145");
  expect(readGateConfig).toThrow("must be at most 262144: brokers drop what is larger");
});
