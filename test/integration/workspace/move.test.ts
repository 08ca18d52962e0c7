import type { Mode } from "@skep/core/workspace/connector.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { sendFrom } from "../../support/move-devices.ts";
import { MOVING, startMoveRig, type MoveRig } from "../../support/move-rig.ts";
import { expectInOrder, expectStored } from "../../support/move-stored.ts";

const receivedAt = new Date(Date.now() - 86_400_000);
const topic = `${MOVING}/devices/silent/telemetry/n`;
const aLetter = (_id: string) => ({ _id, topic, payload: Uint8Array.of(1), receivedAt, because: "no schema reads it" });
const aReplayed = (_id: string) => ({
  ...{ _id, deviceId: "silent", category: "telemetry", type: "n", at: receivedAt, receivedAt, value: { number: 1 } },
});

let rig: MoveRig;
beforeAll(async () => {
  rig = await startMoveRig();
}, 120_000);
afterAll(() => rig.close());

it("moves a workspace there and back while devices send: nothing is lost or doubled, and order stays", async () => {
  const devices = sendFrom(rig);
  const served = (mode: Mode) => rig.hosts.find(one => one.mode === mode)?.served.get(MOVING);
  await served("shared")?.database.bury([aLetter("replayed"), aLetter("forgotten"), aLetter("kept")]);
  await rig.move("standalone");
  await rig.passed("copy");
  await eventually(() => expect(served("shared")?.isMoving()).toBe(true));
  await rig.passed("done", 30_000);
  expect((await rig.store.getWorkspace(MOVING))?.connector.config.resources.type).toBe("standalone");
  // Letters that are gone since are no difference, and one that was replayed is none any more.
  await eventually(() => expect(served("standalone")?.isMoving()).toBe(false));
  const { database } = served("standalone")!;
  await database.replay("replayed", () => database.store([aReplayed("replayed")]));
  await database.forgetLetter("forgotten");
  await rig.move("shared");
  await rig.passed("done", 30_000);
  await devices.stop();
  for (const count of devices.acknowledged().values()) expect(count).toBeGreaterThan(50);
  await expectStored(rig, "shared", devices.acknowledged());
  await expectInOrder(rig, "shared");
  const letters = await rig.databases.shared.collection("dead_letters").find({}).toArray();
  expect(letters.map(one => String(one._id)).toSorted()).toEqual(["forgotten", "kept"]);
  // Nobody who gets the id later reads what was sent to this one.
  expect(await rig.hasSession()).toBe(true);
  await rig.drop();
  await eventually(async () => expect(await rig.store.getWorkspace(MOVING)).toBeUndefined(), 10_000);
  expect(await rig.hasSession()).toBe(false);
}, 60_000);
