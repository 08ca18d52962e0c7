import { describe, expect, test } from "vitest";
import { aContainer, anAssignment, anInstance, aSpec } from "./testing/builders.ts";
import { openRig, settle } from "./testing/rig.ts";
import { box, known, runningRig } from "./testing/running.ts";

describe("the loop", () => {
  test("pulls, makes, starts and reports what is assigned", async () => {
    const rig = await openRig();
    rig.scheduler.assign(anAssignment({ instances: [box()] }));
    await rig.clock.advance(2_000);
    expect(rig.running()).toEqual(["skep-acme.web.1-e1-app"]);
    expect(known(rig)).toMatchObject({ state: "running", health: "none", message: "" });
    expect(rig.scheduler.reports.flatMap(report => report.statuses.map(status => status.message))).toContain(
      "pulling box: 50 %",
    );
  });

  test("a container that crashes is started again, later each time, and the report counts it", async () => {
    const rig = await runningRig();
    const [container] = rig.engine.containers();
    rig.engine.crash(container?.id ?? "", 3);
    await rig.clock.advance(200);
    expect(rig.running()).toEqual([]);
    expect(known(rig)).toMatchObject({ state: "starting" });
    expect(known(rig)?.message).toContain("exit code 3");
    await rig.clock.advance(1_500);
    expect(rig.running()).toHaveLength(1);
    expect(known(rig)).toMatchObject({ state: "running", containers: [{ restarts: 1, id: container?.id }] });
    rig.engine.crash(container?.id ?? "", 3);
    await rig.clock.advance(1_500);
    expect(rig.running()).toHaveLength(0);
    await rig.clock.advance(1_000);
    expect(rig.running()).toHaveLength(1);
  });

  test("a container that somebody removed is back within two seconds, as another one", async () => {
    const rig = await runningRig();
    const before = rig.engine.containers()[0]?.id ?? "";
    rig.engine.removeOutside(before);
    expect(await rig.clock.runUntil(() => rig.running().length === 1, 2_000)).toBe(true);
    expect(rig.engine.containers()[0]?.id).not.toBe(before);
  });

  test("an engine that falls silent is said once, and the agent names what fails until it answers", async () => {
    const rig = await runningRig();
    const failing = (): string[] => rig.agent.loops().flatMap(one => (one.failing === undefined ? [] : [one.name]));
    const said = (): string[] => rig.lines.map(line => line.event).filter(event => event.startsWith("engine."));
    const observe = rig.engine.observe.bind(rig.engine);
    rig.engine.observe = () => Promise.reject(new Error("no answer"));
    await rig.clock.advance(30_000);
    expect(failing()).toEqual(["engine"]);
    rig.engine.observe = observe;
    await rig.clock.advance(2_000);
    expect(failing()).toEqual([]);
    expect(said()).toEqual(["engine.silent", "engine.answered"]);
  });

  test("an unknown image is told in the registry's words and delays nobody else", async () => {
    const broken = box({
      instanceId: "acme.bad.1",
      spec: aSpec({ name: "bad", containers: [aContainer({ image: "nothing" })] }),
    });
    const rig = await openRig({ images: ["box"] });
    rig.scheduler.assign(anAssignment({ instances: [broken, box()] }));
    await rig.clock.advance(1_000);
    expect(known(rig)?.state).toBe("running");
    expect(known(rig, "acme.bad.1@1")?.state).toBe("preparing");
    expect(known(rig, "acme.bad.1@1")?.message).toContain("manifest unknown");
  });

  test("a container that hangs keeps only its own instance waiting", async () => {
    const rig = await runningRig();
    const stuck = rig.engine.containers()[0]?.id ?? "";
    rig.engine.hang(stuck, true);
    const other = box({ instanceId: "acme.web.2" });
    rig.scheduler.assign(anAssignment({ revision: 2, instances: [box({ desired: "stop" }), other] }));
    await rig.clock.advance(1_000);
    expect(known(rig, "acme.web.2@1")?.state).toBe("running");
    rig.engine.hang(stuck, false);
    await rig.clock.advance(30_000);
    expect(rig.running()).toEqual(["skep-acme.web.2-e1-app"]);
  });

  test("no more containers are started at once than the node has cores, and one", async () => {
    const instances = [1, 2, 3, 4, 5].map(serial => box({ instanceId: `acme.web.${serial}` }));
    const rig = await openRig({ images: ["box"], delays: { startMs: 1_000 } });
    let most = 0;
    let now = 0;
    const start = rig.engine.start.bind(rig.engine);
    rig.engine.start = async id => {
      most = Math.max(most, ++now);
      await start(id).finally(() => now--);
    };
    rig.scheduler.assign(anAssignment({ instances }));
    await rig.clock.advance(5_000);
    expect(rig.running()).toHaveLength(5);
    expect(most).toBe(3);
  });

  test("a start that ends makes room for the next at once, though the engine is slow to say what there is", async () => {
    const rig = await openRig({ images: ["box"], delays: { startMs: 1_000 } });
    const observe = rig.engine.observe.bind(rig.engine);
    rig.engine.observe = async () => {
      const seen = await observe();
      await rig.clock.sleep(400);
      return seen;
    };
    const [begun, ended]: [number[], number[]] = [[], []];
    const start = rig.engine.start.bind(rig.engine);
    rig.engine.start = async id => {
      begun.push(rig.clock.now());
      await start(id).finally(() => ended.push(rig.clock.now()));
    };
    const instances = [1, 2, 3, 4, 5, 6].map(serial => box({ instanceId: `acme.web.${serial}` }));
    rig.scheduler.assign(anAssignment({ instances }));
    await rig.clock.advance(10_000);
    expect(rig.running()).toHaveLength(6);
    expect(begun.slice(3)).toEqual(ended.slice(0, 3));
  });

  test("what a free turn is given to is still wanted, and never again what was begun already", async () => {
    const rig = await openRig({ images: ["box"], delays: { startMs: 1_000 } });
    const starts: string[] = [];
    const start = rig.engine.start.bind(rig.engine);
    rig.engine.start = async id => {
      starts.push(id);
      await start(id);
    };
    const instances = [1, 2, 3, 4, 5].map(serial => box({ instanceId: `acme.web.${serial}` }));
    rig.scheduler.assign(anAssignment({ instances }));
    await rig.clock.runUntil(() => starts.length === 3, 5_000);
    // The engine falls silent to looks, so that the turns are given by what was seen before.
    rig.engine.observe = async () =>
      rig.clock.sleep(60_000).then(() => ({ containers: [], networks: [], volumes: [], images: [] }));
    const ending = instances.map((one, at) => (at === 3 ? { ...one, desired: "stop" as const } : one));
    rig.scheduler.assign(anAssignment({ revision: 2, instances: ending }));
    await rig.clock.advance(3_000);
    const names = new Map(rig.engine.containers().map(one => [one.id, one.name]));
    expect(starts.map(id => names.get(id))).toEqual([1, 2, 3, 5].map(serial => `skep-acme.web.${serial}-e1-app`));
  });

  test("a start of ours costs one look, and what somebody else ends is looked at twice", async () => {
    const rig = await openRig({ images: ["box"], delays: { startMs: 900 } });
    let looks = 0;
    const observe = rig.engine.observe.bind(rig.engine);
    rig.engine.observe = () => {
      looks++;
      return observe();
    };
    rig.scheduler.assign(anAssignment({ instances: [box()] }));
    // Between the two looks a second apart that are taken while a step is under way.
    await rig.clock.runUntil(() => rig.engine.containers().length === 1, 5_000);
    await rig.clock.advance(700);
    expect(rig.running()).toEqual([]);
    looks = 0;
    await rig.clock.advance(1_000);
    expect(known(rig)?.state).toBe("running");
    expect(looks).toBe(1);
    rig.engine.crash(rig.engine.containers()[0]?.id ?? "", 1);
    await rig.clock.advance(400);
    expect(looks).toBe(3);
  });

  test("what is told to stop is stopped, removed and reported gone, and its tenant's network with it", async () => {
    const rig = await runningRig();
    rig.scheduler.assign(anAssignment({ revision: 2, instances: [box({ desired: "stop" })] }));
    await rig.clock.advance(2_000);
    expect(rig.engine.containers()).toEqual([]);
    expect(rig.scheduler.reports.flatMap(report => report.gone)).toContainEqual({ instanceId: "acme.web.1", epoch: 1 });
    rig.scheduler.assign(anAssignment({ revision: 3 }));
    await rig.clock.advance(2_000);
    expect((await settle(rig, rig.engine.observe())).networks).toEqual([]);
  });

  test("a newer placement on the same node replaces the older copy", async () => {
    const rig = await runningRig();
    rig.scheduler.assign(anAssignment({ revision: 2, instances: [box({ epoch: 2 })] }));
    await rig.clock.advance(5_000);
    expect(rig.running()).toEqual(["skep-acme.web.1-e2-app"]);
  });
});

