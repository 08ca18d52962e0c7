import { expect, it } from "vitest";
import type { Platform } from "../platform.ts";
import { beginPublishing, endsAllStored, note, type Publishing } from "../publishing.ts";

/** A workspace moves from shared to standalone and back, while devices publish at QoS 1. */
export function workspaceMoveScenarios(given: () => Platform, publishing: Publishing): void {
  it(`stores what ${publishing.devices} devices were acknowledged, once, as their workspace moves there and back`, async () => {
    const platform = given();
    const begun = await beginPublishing(platform, "shared", publishing);
    const { sending, workspaceId } = begun;
    for (const mode of ["standalone", "shared"]) {
      const begun = performance.now();
      const { code, stdout, stderr } = await platform.skep(["workspace", "migrate", workspaceId, "--to", mode]);
      expect(`${code} ${stderr}`).toBe("0 ");
      expect(stdout).toContain(`to ${mode}: `);
      note(`it is ${mode} after ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
      await sending.goesOn(publishing.devices, 120_000);
    }
    await endsAllStored(platform, begun);
  });
}
