import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWorkspaceFleet, type WorkspaceFleet } from "../support/workspace-fleet.ts";
import { DEVICES, peakMegabytes, startPublishing, WHOLE } from "./publishing.ts";

// Brokers that die, or whose disk is full, while 2,000 devices publish at QoS 1 through a gate.

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const DISK = "8m";
const AWAY_MS = 3_000;
const MOST_MORE_MB = 100;

let fleet: WorkspaceFleet;
beforeAll(async () => {
  fleet = await startWorkspaceFleet({
    // A disk of its own, so that it can be full.
    brokerDirectory: async directory => {
      if (!isRoot) return;
      await run("mount", ["-t", "tmpfs", "-o", `size=${DISK},mode=777`, "tmpfs", directory]);
    },
  });
});
afterAll(async () => {
  await fleet.broker.stop();
  if (isRoot) await run("umount", [fleet.broker.directory]);
  await fleet.close();
});

test.each(["killed", "stopped"] as const)(
  "a broker that is %s and comes back loses nothing and doubles nothing",
  async how => {
    // A device that has no PUBACK sends again, and only its number says that it did.
    const { sending, settled, trouble } = await startPublishing(fleet, `broker-${how}`, true);
    await (how === "killed" ? fleet.broker.kill() : fleet.broker.stop());
    await eventually(async () => expect(await trouble()).toMatch(/MQTT/));
    await sleep(AWAY_MS);
    await fleet.broker.start();
    await sending.goesOn(3 * DEVICES);
    expect(await trouble()).toBe("");
    expect(await settled()).toMatchObject(WHOLE);
  },
);

test("a broker whose disk is full, and a database that is away meanwhile, lose nothing", async context => {
  if (!isRoot) return context.skip("a disk of its own takes a mount, which only root may do");
  const { sending, settled, trouble } = await startPublishing(fleet, "disk-full");
  const brokerPid = fleet.broker.pid();
  const before = peakMegabytes(brokerPid);
  const { broker, mongod } = fleet;
  const filling = `${broker.directory}/filling`;
  await writeFile(filling, Buffer.alloc(64 * 2 ** 20)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOSPC") throw error;
  });
  const [member] = mongod.members;
  onTestFinished(() => member?.pause(false));
  member?.pause(true);
  await sleep(1_000);
  await sending.waits(AWAY_MS);
  expect(broker.output()).toMatch(/No space left|Error saving/i);
  member?.pause(false);
  await sending.goesOn(2 * DEVICES);
  await rm(filling);
  await sending.goesOn(2 * DEVICES);
  expect(await settled()).toMatchObject(WHOLE);
  expect(await trouble()).toBe("");
  const more = peakMegabytes(brokerPid) - before;
  console.log(`disk full: the broker's memory grew by ${more} MB at most, from ${before} MB`);
  expect(more).toBeLessThan(MOST_MORE_MB);
});
