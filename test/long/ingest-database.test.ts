import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWorkspaceFleet, type HostProcess, type WorkspaceFleet } from "../support/workspace-fleet.ts";
import { DEVICES, peakMegabytes, startPublishing, WHOLE } from "./publishing.ts";

// A replica set of three, while 2,000 devices publish at QoS 1 through a gate.

let fleet: WorkspaceFleet;
let host: HostProcess;
beforeAll(async () => {
  fleet = await startWorkspaceFleet({ members: 3, hosts: 0 });
  host = await fleet.startHost();
});
afterAll(() => fleet.close());

const AWAY_MS = 10_000;
/** So much more than before a fault at most; what waits in a host is bounded. */
const MOST_MORE_MB = 100;

test("a primary that steps down loses nothing and doubles nothing", async () => {
  const { sending, settled } = await startPublishing(fleet, "steps-down");
  const before = (await fleet.mongod.primary()).host;
  await fleet.mongod.stepDown();
  await sending.goesOn(5 * DEVICES);
  expect((await fleet.mongod.primary()).host).not.toBe(before);
  expect(await settled()).toMatchObject(WHOLE);
});

test("a primary that is killed loses nothing and doubles nothing", async () => {
  const { sending, settled } = await startPublishing(fleet, "killed");
  const primary = await fleet.mongod.primary();
  await primary.kill();
  await sending.goesOn(5 * DEVICES);
  await primary.start();
  await sending.goesOn(2 * DEVICES);
  expect(await settled()).toMatchObject(WHOLE);
});

test.each(["killed", "hanging"] as const)(
  "a database that is %s for 10 s loses nothing, and that it is away is told",
  async how => {
    const { sending, settled, trouble, shown } = await startPublishing(fleet, `away-${how}`);
    const before = peakMegabytes(host.pid);
    const { members } = fleet.mongod;
    const goOn = async (): Promise<void> => {
      for (const member of members) if (how === "hanging") member.pause(false);
      if (how === "killed") await Promise.all(members.map(member => member.start()));
    };
    onTestFinished(async () => {
      for (const member of members) member.pause(false);
    });
    if (how === "killed") await Promise.all(members.map(member => member.kill()));
    else for (const member of members) member.pause(true);
    // What is stored already is still told.
    await sleep(1_000);
    await sending.waits(AWAY_MS);
    if (how === "killed") {
      expect(await trouble()).toMatch(/ECONNREFUSED|primary/);
      expect(await shown()).toMatch(
        /^Health +unhealthy: .*(ECONNREFUSED|primary).*\nMessages since it began +[1-9]\d+ stored, 0 dead/im,
      );
    }
    await goOn();
    await eventually(async () => expect(await trouble()).toBe(""), 60_000);
    // The members may choose another primary meanwhile.
    await eventually(async () => expect(await shown()).toMatch(/^Health +healthy$/m), 60_000);
    await sending.goesOn(2 * DEVICES);
    expect(await settled()).toMatchObject(WHOLE);
    const more = peakMegabytes(host.pid) - before;
    console.log(`${how}: the host's memory grew by ${more} MB at most, from ${before} MB`);
    expect(more).toBeLessThan(MOST_MORE_MB);
  },
);
