import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startDeviceFleet, storedNumbers, type DeviceFleet } from "../support/device-fleet.ts";
import type { SentDevice } from "../support/device-fleet-process.ts";
import { startWorkspaceFleet, type WorkspaceFleet } from "../support/workspace-fleet.ts";

const DEVICES = 2_000;
const EVERY_MS = 1_000;

let fleet: WorkspaceFleet;
beforeAll(async () => {
  fleet = await startWorkspaceFleet({ members: 3 });
});
afterAll(() => fleet.close());

/** A workspace of its own, to which devices publish until the test is over. */
async function publishing(
  id: string,
): Promise<{ readonly devices: readonly SentDevice[]; readonly sending: DeviceFleet }> {
  await fleet.createWorkspace(id);
  const devices = await fleet.createDevices(id, DEVICES);
  const sending = await startDeviceFleet(fleet.gatePort, devices, EVERY_MS);
  onTestFinished(() => sending.kill());
  await sending.goesOn(2 * DEVICES);
  return { devices, sending };
}

test("a primary steps down", async () => {
  const { devices, sending } = await publishing("steps-down");
  const before = (await fleet.mongod.primary()).host;
  await fleet.mongod.stepDown();
  await sending.goesOn(5 * DEVICES);
  expect((await fleet.mongod.primary()).host).not.toBe(before);
  const { acknowledged } = await sending.end();
  const stored = await storedNumbers(fleet.databaseOf("steps-down"), devices, acknowledged);
  expect(stored).toMatchObject({ doubled: 0, missing: 0, unacknowledged: 0 });
});
