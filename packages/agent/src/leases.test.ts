import { describe, expect, test } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { createExecutors } from "./loop/executors.ts";
import type { Images } from "./loop/images.ts";
import { aContainer, aSpec, anAssignment, anInstance } from "./testing/builders.ts";
import { openRig, type Rig } from "./testing/rig.ts";

const one = anInstance({ spec: aSpec({ exclusive: true, containers: [aContainer({ image: "box" })] }) });

/** A node whose scheduler told it to run one exclusive instance. */
async function start(leaseMs: number | undefined): Promise<Rig> {
  const rig = await openRig({ images: ["box"] });
  rig.scheduler.leaseMs = leaseMs;
  rig.scheduler.assign(anAssignment({ instances: [one] }));
  await rig.clock.advance(10_000);
  return rig;
}

const saidOf = (rig: Rig): string => rig.scheduler.known.get("acme.web.1@1")?.message ?? "";

describe("An exclusive instance", () => {
  test("starts when its lease is given, and not before", async () => {
    const rig = await start(undefined);
    expect(rig.running()).toEqual([]);
    expect(saidOf(rig)).toBe("it waits for its lease");
    rig.scheduler.leaseMs = 15_000;
    await rig.clock.advance(5_000);
    expect(rig.running()).toEqual(["skep-acme.web.1-e1-app"]);
  });

  test("runs on while its lease is renewed", async () => {
    const rig = await start(15_000);
    for (let second = 0; second < 60; second++) {
      await rig.clock.advance(1_000);
      expect(rig.running().length).toBe(1);
    }
  });

  test("is stopped by its agent before its lease ends, says so, and comes back with the lease", async () => {
    const rig = await start(15_000);
    rig.scheduler.leaseMs = undefined;
    await rig.clock.advance(9_000);
    expect(rig.running().length).toBe(1);
    // The last renewal was at most 3 s before the silence, and a tenth of drift is counted in.
    await rig.clock.advance(4_500);
    expect(rig.running()).toEqual([]);
    expect(saidOf(rig)).toMatch(/^stopped by its agent: its lease could not be renewed since /);
    rig.scheduler.leaseMs = 15_000;
    await rig.clock.advance(10_000);
    expect(rig.running().length).toBe(1);
  });

  test("is stopped at once when its lease is refused", async () => {
    const rig = await start(15_000);
    rig.scheduler.refusesLeases = true;
    await rig.clock.advance(4_000);
    expect(rig.running()).toEqual([]);
  });

  test("is claimed as one that runs by a lease only while it has one", async () => {
    const rig = await start(15_000);
    const { lastClaims } = rig.scheduler;
    expect(lastClaims().map(one => one.isHeld)).toEqual([true]);
    rig.scheduler.leaseMs = undefined;
    await rig.clock.advance(30_000);
    expect(lastClaims().map(one => one.isHeld)).toEqual([false]);
  });

  test("does not hold up its neighbours, which need no lease", async () => {
    const rig = await openRig({ images: ["box"] });
    rig.scheduler.leaseMs = undefined;
    const plain = anInstance({ instanceId: "acme.api.1", spec: aSpec({ containers: [aContainer({ image: "box" })] }) });
    rig.scheduler.assign(anAssignment({ instances: [one, plain] }));
    await rig.clock.advance(10_000);
    expect(rig.running()).toEqual(["skep-acme.api.1-e1-app"]);
  });

  test("is not started when its lease ended between the decision and the start", async () => {
    const started: string[] = [];
    const engine = { start: async (id: string) => void started.push(id) } as Partial<Engine> as Engine;
    const { "start-container": begin } = createExecutors(engine, {} as Images, {
      beforeStart: async () => undefined,
      whyNot: () => "its lease has ended",
    });
    const of = { containerId: "c", instanceId: "acme.web.1", epoch: 1, container: "app", because: "it is wanted" };
    await expect(begin({ kind: "start-container", key: "start:c", ...of })).rejects.toThrow("its lease has ended");
    expect(started).toEqual([]);
  });
});
