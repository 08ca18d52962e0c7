import { describe, expect, test } from "vitest";
import { anAssignment } from "./testing/builders.ts";
import { box, runningRig } from "./testing/running.ts";

describe("fences", () => {
  test("an assignment of a lower term or revision is refused, a fetched one as well", async () => {
    const rig = await runningRig([box()]);
    rig.scheduler.assign(anAssignment({ term: 3, revision: 4, instances: [box()] }));
    await rig.clock.advance(500);
    rig.scheduler.assign(anAssignment({ term: 2, revision: 9, instances: [box({ desired: "stop" })] }));
    await rig.clock.advance(40_000);
    expect(rig.running()).toHaveLength(1);
    expect(rig.scheduler.beats.at(-1)).toMatchObject({ appliedTerm: 3, appliedRevision: 4 });
    expect(rig.lines.filter(line => line.event === "assignment.refused").length).toBeGreaterThanOrEqual(2);
  });

  test("a lower epoch is not run again, after a restart of the agent either", async () => {
    const rig = await runningRig([box({ epoch: 5 })]);
    rig.scheduler.assign(anAssignment({ revision: 2, instances: [box({ epoch: 5, desired: "stop" })] }));
    await rig.clock.advance(3_000);
    rig.kill();
    await rig.revive();
    rig.scheduler.assign(anAssignment({ revision: 3, instances: [box({ epoch: 4 })] }));
    await rig.clock.advance(5_000);
    expect(rig.running()).toEqual([]);
    expect(rig.lines.some(line => line.event === "instance.fenced")).toBe(true);
  });
});

describe("strangers", () => {
  const labels = {
    "skep.tenant": "acme",
    "skep.deployment": "acme.old",
    "skep.instance": "acme.old.7",
    "skep.epoch": "2",
    "skep.release": "1",
    "skep.container": "app",
    "skep.role": "app",
  };

  test("are reported and left alone until a removal names them", async () => {
    const rig = await runningRig();
    rig.engine.plant(labels);
    await rig.clock.advance(15_000);
    expect(rig.scheduler.reports.flatMap(report => report.strangers).at(-1)).toMatchObject({
      tenantId: "acme",
      deploymentId: "acme.old",
      status: { instanceId: "acme.old.7", epoch: 2, state: "running" },
    });
    expect(rig.running()).toHaveLength(2);
    rig.scheduler.assign(
      anAssignment({
        revision: 2,
        instances: [box()],
        removals: [{ instanceId: "acme.old.7", epoch: 2, because: "no record explains it" }],
      }),
    );
    await rig.clock.advance(3_000);
    expect(rig.running()).toEqual(["skep-acme.web.1-e1-app"]);
  });

  test("an empty assignment kills nothing", async () => {
    const rig = await runningRig();
    rig.scheduler.assign(anAssignment({ revision: 2 }));
    await rig.clock.advance(15_000);
    expect(rig.running()).toHaveLength(1);
  });
});
