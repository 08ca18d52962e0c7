import { ConfigError } from "@skep/kit/config.ts";
import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const range = (from: number, to: number): ReturnType<typeof readConfig> =>
  readConfig({ SKEP_PORT_FROM: String(from), SKEP_PORT_TO: String(to) });

test("the range of the tenants' host ports is taken as it is given, down to one port", () => {
  expect(readConfig({})).toMatchObject({ portFrom: 20_000, portTo: 29_999 });
  expect(range(30_000, 30_000)).toMatchObject({ portFrom: 30_000, portTo: 30_000 });
});

test.each([
  [20_001, 20_000, "is empty"],
  [1_000, 1_100, "holds 1000, 1001, 1002, which no tenant may have"],
  [4_000, 5_000, "holds 4222, 4789, 5000, which no tenant may have"],
  [7_709, 7_900, "holds 7709, which no tenant may have"],
])("a node with the host ports %i to %i does not begin: the range %s", (from, to, why) => {
  expect(() => range(from, to)).toThrow(ConfigError);
  expect(() => range(from, to)).toThrow(`SKEP_PORT_FROM=${from} to SKEP_PORT_TO=${to} ${why}`);
});
