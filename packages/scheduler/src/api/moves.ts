import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ShownMove } from "@skep/api/codec/move.ts";
import type { WorkspaceSchema } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import type {
  MigrateWorkspaceRequest,
  MigrateWorkspaceResponseSchema,
} from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { begunMove } from "@skep/core/workspace/begin-move.ts";
import { COUNTS } from "@skep/core/workspace/container.ts";
import type { Mode, WorkspaceId } from "@skep/core/workspace/connector.ts";
import { isOver, MIGRATION_TIMES, ordersOf, waitsForGates } from "@skep/core/workspace/migration.ts";
import type { Migration } from "@skep/core/workspace/migration-state.ts";
import { filesLeft, moveLeaves, moveSteps, type LeftBehind } from "@skep/core/workspace/move-words.ts";
import type { MoveFacts } from "@skep/core/workspace/move.ts";
import type { RecordedMove } from "../store/move-store.ts";
import type { Request } from "../store/request.ts";
import { encodeWorkspace, findContainer, type Container } from "./container-read.ts";
import type { ApiDeps } from "./deps.ts";

type Answer = MessageInitShape<typeof MigrateWorkspaceResponseSchema>;
type Shown = MessageInitShape<typeof WorkspaceSchema>;

/** Moves a workspace, has its move go back, or says what a move would do. */
export async function migrateWorkspace(
  deps: ApiDeps,
  { workspaceId, to, dryRun, abort, leaveFiles }: MigrateWorkspaceRequest,
  by: Request,
): Promise<Answer> {
  const { store, clock, wake } = deps;
  if (abort) {
    await store.abortMove(workspaceId, by, clock.now());
    wake(`workspace ${workspaceId}: its move is not wanted any more`);
    return { workspace: await shown(deps, workspaceId), recorded: true };
  }
  if (to === "") throw noMode();
  const container = await findContainer(store, workspaceId);
  const left = await leftBehind(deps, container);
  const last = (await store.getMove(workspaceId))?.move;
  const isMoving = last !== undefined && !isOver(last);
  const because = leaveFiles || isMoving ? undefined : filesLeft(container.record.connector, left);
  if (dryRun) return preview(deps, container, { to: to as Mode, left, last, because });
  if (because !== undefined) throw new SkepError("failed_precondition", "MOVE_LEAVES_FILES", because);
  refuseWithoutPods(deps, workspaceId, to as Mode);
  await store.startMove(workspaceId, to as Mode, by, clock.now());
  wake(`workspace ${workspaceId}: it is to move`);
  return { ...plan(container, to as Mode, left), workspace: await shown(deps, workspaceId), recorded: true };
}

/**
 * Refuses what would wait for ever. @throws SkepError `failed_precondition` `PODS_OFF`.
 */
export function refuseWithoutPods({ whyNoPods }: Pick<ApiDeps, "whyNoPods">, id: WorkspaceId, mode: Mode): void {
  if (mode !== "standalone" || whyNoPods === undefined) return;
  const text = `Workspace ${id} cannot be standalone here: ${whyNoPods}.`;
  throw new SkepError("failed_precondition", "PODS_OFF", text, { details: { workspaceId: id } });
}

async function shown(deps: ApiDeps, id: WorkspaceId): Promise<Shown> {
  return encodeWorkspace(await findContainer(deps.store, id), await showMove(deps, id));
}

/** A gate says each minute that a device is connected. */
const AWAY_MS = 150_000;

async function leftBehind({ store, clock }: ApiDeps, { record, seen }: Container): Promise<LeftBehind> {
  const [count, bytes = 0] = [seen?.counts[COUNTS.files], seen?.counts[COUNTS.fileBytes]];
  return {
    files: count === undefined ? undefined : { count, bytes },
    devicesAway: await store.countDevicesAway(record.id, clock.now() - AWAY_MS),
  };
}

interface Asked {
  readonly to: Mode;
  readonly left: LeftBehind;
  readonly last: Migration | undefined;
  /** Why it does not begin, by what it would leave. */
  readonly because: string | undefined;
}

async function preview(deps: ApiDeps, container: Container, { to, left, last, because }: Asked): Promise<Answer> {
  const { store, clock } = deps;
  const { record } = container;
  const { hosts } = await store.loadHosting();
  const blocked = because === undefined ? [] : [because];
  try {
    refuseWithoutPods(deps, record.id, to);
    begunMove(record, last, to, clock.now());
  } catch (error) {
    if (!(error instanceof SkepError)) throw error;
    blocked.push(error.message);
  }
  if (to === "shared" && !hosts.some(one => one.workspaceId === undefined))
    blocked.push("There is no shared host; deploy the service of the shared hosts.");
  return {
    ...plan(container, to, left),
    blocked,
    workspace: encodeWorkspace(container, await showMove(deps, record.id)),
    recorded: false,
  };
}

function plan(
  { record, seen }: Container,
  to: Mode,
  left: LeftBehind,
): { readonly steps: string[]; readonly left: string[] } {
  const bytes = seen?.counts["database.bytes"];
  return { steps: [...moveSteps(to, bytes)], left: [...moveLeaves(record.connector, to, left)] };
}

/** How far a workspace's move is; `undefined` where it never moved. */
export async function showMove(
  { store, clock }: Pick<ApiDeps, "store" | "clock">,
  id: WorkspaceId,
): Promise<ShownMove | undefined> {
  const known = await store.getMove(id);
  if (known === undefined) return undefined;
  const { move, halves } = known;
  const said = halves.flatMap(one => (one.move?.step === move.step ? [one.move] : []));
  const copier = said.find(one => one.total > 0);
  const behind = waitsForGates(move) ? await store.listGatesBehind(id, clock.now() - MIGRATION_TIMES.gateSilentMs) : [];
  return {
    ...{ move, copied: copier?.copied ?? move.copied, total: copier?.total ?? 0 },
    waiting: [
      ...whyWaiting(known, said),
      ...behind.map(one => `gate ${one.gateId} has ${one.connections} of its devices at the broker that they leave`),
    ],
  };
}

function whyWaiting({ move, halves }: RecordedMove, said: readonly MoveFacts[]): readonly string[] {
  if (isOver(move)) return [];
  const missing = halves.some(one => one.role === "standby" && one.state === "running") ? [] : [otherHalf(move)];
  return [...missing, ...said.flatMap(one => (one.waiting === "" ? [] : [one.waiting]))];
}

/** A half that has no host is a step of the move, which only its age makes a fault. */
function otherHalf(move: Migration): string {
  const isNext = ordersOf(move).standby.includes("target");
  const mode = isNext ? move.to : move.from;
  return `its ${mode} host ${isNext ? "begins" : "goes over"} to stand by${mode === "standalone" ? "; see its deployment" : ""}`;
}

function noMode(): SkepError {
  const sentence = "The request says neither `to` nor `abort`: send the mode that it is to have.";
  return new SkepError("failed_precondition", "MODE_MISSING", sentence);
}
