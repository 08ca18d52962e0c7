import type { ReportedStatus } from "@skep/core/model/report.ts";
import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import { aContainer, anAssignment, anInstance, aSpec } from "./builders.ts";
import { openRig, type Rig } from "./rig.ts";

/** An instance of one container of the image `box`. */
export function box(over: Partial<AssignedInstance> = {}): AssignedInstance {
  return anInstance({ spec: aSpec({ containers: [aContainer({ image: "box" })] }), ...over });
}
/** What the scheduler has of an instance at an epoch. */
export function known(rig: Rig, key = "acme.web.1@1"): ReportedStatus | undefined {
  return rig.scheduler.known.get(key);
}

/** A rig on which these instances run already and are reported. */
export async function runningRig(instances = [box()], options: Parameters<typeof openRig>[0] = {}): Promise<Rig> {
  const rig = await openRig({ images: ["box", "pause"], ...options });
  rig.scheduler.assign(anAssignment({ instances }));
  await rig.clock.runUntil(
    () => instances.every(one => known(rig, `${one.instanceId}@${one.epoch}`)?.state === "running"),
    10_000,
  );
  return rig;
}