describe("a pod", () => {
  const containers = [aContainer({ image: "box" }), aContainer({ name: "side", image: "box" })];
  const pod = anInstance({ spec: aSpec({ containers }) });

  test("runs its containers in one sandbox, and a sidecar that dies is started again without the others", async () => {
    const rig = await runningRig([pod]);
    expect(rig.running()).toEqual(["skep-acme.web.1-e1", "skep-acme.web.1-e1-app", "skep-acme.web.1-e1-side"]);
    const before = new Map(rig.engine.containers().map(one => [one.name, one.startedAt]));
    const side = rig.engine.containers().find(one => one.name.endsWith("-side"));
    await rig.clock.advance(1_000);
    rig.engine.crash(side?.id ?? "", 1);
    await rig.clock.advance(3_000);
    expect(rig.running()).toHaveLength(3);
    const after = new Map(rig.engine.containers().map(one => [one.name, one.startedAt]));
    expect(after.get("skep-acme.web.1-e1-app")).toBe(before.get("skep-acme.web.1-e1-app"));
    expect(after.get("skep-acme.web.1-e1-side")).not.toBe(before.get("skep-acme.web.1-e1-side"));
  });

  test("a sandbox that dies takes the pod with it, and all of it comes back", async () => {
    const rig = await runningRig([pod]);
    const sandbox = rig.engine.containers().find(one => one.name === "skep-acme.web.1-e1");
    rig.engine.removeOutside(sandbox?.id ?? "");
    await rig.clock.advance(10_000);
    expect(rig.running()).toHaveLength(3);
    const joined = rig.engine.containers().filter(one => one.joins !== undefined);
    const current = rig.engine.containers().find(one => one.name === "skep-acme.web.1-e1")?.id;
    expect(joined.map(one => one.joins)).toEqual([current, current]);
  });
});

