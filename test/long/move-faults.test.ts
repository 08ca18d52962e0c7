import type { Mode } from "@skep/core/workspace/connector.ts";
import type { MigrationStage, Side } from "@skep/core/workspace/migration-state.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { sendFrom } from "../support/move-devices.ts";
import { MOVING, startMoveRig, type MoveRig } from "../support/move-rig.ts";
import { expectStored } from "../support/move-stored.ts";

let rig: MoveRig;
let acknowledged: ReadonlyMap<string, number> = new Map();
beforeAll(async () => {
  rig = await startMoveRig();
}, 120_000);
afterAll(() => rig.close());

const STAGES = ["copy", "both", "compare", "switch", "drain", "cut-over", "verify"] as const;
const SIDES = ["source", "target"] as const;

/** Resolves as soon as the move is there, or past it. */
async function reached(stage: MigrationStage): Promise<void> {
  const order: readonly MigrationStage[] = ["prepare", "copy", "follow", ...STAGES.slice(1), "done"];
  for (;;) {
    const now = await rig.stage();
    if (now === undefined || now === "returned" || order.indexOf(now) >= order.indexOf(stage)) return;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** Cuts the host of a mode off, as if its network were gone, and begins another one. */
async function replaceHost(mode: Mode): Promise<void> {
  const old = rig.hosts.filter(one => one.mode === mode && !one.isCut);
  for (const one of old) one.isCut = true;
  await rig.startHost(mode);
}

it.each(STAGES.flatMap(stage => SIDES.map(side => [side, stage] as const)))(
  "loses and doubles nothing where the host of the %s is lost in %s",
  async (side: Side, stage: MigrationStage) => {
    const from = (await rig.store.getWorkspace(MOVING))!.connector.config.resources.type;
    const to: Mode = from === "shared" ? "standalone" : "shared";
    const devices = sendFrom(rig, acknowledged);
    await rig.move(to);
    await reached(stage);
    await replaceHost(side === "source" ? from : to);
    await eventually(async () => expect(["done", "returned"]).toContain(await rig.stage()), 90_000);
    await devices.stop();
    acknowledged = devices.acknowledged();
    const now = (await rig.store.getWorkspace(MOVING))!.connector.config.resources.type;
    await expectStored(rig, now, acknowledged);
    console.info(`${side} lost in ${stage}: ${await rig.stage()}, ${await rig.because()}`);
  },
  180_000,
);
