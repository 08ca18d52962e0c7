import { afterAll, beforeAll, describe } from "vitest";
import { downPlatform, upPlatform, type Platform } from "../swarm/platform.ts";
import { workspaceLossScenarios } from "../swarm/scenarios/workspace-loss.ts";

// As test/swarm has it, with four times as many messages.
describe("losing the node of a workspace while devices publish much", () => {
  let platform: Platform | undefined;
  beforeAll(async () => {
    platform = await upPlatform();
  });
  afterAll(downPlatform);

  workspaceLossScenarios(
    () => {
      if (!platform) throw new Error("the platform did not come up, see above");
      return platform;
    },
    { devices: 2_000, everyMs: 1_000 },
  );
});
