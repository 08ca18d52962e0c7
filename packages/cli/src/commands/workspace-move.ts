import { Option, type Command } from "commander";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { MoveStage, type WorkspaceMove } from "@skep/api/gen/skep/v1/move_pb.ts";
import { MigrateWorkspaceResponseSchema } from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import type { MigrateWorkspaceResponse } from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { EXIT_CODES, Ended } from "../exit-code.ts";
import type { Io } from "../io.ts";
import { moveWords, stageOf } from "../output/moves.ts";
import { messageJson, print } from "../output/print.ts";
import { duration } from "../output/words.ts";
import { act } from "../session/act.ts";
import { newKey } from "../session/change.ts";
import type { Session } from "../session/open.ts";

interface MoveOptions {
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly abort?: boolean;
  readonly leaveFiles?: boolean;
  readonly detach?: boolean;
}

/** How often it is asked how far a move is. */
const LOOK_MS = 500;

/** `skep workspace migrate`. */
export function setupMove(workspace: Command, io: Io): void {
  const migrate = workspace
    .command("migrate")
    .summary("Move a workspace to the other mode while its devices go on sending.")
    .argument("<id>", "the workspace")
    .addOption(new Option("--to <MODE>", "where it goes").choices(["shared", "standalone"]))
    .option("--dry-run", "say what would happen, and change nothing")
    .option("--leave-files", "begin though it has files, which stay where they are")
    .option("--abort", "have it go back to where it was")
    .option("-d, --detach", "do not wait until it is over");
  act(migrate, io, async (session, options: MoveOptions, workspaceId: string) => {
    const { to = "", dryRun = false, abort = false, detach = false, leaveFiles = false } = options;
    const request = { workspaceId, to, dryRun, abort, leaveFiles, idempotencyKey: newKey() };
    const answer = await session.api.workspaces.migrateWorkspace(request);
    if (dryRun || detach || session.json)
      return print(
        session,
        () => messageJson(MigrateWorkspaceResponseSchema, answer),
        () => (dryRun ? renderPlan(workspaceId, answer) : `${workspaceId}: ${moveWords(answer.workspace?.move)}\n`),
      );
    await follow(session, workspaceId);
  });
}

/** Says each stage until the move is over. Ctrl-C ends the watching, and not the move. */
async function follow(session: Session, workspaceId: string): Promise<void> {
  const { io, api } = session;
  let said = "";
  while (!io.signal.aborted) {
    const { workspace } = await api.workspaces.getWorkspace({ workspaceId });
    const move = workspace?.move;
    const line = `${workspaceId}: ${moveWords(move)}`;
    if (line !== said) io.out(`${line}\n`);
    said = line;
    if (move?.stage === MoveStage.DONE) return io.out(`${workspaceId}: it took ${lastedOf(move)}\n`);
    if (move?.stage === MoveStage.RETURNED) throw new Ended(EXIT_CODES.failed_precondition);
    await io.sleep(LOOK_MS);
  }
  io.err(`${workspaceId}: it goes on moving; \`skep workspace show ${workspaceId}\` says how far it is\n`);
}

function lastedOf({ startedAt, since }: WorkspaceMove): string {
  if (startedAt === undefined || since === undefined) return "some time";
  return duration(timestampMs(since) - timestampMs(startedAt));
}

function renderPlan(id: string, { steps, left, blocked, workspace }: MigrateWorkspaceResponse): string {
  const list = (title: string, lines: readonly string[]): string =>
    lines.length === 0 ? "" : `${title}\n${lines.map(line => `  - ${line}\n`).join("")}`;
  const move = workspace?.move;
  const isMoving = move !== undefined && !["done", "returned"].includes(stageOf(move));
  return [
    list("What is done:", steps),
    list("What does not move:", left),
    list("What keeps it from beginning:", blocked),
    isMoving ? `${id} moves at present: ${moveWords(move)}\n` : "",
    blocked.length === 0 ? "Nothing is changed yet: run it without --dry-run.\n" : "",
  ].join("");
}
