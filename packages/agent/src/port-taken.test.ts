import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import { expect, test } from "vitest";
import { aContainer, anAssignment, aSpec } from "./testing/builders.ts";
import { box, known, runningRig } from "./testing/running.ts";
import type { Rig } from "./testing/rig.ts";

const PORT = { container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_001 } as const;
const POD = aSpec({ containers: [aContainer({ image: "box" }), aContainer({ name: "side", image: "box" })] });
const older = box({ instanceId: "acme.old.1", ports: [PORT] });

async function assign(rig: Rig, ...instances: readonly AssignedInstance[]): Promise<void> {
  rig.scheduler.assign(anAssignment({ revision: 2, instances }));
  await rig.clock.advance(4_000);
}

test.each([
  ["container", box({ ports: [PORT] })],
  ["pod", box({ ports: [PORT], spec: POD })],
])("a %s whose host port somebody has is reported failed within seconds, with the port", async (_, wanted) => {
  const rig = await runningRig([older]);
  await assign(rig, older, wanted);
  expect(known(rig)).toMatchObject({ state: "failed" });
  expect(known(rig)?.message).toContain("the host port 20001 of its node is taken");
  expect(known(rig, "acme.old.1@1")?.state).toBe("running");
});

test("a container that is being stopped gives its port on, and nothing is reported failed", async () => {
  const rig = await runningRig([older], { images: ["box", "pause"], delays: { stopMs: 6_000 } });
  await assign(rig, { ...older, desired: "stop" }, box({ ports: [PORT] }));
  expect(known(rig)?.message).toContain("acme.old.1 at epoch 1 has it and is being ended");
  await rig.clock.advance(4_000);
  expect(known(rig)).toMatchObject({ state: "running", message: "" });
  const states = rig.scheduler.reports.flatMap(report => report.statuses.map(status => status.state));
  expect(states).not.toContain("failed");
});