describe("the session", () => {
  test("reports in full before it beats, and beats each second with what it works by", async () => {
    const rig = await runningRig();
    expect(rig.scheduler.heard[0]).toBe("full");
    expect(rig.scheduler.reports[0]?.facts).toMatchObject({
      nodeId: "node-1",
      hostname: "n1",
      capacity: { cpuMillis: 2_000, instances: 10 },
    });
    const before = rig.scheduler.beats.length;
    await rig.clock.advance(10_000);
    const beats = rig.scheduler.beats.slice(before);
    expect(beats.length).toBeGreaterThanOrEqual(9);
    expect(beats.length).toBeLessThanOrEqual(12);
    expect(beats.at(-1)).toMatchObject({ appliedTerm: 1, appliedRevision: 1, leaving: false, instances: 1 });
  });

  test("does not call itself ready while its full report has not landed", async () => {
    const rig = await openRig();
    rig.scheduler.ack = undefined;
    rig.network.cut("agent");
    rig.network.heal("agent");
    const before = rig.scheduler.beats.length;
    await rig.clock.advance(10_000);
    expect(rig.scheduler.beats).toHaveLength(before);
    rig.scheduler.ack = { accepted: true, needFull: false, because: "" };
    await rig.clock.advance(10_000);
    expect(rig.scheduler.beats.length).toBeGreaterThan(before + 3);
  });

  test("goes on beating while reports are refused, since a scheduler that cannot write is no reason to seem dead", async () => {
    const rig = await runningRig();
    rig.scheduler.ack = undefined;
    rig.engine.crash(rig.engine.containers()[0]?.id ?? "", 1);
    await rig.clock.advance(20_000);
    const before = rig.scheduler.beats.length;
    await rig.clock.advance(10_000);
    expect(rig.scheduler.beats.length).toBeGreaterThan(before + 8);
  });

  test("a change is on its way within 100 ms", async () => {
    const rig = await runningRig();
    await rig.clock.advance(5_000);
    const before = rig.scheduler.reports.length;
    rig.engine.crash(rig.engine.containers()[0]?.id ?? "", 1);
    await rig.clock.advance(100);
    expect(rig.scheduler.reports.length).toBe(before + 1);
    expect(rig.scheduler.reports.at(-1)).toMatchObject({ full: false, statuses: [{ state: "starting" }] });
  });

  test("says everything again when it is asked, and when the scheduler lacks something", async () => {
    const rig = await runningRig();
    expect(await settle(rig, rig.scheduler.ask({ kind: "report" }))).toEqual({ kind: "done" });
    await rig.clock.advance(500);
    expect(rig.scheduler.reports.at(-1)).toMatchObject({ full: true, statuses: [{ instanceId: "acme.web.1" }] });
    rig.scheduler.ack = { accepted: false, needFull: true, because: "" };
    rig.engine.crash(rig.engine.containers()[0]?.id ?? "", 1);
    await rig.clock.advance(100);
    rig.scheduler.ack = { accepted: true, needFull: false, because: "" };
    await rig.clock.advance(1_000);
    expect(
      rig.scheduler.reports.some(report => report.full && report.seq === rig.scheduler.beats.at(-1)?.reportSeq),
    ).toBe(true);
  });

  test("changes while the scheduler is silent arrive once, as the newest, when it answers again", async () => {
    const rig = await runningRig();
    rig.scheduler.ack = undefined;
    rig.engine.crash(rig.engine.containers()[0]?.id ?? "", 1);
    await rig.clock.advance(20_000);
    rig.scheduler.ack = { accepted: true, needFull: false, because: "" };
    await rig.clock.advance(6_000);
    expect(known(rig)).toMatchObject({ state: "running", containers: [{ restarts: 1 }] });
  });
});

