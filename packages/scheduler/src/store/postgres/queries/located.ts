import type { MoveFacts, MovingLocation } from "@skep/core/workspace/move.ts";

/** What of a location is decided on; the rest is for people. */
export const LOCATION = `workspace_id AS "workspaceId", host_id AS "hostId", epoch, desired, state, role, move`;

/** A row of `LOCATION`. */
export interface LocationJson extends Omit<MovingLocation, "role" | "move"> {
  readonly role: "reader" | "standby";
  readonly move: MoveFacts | null;
}

/** A location out of its row. */
export function toLocation({ role, move, ...rest }: LocationJson): MovingLocation {
  return { ...rest, ...(role === "standby" ? { role } : {}), ...(move === null ? {} : { move }) };
}
