import { expect, test } from "vitest";
import { instancesFor, MACHINES, machineFor, sizeOf } from "./sizing.ts";

test("The database has 20 MB, 5 KB a device and 1 KB a daily message", () => {
  expect(sizeOf({ devices: 0, messagesPerDay: 0, connections: 0 }).databaseMb).toBe(20);
  expect(sizeOf({ devices: 1024, messagesPerDay: 0, connections: 0 }).databaseMb).toBe(25);
  expect(sizeOf({ devices: 0, messagesPerDay: 2048, connections: 0 }).databaseMb).toBe(22);
  expect(sizeOf({ devices: 1, messagesPerDay: 0, connections: 0 }).databaseMb).toBe(21);
});

test("Memory is 128 MB and 512 KB a connection", () => {
  expect(sizeOf({ devices: 0, messagesPerDay: 0, connections: 0 }).memoryMb).toBe(128);
  expect(sizeOf({ devices: 0, messagesPerDay: 0, connections: 100 }).memoryMb).toBe(178);
});

test("A thousand devices share a connection to the broker", () => {
  const connections = [0, 1, 1000, 1001, 30_000].map(
    devices => sizeOf({ devices, messagesPerDay: 0, connections: 0 }).brokerConnections,
  );
  expect(connections).toEqual([1, 1, 1, 2, 30]);
});

test("30,000 vehicles of two messages a second need 60, 20, 10 and 5 instances", () => {
  expect(instancesFor({ devices: 30_000, messagesPerSecond: 2, usage: 1 })).toEqual({
    messagesPerSecond: 60_000,
    ingestion: 60,
    frontdoor: 20,
    consumption: 10,
    registry: 5,
  });
  expect(instancesFor({ devices: 30_000, messagesPerSecond: 2, usage: 0.6 })).toMatchObject({
    messagesPerSecond: 36_000,
    ingestion: 36,
  });
  expect(instancesFor({ devices: 100_000, messagesPerSecond: 1, usage: 0.07 }).ingestion).toBe(7);
});

test("The smallest machine of the table that holds a size is answered", () => {
  const names = [
    [1, 1],
    [1, 4097],
    [100 * 1024 + 1, 1],
    [1, 16 * 1024 + 1],
    [1, 99_999],
  ].map(([databaseMb = 0, memoryMb = 0]) => machineFor({ databaseMb, memoryMb }).name);
  expect(names).toEqual(["least", "small", "medium", "large", "large"]);
  expect(MACHINES.map(one => [one.cores, one.memoryGb, one.storageGb, one.networkGbps])).toEqual([
    [2, 4, 20, 0],
    [4, 8, 100, 1],
    [8, 16, 250, 1],
    [16, 32, 500, 10],
  ]);
});
