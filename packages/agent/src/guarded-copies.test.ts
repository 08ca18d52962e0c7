import { describe, expect, test } from "vitest";
import { aContainer, aSpec, anAssignment, anInstance } from "./testing/builders.ts";
import { openRig, settle, type Rig } from "./testing/rig.ts";

const spec = aSpec({ exclusive: true, stopGraceMs: 30_000, containers: [aContainer({ image: "box" })] });
const patient = { ...spec, stopGraceMs: 600_000 };
const one = anInstance({ spec });
const NAME = "skep-acme.web.1-e1-app";

/** A node that runs one exclusive instance, beside one of the plain kind. */
async function start(): Promise<Rig> {
  const rig = await openRig({ images: ["box"] });
  rig.scheduler.assign(anAssignment({ instances: [one] }));
  await rig.clock.advance(10_000);
  return rig;
}

const events = (rig: Rig): string[] => rig.lines.map(line => line.event).filter(event => event.startsWith("guard."));

describe("An exclusive copy", () => {
  test("whose agent is there for it is never ended by the guard", async () => {
    const rig = await start();
    await rig.clock.advance(120_000);
    expect(rig.running()).toEqual([NAME]);
    expect(events(rig)).toEqual([]);
  });

  test("is ended by the guard within its lease when its agent does nothing any more", async () => {
    const rig = await start();
    rig.kill();
    await rig.clock.advance(8_000);
    expect(rig.running()).toEqual([NAME]);
    await rig.clock.advance(7_000);
    expect(rig.running()).toEqual([]);
    expect(events(rig)).toEqual(["guard.ended"]);
  });

  test("is told to the guard before it starts, so that a pause right after the start is covered", async () => {
    const rig = await openRig({ images: ["box"] });
    rig.scheduler.assign(anAssignment({ instances: [one] }));
    await rig.clock.runUntil(() => rig.engine.containers().some(({ state }) => state === "running"), 20_000);
    rig.kill();
    await rig.clock.advance(20_000);
    expect(rig.running()).toEqual([]);
  });

  test("is not started while no guard runs, which is said once, and starts when one does", async () => {
    const rig = await openRig({ images: ["box"] });
    rig.guard.runs = false;
    rig.scheduler.assign(anAssignment({ instances: [one] }));
    await rig.clock.advance(20_000);
    expect(rig.running()).toEqual([]);
    expect(events(rig)).toEqual(["guard.lost"]);
    expect(rig.scheduler.known.get("acme.web.1@1")?.message).toContain("no guard takes it");
    rig.guard.runs = true;
    await rig.clock.advance(15_000);
    expect(rig.running()).toEqual([NAME]);
    expect(events(rig)).toEqual(["guard.lost", "guard.found"]);
  });

  test("runs on while the guard is away, and the guard that comes back is told of it", async () => {
    const rig = await start();
    rig.guard.runs = false;
    await rig.clock.advance(10_000);
    rig.guard.runs = true;
    await rig.clock.advance(5_000);
    expect(rig.running()).toEqual([NAME]);
    expect(rig.agent.loops().find(({ name }) => name === "guard")?.failing).toBeUndefined();
    rig.kill();
    await rig.clock.advance(15_000);
    expect(rig.running()).toEqual([]);
  });

  test("that is to stop keeps its grace while it is renewed", async () => {
    const rig = await start();
    rig.engine.setDelays({ stopMs: 25_000 });
    rig.scheduler.assign(anAssignment({ revision: 2, instances: [{ ...one, desired: "stop" }] }));
    await rig.clock.advance(24_000);
    expect(rig.running()).toEqual([NAME]);
    expect(events(rig)).toEqual([]);
    await rig.clock.advance(30_000);
    expect(rig.running()).toEqual([]);
    expect(events(rig)).toEqual([]);
  });

  test("that is to stop gets no more of its grace once its lease ends, from its agent or from the guard", async () => {
    for (const isAlive of [true, false]) {
      const rig = await start();
      rig.scheduler.leaseMs = 60_000;
      rig.engine.setDelays({ stopMs: 600_000 });
      rig.scheduler.assign(anAssignment({ revision: 2, instances: [{ ...one, spec: patient, desired: "stop" }] }));
      await rig.clock.advance(3_500);
      rig.scheduler.leaseMs = undefined;
      if (!isAlive) rig.kill();
      await rig.clock.advance(44_000);
      expect(rig.running()).toEqual([NAME]);
      await rig.clock.advance(12_000);
      expect(rig.running()).toEqual([]);
      expect(events(rig)).toEqual(isAlive ? [] : ["guard.ended"]);
    }
  });

  test("that could not move is stopped when its agent leaves a drained node, and a plain one runs on", async () => {
    const rig = await start();
    const plain = anInstance({ instanceId: "acme.api.1", spec: aSpec({ containers: [aContainer({ image: "box" })] }) });
    const instances = [one, plain];
    rig.scheduler.assign(anAssignment({ revision: 2, availability: "drain", instances }));
    await rig.clock.advance(5_000);
    expect(rig.running()).toEqual(["skep-acme.api.1-e1-app", NAME]);
    // Long enough for a renewal, which must not bring it back, and of no interest to the guard yet.
    rig.scheduler.leaseMs = 60_000;
    await rig.clock.advance(3_500);
    rig.engine.setDelays({ stopMs: 5_000 });
    await settle(rig, rig.agent.stop());
    expect(rig.running()).toEqual(["skep-acme.api.1-e1-app"]);
    expect(rig.lines.map(line => line.event)).toContain("agent.exclusive-stopped");
    expect(rig.scheduler.known.get("acme.web.1@1")?.message).toContain("its lease could not be renewed since");
    expect(events(rig)).toEqual([]);
  });

  test("is not stopped by an agent that leaves when the node is drained no more", async () => {
    const rig = await start();
    rig.scheduler.assign(anAssignment({ revision: 2, availability: "drain", instances: [one] }));
    await rig.clock.advance(5_000);
    const stopped = rig.agent.stop();
    await rig.clock.advance(20_000);
    rig.scheduler.assign(anAssignment({ revision: 3, instances: [one] }));
    await settle(rig, stopped);
    expect(rig.running()).toEqual([NAME]);
  });

  test("runs on when its agent leaves a node that is not drained, until its time is over", async () => {
    const rig = await start();
    await settle(rig, rig.agent.stop());
    expect(rig.running()).toEqual([NAME]);
    await rig.clock.advance(15_000);
    expect(rig.running()).toEqual([]);
    expect(rig.guard.isIdle()).toBe(true);
  });
});
