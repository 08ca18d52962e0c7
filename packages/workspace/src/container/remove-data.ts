import { SkepError } from "@skep/core/error.ts";
import type { Connector } from "@skep/core/workspace/connector.ts";
import { COUNTS } from "@skep/core/workspace/container.ts";
import { openDatabase } from "../database/database.ts";
import type { ReadLease, RunningContainer } from "../host/container.ts";
import type { Engines } from "./engines.ts";

/**
 * Removes the database and the files of a workspace that is dropped, as its owner: whoever comes
 * after a host that died meanwhile does the same again. A database of the tenant's own stays as it
 * is. Rejects where something could not be removed, or where another one is the owner.
 */
export async function removeData(engines: Engines, connector: Connector, lease: ReadLease): Promise<void> {
  const { id, config } = connector;
  const { url, size } = config.resources.specs.database;
  if (url === undefined) {
    const { mongoUrl, connections, clock } = engines;
    const database = await openDatabase({ workspaceId: id, url: mongoUrl, megabytes: size, connections, clock });
    try {
      refuseStranger(id, lease);
      await database.destroy();
    } finally {
      await database.close();
    }
  }
  if (engines.files === undefined) return;
  const files = await engines.files.host.open({ id, regions: engines.files.regions });
  try {
    refuseStranger(id, lease);
    await files.removeAll();
  } finally {
    await files.close();
  }
}

/** What is left of a workspace whose data is removed: what says so. */
export const REMOVED: RunningContainer = {
  update: () => Promise.resolve(),
  isHealthy: () => true,
  lastError: () => "",
  counts: () => ({ [COUNTS.dataRemoved]: 1 }),
  close: () => Promise.resolve(),
};

function refuseStranger(id: string, lease: ReadLease): void {
  if (lease.mayRead()) return;
  throw new SkepError("unavailable", "NOT_THE_OWNER", `This host is not the owner of workspace ${id} at present.`);
}
