import { encodeSpecPart, specPart, decodeSpecFetch, type SpecFetch } from "@skep/api/codec/spec-name.ts";
import { encodeAssignmentWithin } from "@skep/api/codec/assignment.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { describe, expect, it } from "vitest";
import { aContainer, anAssignment, anInstance, aSpec } from "../testing/builders.ts";
import { openRig, type Rig } from "../testing/rig.ts";

const LIMIT = 64 * 1024;
const env = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`BIG_${at}`, "x".repeat(20_000)]));
const fat = aSpec({ name: "fat", containers: [aContainer({ image: "box", env })] });
const slim = aSpec({ containers: [aContainer({ image: "box" })] });
const web = anInstance({ spec: slim });
const heavy = anInstance({ instanceId: "acme.fat.1", spec: fat });

/** A scheduler that sends within the limit and answers the specs that it has. */
function play(
  rig: Rig,
  specs: ReadonlyMap<string, DeploymentSpec>,
): { asked: SpecFetch[]; tell(next: Assignment): void } {
  const asked: SpecFetch[] = [];
  rig.network.setMaxPayload(LIMIT);
  rig.scheduler.bus.subscribe("skep.v1.spec.node-1", message => {
    const fetch = decodeSpecFetch(message.data);
    asked.push(fetch);
    const part = specPart(specs.get(fetch.deploymentId), fetch.offset, LIMIT);
    message.reply(encodeSpecPart(part));
  });
  return {
    asked,
    tell: next => {
      rig.scheduler.bus.publish("skep.v1.assign.node-1", encodeAssignmentWithin(next, LIMIT).bytes);
    },
  };
}

const statusOf = (rig: Rig, key: string) => rig.scheduler.known.get(key);

describe("an assignment whose specs are only named", () => {
  it("is worked on at once, and as a whole when the specs have come in parts", async () => {
    const rig = await openRig();
    const scheduler = play(rig, new Map([["acme.fat", fat]]));
    scheduler.tell(anAssignment({ instances: [web, heavy] }));
    await rig.clock.advance(5_000);
    expect(rig.running()).toHaveLength(2);
    expect(scheduler.asked.length).toBeGreaterThan(3);
    expect(statusOf(rig, "acme.fat.1@1")).toMatchObject({ state: "running" });
  });

  it("says what it waits for, asks again, and lets nobody else wait", async () => {
    const rig = await openRig();
    const specs = new Map<string, DeploymentSpec>();
    const scheduler = play(rig, specs);
    scheduler.tell(anAssignment({ instances: [web, heavy] }));
    await rig.clock.advance(8_000);
    expect(rig.running()).toHaveLength(1);
    expect(statusOf(rig, "acme.web.1@1")).toMatchObject({ state: "running" });
    expect(statusOf(rig, "acme.fat.1@1")).toMatchObject({
      state: "preparing",
      message: expect.stringMatching(
        /^its spec \(196 KiB\) could not be fetched: release 1 of acme.fat is not recorded/,
      ),
    });
    specs.set("acme.fat", fat);
    await rig.clock.advance(8_000);
    expect(rig.running()).toHaveLength(2);
  });

  it("reports the ports of what it waits for, so that a lost row comes back with them", async () => {
    const rig = await openRig();
    const scheduler = play(rig, new Map());
    const ports = [{ container: "app", containerPort: 80, protocol: "tcp" as const, hostPort: 20_000 }];
    scheduler.tell(anAssignment({ instances: [{ ...heavy, ports }] }));
    await rig.clock.advance(8_000);
    expect(statusOf(rig, "acme.fat.1@1")).toMatchObject({ state: "preparing", ports });
  });

  it("asks for no spec that it holds, also after a restart", async () => {
    const rig = await openRig();
    const scheduler = play(rig, new Map([["acme.fat", fat]]));
    scheduler.tell(anAssignment({ instances: [heavy] }));
    await rig.clock.advance(5_000);
    const before = scheduler.asked.length;
    await rig.revive();
    scheduler.tell(anAssignment({ revision: 2, instances: [heavy, web] }));
    await rig.clock.advance(5_000);
    expect(rig.running()).toHaveLength(2);
    expect(scheduler.asked).toHaveLength(before);
  });

  it("asks for the whole assignment after a restart that came before the specs", async () => {
    const rig = await openRig();
    const specs = new Map<string, DeploymentSpec>();
    const scheduler = play(rig, specs);
    const next = anAssignment({ instances: [web, heavy] });
    rig.scheduler.assignment = next;
    scheduler.tell(next);
    await rig.clock.advance(2_000);
    await rig.revive();
    specs.set("acme.fat", fat);
    await rig.clock.advance(10_000);
    expect(rig.running()).toHaveLength(2);
  });

  it("leaves alone what runs of an instance that the scheduler had no room for, and says why", async () => {
    const rig = await openRig();
    const scheduler = play(rig, new Map());
    scheduler.tell(anAssignment({ instances: [web] }));
    await rig.clock.advance(3_000);
    const ports = Array.from({ length: 4_000 }, (_, at) => ({
      ...{ container: "app", containerPort: at + 1, protocol: "tcp" as const, hostPort: 20_000 + at },
    }));
    scheduler.tell(anAssignment({ revision: 2, instances: [anInstance({ spec: slim, ports })] }));
    await rig.clock.advance(3_000);
    expect(rig.running()).toHaveLength(1);
    expect(statusOf(rig, "acme.web.1@1")?.message).toMatch(/left out of what its node is told/);
  });
});
