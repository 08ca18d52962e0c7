import { begunMove, unwantedMove } from "@skep/core/workspace/begin-move.ts";
import type { Migration } from "@skep/core/workspace/migration-state.ts";
import type { Records } from "../memory-records.ts";
import type { MoveStore } from "../move-store.ts";
import { refuse } from "../refusals.ts";
import type { Request } from "../request.ts";
import { locationsOf, toLocation } from "./hosting.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;

/** See `MoveStore`. */
export function createMoves(records: Records, pass: Pass): MoveStore {
  const { workspaces, workspaceMoves, audits } = records;

  function put(move: Migration, action: string, { actor }: Request, at: number): Migration {
    if (move === workspaceMoves.get(move.workspaceId)) return move;
    workspaceMoves.set(move.workspaceId, move);
    audits.push({ at, actor, action: `${action} ${move.workspaceId}` });
    return move;
  }

  return {
    startMove: (id, to, request, now) =>
      pass("startMove", () => {
        const workspace = workspaces.get(id);
        if (workspace === undefined) throw refuse.noWorkspace(id);
        return put(begunMove(workspace, workspaceMoves.get(id), to, now), "workspace.migrate", request, now);
      }),
    abortMove: (id, request, now) =>
      pass("abortMove", () => {
        if (!workspaces.has(id)) throw refuse.noWorkspace(id);
        return put(unwantedMove(id, workspaceMoves.get(id), request.actor), "workspace.abort-move", request, now);
      }),
    getMove: id =>
      pass("getMove", () => {
        const move = workspaceMoves.get(id);
        const halves = locationsOf(records, one => one.workspaceId === id).map(toLocation);
        return move === undefined ? undefined : { move, halves };
      }),
  };
}
