import { createLoops } from "@skep/kit/loops.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { seededRandom } from "@skep/kit/random.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, test } from "vitest";
import { Cover } from "./cover.ts";
import { noGuard, type Watched } from "./guard.ts";

/** A cover of copies that all may run for 5 s, and what its guard was told. */
function rig() {
  const clock = createVirtualClock(1_700_000_000_000);
  const loops = createLoops({ clock, log: createRecordingLog(), random: seededRandom(1) });
  const world = { told: [] as (readonly Watched[])[], runs: true };
  const watch = async (copies: readonly Watched[]): Promise<void> => {
    if (!world.runs) throw new Error("it has ended");
    world.told.push(copies);
  };
  const until = clock.monotonic() + 5_000;
  const deps = { guard: { ...noGuard, watch }, clock, loops, guardUntil: () => until };
  return { clock, until, world, cover: new Cover(deps) };
}

test("a container that is about to be started stays with the guard though no look shows it yet", async () => {
  const { clock, cover, until, world } = rig();
  await cover.beforeStart("c", "acme.web.1", 1);
  cover.sync([]);
  expect(world.told.at(-1)).toEqual([{ containerId: "c", until }]);
  await clock.advance(5_000);
  cover.sync([]);
  expect(world.told.at(-1)).toEqual([]);
});

test("a guard that was lost is told at the next look, though nothing has changed", async () => {
  const { clock, cover, until, world } = rig();
  world.runs = false;
  await expect(cover.beforeStart("c", "acme.web.1", 1)).rejects.toThrow("no guard takes it: it has ended");
  world.runs = true;
  cover.sync([]);
  await clock.advance(1);
  expect(world.told).toEqual([[{ containerId: "c", until }]]);
});
