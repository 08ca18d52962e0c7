import type { ContainerSpec } from "@skep/core/model/deployment.ts";
import { describe, expect, test } from "vitest";
import { aContainer, anAssignment, aSpec } from "./testing/builders.ts";
import { openRig } from "./testing/rig.ts";
import { box, known } from "./testing/running.ts";

describe("six instances that crash at once", () => {
  const eager = { condition: "any", delayMs: 0, maxDelayMs: 0, maxAttempts: undefined, windowMs: 0 } as const;
  const looping = [1, 2, 3, 4, 5, 6].map(serial => {
    const containers = [aContainer({ image: "box", env: { CRASH: "yes" } })];
    const spec = aSpec({ containers, restart: eager });
    return box({ instanceId: `aaa.web.${serial}`, tenantId: "aaa", spec });
  });
  const programs = (container: ContainerSpec) =>
    container.env["CRASH"] === undefined
      ? { lines: [], runsMs: undefined, exitCode: 0 }
      : { lines: [], runsMs: 1, exitCode: 1 };

  test("keep no other tenant from starting, whatever their restart policy says", async () => {
    const rig = await openRig({ images: ["box"], programs, delays: { startMs: 1_000 } });
    rig.scheduler.assign(anAssignment({ instances: looping }));
    await rig.clock.advance(5_000);
    const mmm = box({ instanceId: "mmm.web.1", tenantId: "mmm" });
    rig.scheduler.assign(anAssignment({ revision: 2, instances: [...looping, mmm] }));
    expect(await rig.clock.runUntil(() => known(rig, "mmm.web.1@1")?.state === "running", 3_000)).toBe(true);
  });

  test("are started ever less often", async () => {
    const rig = await openRig({ images: ["box"], programs, delays: { startMs: 10 } });
    let starts = 0;
    const start = rig.engine.start.bind(rig.engine);
    rig.engine.start = id => {
      starts++;
      return start(id);
    };
    rig.scheduler.assign(anAssignment({ instances: looping.slice(0, 1) }));
    await rig.clock.advance(60_000);
    expect(starts).toBeLessThanOrEqual(12);
  });
});
