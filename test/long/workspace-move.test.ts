import { afterAll, beforeAll, describe } from "vitest";
import { downPlatform, upPlatform, type Platform } from "../swarm/platform.ts";
import { workspaceMoveScenarios } from "../swarm/scenarios/workspace-move.ts";

describe("a workspace on a Swarm of three engines", () => {
  let platform: Platform | undefined;
  const given = (): Platform => {
    if (!platform) throw new Error("the platform did not come up, see above");
    return platform;
  };

  beforeAll(async () => {
    platform = await upPlatform();
  });
  afterAll(downPlatform);

  workspaceMoveScenarios(given, { devices: 2_000, everyMs: 4_000 });
});
