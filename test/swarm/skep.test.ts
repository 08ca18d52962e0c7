import { describe } from "vitest";
import { usePlatform } from "./platform.ts";
import { badInputScenarios } from "./scenarios/bad-input.ts";
import { clonedScenarios } from "./scenarios/cloned.ts";
import { deployScenarios } from "./scenarios/deploy.ts";
import { drainScenarios } from "./scenarios/drain.ts";
import { edgeLabelScenarios } from "./scenarios/edge-labels.ts";
import { exclusiveScenarios } from "./scenarios/exclusive.ts";
import { healingScenarios } from "./scenarios/healing.ts";
import { leaderLossScenarios } from "./scenarios/leader-loss.ts";
import { lightsOutScenarios } from "./scenarios/lights-out.ts";
import { nodeLossScenarios } from "./scenarios/node-loss.ts";
import { protocolScenarios } from "./scenarios/protocols.ts";
import { recoveryScenarios } from "./scenarios/recovery.ts";
import { stolenScenarios } from "./scenarios/stolen.ts";
import { volumeScenarios } from "./scenarios/volumes.ts";
import { workspaceLossScenarios } from "./scenarios/workspace-loss.ts";

// One platform for all: three real engines with the production stack file. Each scenario leaves it
// whole for the next.
describe("Skep on a Swarm of three engines", () => {
  const given = usePlatform();

  describe("deploying", () => deployScenarios(given));
  describe("speaking every protocol on one port", () => protocolScenarios(given));
  describe("refusing what is wrong", () => badInputScenarios(given));
  describe("sharing the edges", () => edgeLabelScenarios(given));
  describe("losing an agent's credential to a thief", () => stolenScenarios(given));
  describe("cloning a node", () => clonedScenarios(given));
  describe("healing", () => healingScenarios(given));
  describe("draining a worker", () => drainScenarios(given));
  describe("losing the leading scheduler", () => leaderLossScenarios(given));
  describe("losing a node", () => nodeLossScenarios(given));
  describe("keeping volume data", () => volumeScenarios(given));
  describe("losing the node of a workspace", () => workspaceLossScenarios(given, { devices: 2_000, everyMs: 4_000 }));
  describe("moving an exclusive app", () => exclusiveScenarios(given));
  describe("losing the whole control plane", () => lightsOutScenarios(given));
  // The last of all: it changes the records under everything.
  describe("recovering the records", () => recoveryScenarios(given));
});
