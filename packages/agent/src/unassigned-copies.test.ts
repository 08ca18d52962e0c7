import { describe, expect, test } from "vitest";
import { identityLabels } from "./engine/labels.ts";
import { EMPTY_ENTRY } from "./loop/journal.ts";
import { aContainer, aSpec, anAssignment, anInstance } from "./testing/builders.ts";
import { openRig, settle, type Rig } from "./testing/rig.ts";

const spec = aSpec({ exclusive: true, containers: [aContainer({ image: "box" })] });

/** A node whose agent has neither a journal nor an assignment, and on which a copy runs. */
async function start(leases: "granted" | "refused" | "unanswered", isExclusive = true): Promise<Rig> {
  const rig = await openRig({ images: ["box"] });
  if (leases === "unanswered") rig.scheduler.leaseMs = undefined;
  rig.scheduler.refusesLeases = leases === "refused";
  rig.engine.plant(
    identityLabels({
      ...{ tenantId: "acme", deploymentId: "acme.web", instanceId: "acme.web.1", epoch: 1, release: 1 },
      ...{ container: "app", role: "app", specHash: "h", isExclusive },
    }),
  );
  await rig.clock.advance(1_000);
  return rig;
}

const states = (rig: Rig): string[] => rig.engine.containers().map(one => one.state);

describe("An exclusive copy that no assignment names", () => {
  for (const leases of ["refused", "unanswered"] as const) {
    test(`is stopped soon where its lease is ${leases}, and never removed`, async () => {
      const rig = await start(leases);
      await rig.clock.advance(6_000);
      expect(states(rig)).toEqual(["exited"]);
      const asked = rig.scheduler.heard.filter(kind => kind === "lease").length;
      const [claim] = rig.scheduler.lastClaims();
      expect(claim).toMatchObject({ instanceId: "acme.web.1", epoch: 1, isHeld: false });
      await rig.clock.advance(120_000);
      expect(states(rig)).toEqual(["exited"]);
      expect(rig.scheduler.heard.filter(kind => kind === "lease").length).toBe(asked);
    });
  }

  test("runs on by a lease, is its guard's as well, and is stopped when the lease ends", async () => {
    const rig = await start("granted");
    await rig.clock.advance(60_000);
    expect(states(rig)).toEqual(["running"]);
    expect(rig.scheduler.lastClaims().map(one => one.isHeld)).toEqual([true]);
    rig.scheduler.leaseMs = undefined;
    await rig.clock.advance(9_000);
    expect(states(rig)).toEqual(["running"]);
    await rig.clock.advance(4_500);
    expect(states(rig)).toEqual(["exited"]);
  });

  test("is ended by the guard where its agent dies", async () => {
    const rig = await start("granted");
    rig.kill();
    await rig.clock.advance(15_000);
    expect(states(rig)).toEqual(["exited"]);
  });

  test("is stopped before its agent leaves a drained node", async () => {
    const rig = await start("granted");
    rig.scheduler.assign(anAssignment({ availability: "drain" }));
    await rig.clock.advance(5_000);
    expect(states(rig)).toEqual(["running"]);
    rig.engine.setDelays({ stopMs: 5_000 });
    await settle(rig, rig.agent.stop());
    expect(states(rig)).toEqual(["exited"]);
    expect(rig.lines.map(line => line.event)).toContain("agent.exclusive-stopped");
  });

  test("is removed where a removal names it, also without a lease", async () => {
    const rig = await start("refused");
    const removal = { instanceId: "acme.web.1", epoch: 1, because: "no record explains it" };
    rig.scheduler.assign(anAssignment({ removals: [removal] }));
    await rig.clock.advance(30_000);
    expect(states(rig)).toEqual([]);
  });

  test("is known by its labels after the journal is lost", async () => {
    const rig = await openRig({ images: ["box"] });
    rig.scheduler.assign(anAssignment({ instances: [anInstance({ spec })] }));
    await rig.clock.advance(10_000);
    rig.kill();
    await rig.journal.write(EMPTY_ENTRY);
    rig.scheduler.assignment = undefined;
    rig.scheduler.leaseMs = undefined;
    await rig.revive();
    // Its former guard would end it later.
    await rig.clock.advance(4_000);
    expect(states(rig)).toEqual(["exited"]);
  });

  test("is left alone where it is not exclusive", async () => {
    const rig = await start("refused", false);
    await rig.clock.advance(60_000);
    expect(states(rig)).toEqual(["running"]);
  });
});
