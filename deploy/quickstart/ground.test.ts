import { describe, expect, it } from "vitest";
import { whyNoGround } from "./ground.ts";

describe("why a start has nothing to stand on", () => {
  it("says that nobody could be asked, and how to answer beforehand", () => {
    expect(whyNoGround("--local-engine", "nobody")).toContain("set SKEP_SWARM_INIT=yes");
  });

  it("tells a refusal from an engine that is not there", () => {
    expect(whyNoGround("--local-engine", "no")).toContain("nothing was started");
    expect(whyNoGround("--local-engine", undefined)).toContain("Start Docker");
  });
});
