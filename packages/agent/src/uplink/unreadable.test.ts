import { expect, test } from "vitest";
import { nodeSubject } from "@skep/api/subjects.ts";
import { anAssignment } from "../testing/builders.ts";
import { openRig } from "../testing/rig.ts";

test("says once that assignments cannot be read, and once that they can again", async () => {
  const rig = await openRig();
  rig.scheduler.assign(anAssignment({ revision: 1 }));
  await rig.clock.advance(2_000);
  const garbage = new TextEncoder().encode("not an assignment");
  for (let sent = 0; sent < 50; sent += 1) rig.scheduler.bus.publish(nodeSubject("assign", "node-1"), garbage);
  // Longer than from one fetch to the next, which brings word that what is held is current.
  await rig.clock.advance(70_000);
  rig.scheduler.bus.publish(nodeSubject("assign", "node-1"), garbage);
  await rig.clock.advance(1_000);
  const said = () => rig.lines.filter(line => /^assignment\.(un)?readable$/.test(line.event)).map(line => line.event);
  expect(said()).toEqual(["assignment.unreadable"]);
  expect(rig.agent.loops()).toContainEqual(
    expect.objectContaining({ failing: expect.objectContaining({ failures: 51 }) }),
  );
  rig.scheduler.assign(anAssignment({ revision: 2 }));
  await rig.clock.advance(2_000);
  expect(said()).toEqual(["assignment.unreadable", "assignment.readable"]);
});
