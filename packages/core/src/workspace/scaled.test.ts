import { expect, it } from "vitest";
import { aConnector } from "../testing/connector.ts";
import { limitsOf } from "./connector.ts";
import { scaled } from "./scaled.ts";

const workspace = (instances: number, databasePool = 10) => ({
  ...{ instances, databasePool },
  connector: aConnector({}, {}, { messagesPerSecond: 100 }),
});

it("has the room of so many instances, and each socket what it had", () => {
  const { connector, databasePool } = scaled(workspace(3));
  expect([databasePool, limitsOf(connector), connector.config.resources.specs.messagesPerSecond]).toEqual([
    30,
    { sockets: 1_500, events: 100, channels: 50 },
    300,
  ]);
});

it("is as it was with one, and no larger than anything may be", () => {
  expect(scaled(workspace(1))).toEqual(workspace(1));
  expect(scaled(workspace(1_000, 400)).databasePool).toBe(500);
  expect(limitsOf(scaled(workspace(1_000)).connector).sockets).toBe(100_000);
  const { messagesPerSecond: _, ...specs } = aConnector().config.resources.specs;
  const unbound = { ...workspace(2), connector: aConnector({}, {}, specs) };
  expect(scaled(unbound).connector.config.resources.specs).not.toHaveProperty("messagesPerSecond");
});
