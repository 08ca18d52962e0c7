import { encodeWake } from "@skep/api/codec/notice.ts";
import { SUBJECTS } from "@skep/api/subjects.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { Mode } from "@skep/core/workspace/connector.ts";
import { isOver } from "@skep/core/workspace/migration.ts";
import type { WorkspaceChange } from "@skep/core/workspace/record.ts";
import type { Store } from "@skep/scheduler/store/store.ts";
import type { Request } from "@skep/scheduler/store/request.ts";
import type { Chance } from "../chance.ts";
import type { Platform } from "../platform.ts";
import { insist } from "../users.ts";
import { saysLoss } from "./move-faults.ts";

/** Ids come again after a deletion, and nothing of the former workspace may touch the next. */
export const WORKSPACES = ["mx-1", "mx-2", "mx-3", "mx-4"] as const;

/** What a tenant asks for next of a workspace; `make` where there is none. */
type Wish = "make" | "abort-move" | { readonly moveTo: Mode } | WorkspaceChange;

/** Makes workspaces, and asks for one thing after another of them until `done`. */
export async function liveAsTenants(platform: Platform, done: () => boolean): Promise<void> {
  const chance = platform.chance("tenants with workspaces");
  const store = platform.database.connect("user");
  const bus = platform.network.connect("workspace-user");
  const { records } = platform.database;
  let serial = 0;
  while (!done()) {
    await platform.clock.sleep(chance.between(200, serial < WORKSPACES.length ? 1_000 : 6_000));
    const id = serial < WORKSPACES.length ? WORKSPACES[serial]! : chance.pick(WORKSPACES);
    const wish = drawMove(chance, platform, id) ?? drawWish(chance, records.workspaces.get(id)?.desired);
    excuse(platform, id, wish);
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

/** Where workspaces move in this seed, about half of what is asked of one is about that. */
function drawMove(chance: Chance, { hosting, database }: Platform, id: string): Wish | undefined {
  const workspace = database.records.workspaces.get(id);
  if (hosting?.moveTimes === undefined || workspace?.desired !== "run" || !chance.happens(0.5)) return undefined;
  const move = database.records.workspaceMoves.get(id);
  if (move !== undefined && !isOver(move)) return chance.happens(0.3) ? "abort-move" : { restart: true };
  return { moveTo: workspace.connector.config.resources.type === "shared" ? "standalone" : "shared" };
}

/** Nobody looks for what one had that is deleted, or for what its last move said is lost. */
function excuse({ hosting, database }: Platform, id: string, wish: Wish): void {
  const isDeleted = typeof wish === "object" && "desired" in wish && wish.desired === "deleted";
  const isSaid = saysLoss(database.records.workspaceMoves.get(id)?.because);
  if (hosting?.moveTimes !== undefined && (isDeleted || isSaid)) hosting.excused.add(id);
}

async function fulfil(store: Store, id: string, wish: Wish, request: Request, platform: Platform): Promise<unknown> {
  const now = platform.clock.now();
  if (wish === "abort-move") return store.abortMove(id, request, now);
  if (typeof wish === "object" && "moveTo" in wish) return store.startMove(id, wish.moveTo, request, now);
  if (wish !== "make") return store.changeWorkspace(id, wish, undefined, request, now);
  const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "round-robin" } as const;
  return store.createWorkspace({ ...wanted, connector: aConnector({ id }) }, request, now);
}