describe("without a control plane", () => {
  test("everything runs on, and what crashes is started again", async () => {
    const rig = await runningRig();
    rig.network.cut("agent");
    await rig.clock.advance(60_000);
    expect(rig.running()).toHaveLength(1);
    rig.engine.crash(rig.engine.containers()[0]?.id ?? "", 1);
    await rig.clock.advance(2_000);
    expect(rig.running()).toHaveLength(1);
  });

  test("on return it reports in full before it beats, and takes what it missed", async () => {
    const rig = await runningRig();
    rig.network.cut("agent");
    rig.scheduler.assign(anAssignment({ revision: 2, instances: [box({ desired: "stop" })] }));
    await rig.clock.advance(30_000);
    rig.scheduler.heard.length = 0;
    rig.network.heal("agent");
    await rig.clock.advance(5_000);
    expect(rig.scheduler.heard[0]).toBe("full");
    expect(rig.running()).toEqual([]);
  });

  test("its own restart leaves what runs untouched, and what it knew on disk is enough", async () => {
    const rig = await runningRig();
    const before = rig.engine.containers()[0];
    const startedAt = before?.startedAt;
    rig.network.cut("scheduler");
    rig.kill();
    await rig.revive();
    await rig.clock.advance(1_000);
    expect(rig.engine.containers()[0]).toMatchObject({ id: before?.id, startedAt });
    rig.engine.crash(before?.id ?? "", 1);
    await rig.clock.advance(3_000);
    expect(rig.running()).toHaveLength(1);
  });

  test("after its node started anew, what had ended waits for a word, and at most thirty seconds", async () => {
    const rig = await runningRig();
    rig.kill();
    rig.engine.restart();
    rig.network.cut("scheduler");
    await rig.revive();
    await rig.clock.advance(25_000);
    expect(rig.running()).toEqual([]);
    await rig.clock.advance(10_000);
    expect(rig.running()).toHaveLength(1);
  });

  test("after its node started anew, what was placed elsewhere meanwhile never serves again", async () => {
    const rig = await runningRig();
    rig.kill();
    rig.engine.restart();
    rig.scheduler.assignment = anAssignment({ revision: 5, instances: [box({ desired: "stop" })] });
    let served = false;
    await rig.revive();
    await rig.clock.runUntil(() => {
      served ||= rig.running().length > 0;
      return false;
    }, 40_000);
    expect(served).toBe(false);
    expect(rig.engine.containers()).toEqual([]);
  });
});

describe("taking leave", () => {
  test("of a node in service ends soon, tells the scheduler, and tenants run on", async () => {
    const rig = await runningRig();
    const before = rig.clock.now();
    await settle(rig, rig.agent.stop());
    expect(rig.clock.now() - before).toBeLessThanOrEqual(5_000);
    expect(rig.scheduler.beats.some(beat => beat.leaving)).toBe(true);
    await rig.clock.advance(60_000);
    expect(rig.running()).toHaveLength(1);
  });

  test("of a drained node waits until the last instance has gone", async () => {
    const rig = await runningRig();
    rig.scheduler.assign(anAssignment({ revision: 2, availability: "drain", instances: [box()] }));
    let ended = false;
    void rig.agent.stop().then(() => {
      ended = true;
    });
    await rig.clock.advance(60_000);
    expect(ended).toBe(false);
    rig.scheduler.assign(anAssignment({ revision: 3, availability: "drain", instances: [box({ desired: "stop" })] }));
    await rig.clock.advance(5_000);
    expect(ended).toBe(true);
    expect(rig.engine.containers()).toEqual([]);
    expect(rig.scheduler.reports.flatMap(report => report.gone)).toHaveLength(1);
  });

  test("without a scheduler ends at once", async () => {
    const rig = await runningRig();
    rig.network.cut("agent");
    const before = rig.clock.now();
    await settle(rig, rig.agent.stop());
    expect(rig.clock.now() - before).toBeLessThan(500);
  });
});

test("an engine that goes away for a while is told as trouble, and worked with again when it is back", async () => {
  const rig = await runningRig();
  expect(rig.agent.trouble()).toBeUndefined();
  rig.engine.setAvailable(false);
  await rig.clock.advance(60_000);
  expect(rig.agent.trouble()).toBe("the engine does not answer");
  rig.engine.setAvailable(true);
  await rig.clock.advance(2_000);
  expect(rig.agent.trouble()).toBeUndefined();
  expect(rig.running()).toHaveLength(1);
});
