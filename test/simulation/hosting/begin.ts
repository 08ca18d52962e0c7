import type { Platform } from "../platform.ts";
import { HostAdversary } from "./host-adversary.ts";
import { createHosting } from "./hosting.ts";
import { liveAsTenants, WORKSPACES } from "./owners.ts";

/** What a seed does with its workspaces. */
export interface HostingOfSeed {
  /** Hosts, devices and tenants begin; tenants want nothing more once it is calm. */
  begin(isCalm: () => boolean): void;
  rage(): void;
  calm(): void;
  /** What is missing until every workspace is as it is wanted. */
  gaps(): readonly string[];
  /** Messages that were acknowledged and that nobody has. */
  lost(): readonly string[];
}

/** Draws whether a seed has workspaces, by chance of its own, and makes their engines. */
export function beginHosting(platform: Platform, share: number): HostingOfSeed | undefined {
  if (!platform.chance("workspaces").happens(share)) return undefined;
  const hosting = createHosting(platform);
  const adversary = new HostAdversary(platform, hosting);
  let wishing = true;
  const failed = (error: unknown): void =>
    platform.violate(`the program of workspaces failed: ${String((error as Error).stack)}`);
  return {
    begin: isCalm => {
      for (const name of hosting.names) hosting.start(name);
      for (const id of WORKSPACES) hosting.devices.send(id).catch(failed);
      liveAsTenants(platform, isCalm).then(() => (wishing = false), failed);
    },
    rage: () => void adversary.rage().catch(failed),
    calm: () => adversary.calm(),
    gaps: () => (wishing ? ["tenants still wish"] : hosting.gaps()),
    lost: () => hosting.lost(),
  };
}
