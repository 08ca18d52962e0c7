import { afterAll, beforeAll, expect, it } from "vitest";
import { sendFrom } from "../../support/move-devices.ts";
import { MOVING, startMoveRig, type MoveRig } from "../../support/move-rig.ts";
import { expectInOrder, expectStored } from "../../support/move-stored.ts";

let rig: MoveRig;
beforeAll(async () => {
  rig = await startMoveRig();
}, 120_000);
afterAll(() => rig.close());

it("moves a workspace there and back while devices send: nothing is lost or doubled, and order stays", async () => {
  const devices = sendFrom(rig);
  await rig.move("standalone");
  await rig.passed("done", 30_000);
  expect((await rig.store.getWorkspace(MOVING))?.connector.config.resources.type).toBe("standalone");
  await rig.move("shared");
  await rig.passed("done", 30_000);
  await devices.stop();
  for (const count of devices.acknowledged().values()) expect(count).toBeGreaterThan(50);
  await expectStored(rig, "shared", devices.acknowledged());
  await expectInOrder(rig, "shared");
}, 60_000);
