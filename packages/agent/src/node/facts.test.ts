import { expect, test } from "vitest";
import type { EngineFacts } from "../engine/engine.ts";
import { toBootId } from "./facts.ts";

const facts: EngineFacts = {
  nodeId: "node-1",
  address: "10.0.0.1",
  hostname: "host-1",
  manager: false,
  cores: 4,
  memoryBytes: 2 ** 30,
  os: "linux",
  architecture: "x86_64",
  version: "20.10.24",
  apiVersion: "1.41",
  labels: {},
  startIdentity: "start-1",
};

test("a life of the node has one name, and another boot or start of the engine has another", () => {
  const first = toBootId("boot-1", facts);
  expect(toBootId("boot-1", facts)).toBe(first);
  expect(toBootId("boot-1", { ...facts })).toBe(first);
  expect(toBootId("boot-2", facts)).not.toBe(first);
  expect(toBootId("boot-1", { ...facts, startIdentity: "start-2" })).not.toBe(first);
});
