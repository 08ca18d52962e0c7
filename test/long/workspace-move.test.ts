import { describe } from "vitest";
import { usePlatform } from "../swarm/platform.ts";
import { workspaceMoveScenarios } from "../swarm/scenarios/workspace-move.ts";

describe("a workspace on a Swarm of three engines", () => {
  workspaceMoveScenarios(usePlatform(), { devices: 2_000, everyMs: 4_000 });
});
