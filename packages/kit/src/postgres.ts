import pg from "pg";

/** Where the database is and how it is used. */
export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  /** Most connections of this process. */
  readonly maxConnections: number;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** Longest a statement may run, and longest an answer is awaited, in ms. */
  readonly statementTimeoutMs?: number;
  /** Longest to wait for a connection, in ms. */
  readonly connectTimeoutMs?: number;
  /** Settings of each session, for example `jit: "off"`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told of connections that broke while idle; the pool replaces them by itself. */
  readonly onIdleError: (error: Error) => void;
}

/**
 * Opens a pool. Nothing is connected until the first query; while the database is away a query
 * fails after
 * `connectTimeoutMs` at the latest. A connection that stays silent is given up, so a lost host is
 * noticed.
 */
export function createPool(options: PostgresOptions): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 10_000;
  const pool = new pg.Pool({
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.user,
    password: options.password,
    max: options.maxConnections,
    application_name: options.name,
    ...(options.settings === undefined ? {} : { options: sessionOptions(options.settings) }),
    connectionTimeoutMillis: options.connectTimeoutMs ?? 2_000,
    statement_timeout: statementTimeoutMs,
    // The server's own timeout cannot be trusted when the network is cut: wait a little longer,
    // then give up.
    query_timeout: statementTimeoutMs + 2_000,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  });
  pool.on("error", options.onIdleError);
  // The pool hears its idle connections only. One that breaks while it is lent, between two
  // statements, would end the process; its next statement fails, and the pool gives it up.
  pool.on("connect", connection => void connection.on("error", () => undefined));
  return pool;
}

/** As the server's command line has them. */
function sessionOptions(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, "\\$&")}`)
    .join(" ");
}

/** A failure of the database in the words of the project's error codes. */
export type PostgresFailureCode =
  | "unavailable"
  | "aborted"
  | "deadline_exceeded"
  | "already_exists"
  | "failed_precondition"
  | "invalid_argument"
  | "internal";

/** What a failed statement means. */
export interface PostgresFailure {
  readonly code: PostgresFailureCode;
  /** SQLSTATE or errno, where there was one. */
  readonly sqlState: string | undefined;
  /** The constraint that refused, where one did. */
  readonly constraint: string | undefined;
  /** Whether the same transaction, begun anew, may succeed. */
  readonly transient: boolean;
  /** Whether the connection is gone: where that befell a COMMIT, it may have happened or not. */
  readonly connectionLost: boolean;
}

const BY_STATE: Readonly<Record<string, PostgresFailureCode>> = {
  "23505": "already_exists",
  "23P01": "already_exists",
  "23503": "failed_precondition",
  "23514": "invalid_argument",
  "23502": "invalid_argument",
  "40001": "aborted",
  "40P01": "aborted",
  "55P03": "aborted",
  "57014": "deadline_exceeded",
  "25006": "unavailable",
  "57P01": "unavailable",
  "57P02": "unavailable",
  "57P03": "unavailable",
  "25P03": "unavailable",
};

const BY_CLASS: Readonly<Record<string, PostgresFailureCode>> = {
  "08": "unavailable",
  "53": "unavailable",
  "58": "unavailable",
  "22": "invalid_argument",
};

const LOST_STATES = new Set(["57P01", "57P02", "57P03", "25P03"]);
const LOST_ERRNOS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ETIMEDOUT",
  "EPIPE",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
]);
/** The driver gives its own failures no code, so they are known by how their text begins. */
const LOST_TEXT =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered)/;

/** Sorts a failure of node-postgres; whatever is not one is `internal`. */
export function classifyPostgresError(error: unknown): PostgresFailure {
  const failure = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { code, constraint, message } = readFields(failure);
  const lostByText = code === undefined && message !== undefined && LOST_TEXT.test(message);
  const connectionLost =
    lostByText || (code !== undefined && (LOST_ERRNOS.has(code) || LOST_STATES.has(code) || code.startsWith("08")));
  const known =
    code === undefined ? undefined : (BY_STATE[code] ?? (code.length === 5 ? BY_CLASS[code.slice(0, 2)] : undefined));
  const meaning = known ?? (connectionLost ? "unavailable" : "internal");
  const transient = meaning === "unavailable" || meaning === "aborted" || meaning === "deadline_exceeded";
  return { code: meaning, sqlState: code, constraint, transient, connectionLost };
}

function readFields(error: unknown): Record<"code" | "constraint" | "message", string | undefined> {
  const read = (name: string): string | undefined => {
    if (typeof error !== "object" || error === null) return undefined;
    const value = (error as Record<string, unknown>)[name];
    return typeof value === "string" ? value : undefined;
  };
  return { code: read("code"), constraint: read("constraint"), message: read("message") };
}
