import { expect, test } from "vitest";
import { known, runningRig } from "../testing/running.ts";

test("says once why it is refused as a clone, asks slowly, and works on when it is taken", async () => {
  const rig = await runningRig();
  rig.scheduler.ack = { accepted: false, needFull: false, because: "another agent speaks as this node" };
  rig.engine.crash(rig.engine.containers()[0]?.id ?? "", 1);
  await rig.clock.advance(1_000);
  const before = rig.scheduler.reports.length;
  await rig.clock.advance(20_000);
  expect(rig.scheduler.reports.length - before).toBeLessThanOrEqual(4);
  rig.scheduler.ack = { accepted: true, needFull: false, because: "" };
  await rig.clock.advance(6_000);
  expect(known(rig)).toMatchObject({ state: "running", containers: [{ restarts: 1 }] });
  const said = rig.lines.filter(line => line.event.startsWith("session."));
  expect(said.map(line => line.event)).toEqual(["session.refused", "session.accepted"]);
});
