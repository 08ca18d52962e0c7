import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { sendFrom } from "../../support/move-devices.ts";
import { startMoveRig, type MoveRig } from "../../support/move-rig.ts";
import { expectStored } from "../../support/move-stored.ts";

let rig: MoveRig;
beforeAll(async () => {
  rig = await startMoveRig();
}, 120_000);
afterAll(() => rig.close());

it("goes back by itself where documents are missing at the target, and names them", async () => {
  const devices = sendFrom(rig);
  const copied = rig.databases.standalone.collection("messages");
  await rig.move("standalone");
  await rig.passed("both");
  const [gone] = await copied.find({}).sort({ _id: 1 }).limit(1).toArray();
  await copied.deleteOne({ _id: gone!._id });
  await rig.passed("returned");
  expect(await rig.because()).toContain(`the target lacks 1, such as ${String(gone!._id)}`);
  await devices.stop();
  await expectStored(rig, "shared", devices.acknowledged());
  const { locations } = await rig.store.loadHosting();
  await eventually(() => expect(locations.filter(one => one.role === "standby")).toEqual([]));

  // And after the cut-over, where somebody wants it: what came to the target's broker comes home.
  const more = sendFrom(rig, devices.acknowledged());
  await rig.move("standalone");
  await rig.passed("verify");
  await rig.abort();
  await rig.passed("returned");
  expect(await rig.because()).toBe("the source reads again: someone wants it back");
  await more.stop();
  await expectStored(rig, "shared", more.acknowledged());
}, 60_000);
