import { expect, test } from "vitest";
import { openRig } from "../testing/rig.ts";

test("an agent tells nothing of what it holds before it has seen its engine", async () => {
  const rig = await openRig();
  const { observe } = rig.engine;
  rig.kill();
  rig.engine.observe = () => rig.clock.sleep(10_000).then(() => observe.call(rig.engine));
  await rig.revive();
  const ask = async () => {
    const answer = rig.scheduler.ask({ kind: "held" });
    await rig.clock.advance(1_000);
    return answer;
  };
  expect(await ask()).toMatchObject({ kind: "error", error: { reason: "NOT_LOOKED_YET" } });
  await rig.clock.advance(20_000);
  expect(await ask()).toMatchObject({ kind: "held", held: { present: [], volumes: [] } });
});
