/** Why a socket, or what it asked for, was refused; the same words in counts and answers. */
export type RefusalReason =
  | "NO_CREDENTIALS"
  | "WRONG_SECRET"
  | "TOKEN_INVALID"
  | "TOKEN_EXPIRED"
  | "TOKEN_OF_ANOTHER_WORKSPACE"
  | "NO_WORKSPACE"
  | "WORKSPACE_CLOSED"
  | "BANNED"
  | "FLOOD"
  | "LIMIT_SOCKETS"
  | "LIMIT_EVENTS"
  | "LIMIT_CHANNELS"
  | "LIMIT_REPLAYS"
  | "NOT_ALLOWED"
  | "BAD_FILTER"
  | "BAD_OFFSET"
  | "BAD_REQUEST";

/** The limits of a workspace that a refusal can name. */
export type LimitName = "sockets" | "events" | "channels" | "replays";

/** What a client is told of a refusal. */
export interface RefusalData {
  readonly reason: RefusalReason;
  readonly message: string;
  /** The limit that was reached, and what it is. */
  readonly limit?: LimitName;
  readonly most?: number;
  /** When it is worth asking again, ms from now. */
  readonly retryInMs?: number;
}

/** A refusal as an error: what Socket.IO hands to the client as `connect_error` with `data`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly data: RefusalData;

  constructor(reason: RefusalReason, message: string, more: Omit<RefusalData, "reason" | "message"> = {}) {
    super(message);
    this.data = { reason, message, ...more };
  }
}

const UNITS: Readonly<Record<LimitName, string>> = {
  sockets: "sockets at once",
  events: "events a second of each socket",
  channels: "subscriptions of each socket",
  replays: "replays a second of each socket",
};

/** The refusal of what is over a limit. */
export function overLimit(limit: LimitName, most: number): Refusal {
  const reason = `LIMIT_${limit.toUpperCase()}` as RefusalReason;
  return new Refusal(reason, `This workspace allows ${most} ${UNITS[limit]}.`, { limit, most });
}
