import { encodeWake } from "@skep/api/codec/notice.ts";
import { SUBJECTS } from "@skep/api/subjects.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { WorkspaceChange } from "@skep/core/workspace/record.ts";
import type { Store } from "@skep/scheduler/store/store.ts";
import type { Request } from "@skep/scheduler/store/request.ts";
import type { Chance } from "../chance.ts";
import type { Platform } from "../platform.ts";
import { insist } from "../users.ts";

/** Ids come again after a deletion, and nothing of the former workspace may touch the next. */
export const WORKSPACES = ["mx-1", "mx-2", "mx-3", "mx-4"] as const;

/** What a tenant asks for next of a workspace; `make` where there is none. */
type Wish = "make" | WorkspaceChange;

/** Makes workspaces, and asks for one thing after another of them until `done`. */
export async function liveAsTenants(platform: Platform, done: () => boolean): Promise<void> {
  const chance = platform.chance("tenants with workspaces");
  const store = platform.database.connect("user");
  const bus = platform.network.connect("workspace-user");
  let serial = 0;
  while (!done()) {
    await platform.clock.sleep(chance.between(200, serial < WORKSPACES.length ? 1_000 : 6_000));
    const id = serial < WORKSPACES.length ? WORKSPACES[serial]! : chance.pick(WORKSPACES);
    const wish = drawWish(chance, platform.database.records.workspaces.get(id)?.desired);
    const request = { actor: "user", idempotencyKey: `workspace-wish-${++serial}` };
    await insist(platform, `WISH ${id} ${JSON.stringify(wish)}`, () => fulfil(store, id, wish, request, platform));
    bus.publish(SUBJECTS.wake, encodeWake("a tenant's wish"));
  }
}

function drawWish(chance: Chance, desired: "run" | "stopped" | "deleted" | undefined): Wish {
  if (desired === undefined || desired === "deleted") return "make";
  const dice = chance.whole(1, 100);
  if (desired === "stopped") return dice <= 75 ? { desired: "run" } : { desired: "deleted" };
  if (dice <= 30) return { desired: "stopped" };
  if (dice <= 50) return { desired: "deleted" };
  return dice <= 75 ? { restart: true } : { databasePool: chance.whole(1, 50) };
}

async function fulfil(store: Store, id: string, wish: Wish, request: Request, platform: Platform): Promise<unknown> {
  const now = platform.clock.now();
  if (wish !== "make") return store.changeWorkspace(id, wish, undefined, request, now);
  const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "round-robin" } as const;
  return store.createWorkspace({ ...wanted, connector: aConnector({ id }) }, request, now);
}
