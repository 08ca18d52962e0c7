import { expect, test } from "vitest";
import { anAssignment } from "../testing/builders.ts";
import { openRig } from "../testing/rig.ts";

test("brings the receipt and the stamp of what it works by back, over its own restart too", async () => {
  const rig = await openRig();
  const { scheduler, clock } = rig;
  await clock.advance(2_000);
  expect(scheduler.beats.at(-1)).not.toHaveProperty("receipt");
  scheduler.assign({ ...anAssignment(), term: 4, receipt: "r-4", stamps: [8, 9] });
  await clock.advance(2_000);
  expect(scheduler.beats.at(-1)).toMatchObject({ appliedTerm: 4, receipt: "r-4", appliedStamp: 9 });
  rig.kill();
  scheduler.beats.length = 0;
  await rig.revive();
  await clock.advance(3_000);
  expect(scheduler.beats.at(-1)).toMatchObject({ appliedTerm: 4, receipt: "r-4", appliedStamp: 9 });
  expect(scheduler.reports.at(-1)).toMatchObject({ appliedTerm: 4, receipt: "r-4", appliedStamp: 9 });
  // It asks again once it knows that nothing of what it holds is missing.
  await clock.advance(31_000);
  expect(scheduler.fetches.at(-1)).toMatchObject({ term: 4, stamp: 9 });
});
