import { expect, it, onTestFinished } from "vitest";
import { storedNumbers } from "../../support/device-fleet.ts";
import { eventually } from "../../support/eventually.ts";
import type { Platform } from "../platform.ts";
import { beginPublishing, endOf, note, type Publishing } from "../publishing.ts";
import { openStackDatabase } from "../workspace-database.ts";

/** A workspace moves from shared to standalone and back, while devices publish at QoS 1. */
export function workspaceMoveScenarios(given: () => Platform, publishing: Publishing): void {
  it(`stores what ${publishing.devices} devices were acknowledged, once, as their workspace moves there and back`, async () => {
    const platform = given();
    const { sending, workspaceId, devices } = await beginPublishing(platform, "shared", publishing);
    for (const mode of ["standalone", "shared"]) {
      const begun = performance.now();
      const { code, stdout, stderr } = await platform.skep(["workspace", "migrate", workspaceId, "--to", mode]);
      expect(`${code} ${stderr}`).toBe("0 ");
      expect(stdout).toContain(`to ${mode}: `);
      note(`it is ${mode} after ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
      await sending.goesOn(publishing.devices, 120_000);
    }
    const acknowledged = await endOf(sending);
    const database = await openStackDatabase(platform);
    onTestFinished(() => database.close());
    await eventually(async () => {
      const stored = await storedNumbers(database.of(workspaceId), devices, acknowledged);
      expect(stored).toMatchObject({ doubled: 0, missing: 0, unacknowledged: 0 });
    }, 60_000);
    await platform.client.workspaces.deleteWorkspace({ workspaceId });
  });
}
