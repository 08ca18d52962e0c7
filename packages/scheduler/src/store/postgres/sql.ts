import { SkepError } from "@skep/core/error.ts";
import { classifyPostgresError } from "@skep/kit/postgres.ts";
import pg from "pg";

/** A statement that each connection prepares once, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Part of a SELECT: the rows of a query as one JSON array. */
export function listOf(query: string): string {
  return `(SELECT coalesce(json_agg(x), '[]') FROM (${query}) x)`;
}

/** What lends connections: a pool of kit's, which hears of those that break while they are lent. */
export type Queryable = Pick<pg.Pool, "connect">;

const MOST_ATTEMPTS = 4;

/**
 * Runs a prepared statement and answers its rows. Every statement here is a whole transaction, so
 * one that lost against another (deadlock, serialization) is simply run again.
 * @throws SkepError as `translate` makes it.
 */
export async function ask<Row extends pg.QueryResultRow>(
  db: Queryable,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run<Row>(db, statement, values);
    } catch (error) {
      const lost = classifyPostgresError(error).code === "aborted";
      if (!lost || attempt === MOST_ATTEMPTS) throw translate(error);
    }
  }
}

/**
 * The pool's own `query` gives up the connection of every statement that fails. One that the
 * database refused is as good as before, and has all statements prepared: only a broken one is
 * given up.
 */
async function run<Row extends pg.QueryResultRow>(
  db: Queryable,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  const connection = await db.connect();
  let broken = false;
  try {
    return (await connection.query<Row>({ name, text, values: [...values] })).rows;
  } catch (error) {
    broken = !(error instanceof pg.DatabaseError) || error.severity !== "ERROR";
    throw error;
  } finally {
    connection.release(broken);
  }
}

/**
 * The one row of a statement that always answers one. @throws SkepError as `ask`, or `internal`
 * when there is none.
 */
export async function askOne<Row extends pg.QueryResultRow>(
  db: Queryable,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row> {
  const [row] = await ask<Row>(db, statement, values);
  if (row === undefined) throw new SkepError("internal", "NO_ROW", `The statement ${statement.name} answered no row.`);
  return row;
}

/**
 * Runs several statements as one transaction: all of them, or nothing. A connection that could not
 * be rolled back is given up.
 * @throws SkepError as `translate` makes it.
 */
export async function inTransaction<T>(db: Queryable, work: (connection: pg.PoolClient) => Promise<T>): Promise<T> {
  const connection = await db.connect();
  let broken = true;
  try {
    await connection.query("BEGIN");
    const answer = await work(connection);
    await connection.query("COMMIT");
    broken = false;
    return answer;
  } catch (error) {
    broken = !(await connection.query("ROLLBACK").then(
      () => true,
      () => false,
    ));
    throw translate(error);
  } finally {
    connection.release(broken);
  }
}

/** Runs a kysely query under the same translation of errors. */
export async function translated<T>(query: Promise<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    throw translate(error);
  }
}

// No such table, column or function: a replica serves from its first moment, and the migrations may
// not have run yet.
const NOT_MIGRATED: ReadonlySet<string> = new Set(["42P01", "42703", "42883"]);

/** The database's failure in our words; `constraintOf` and `stateOf` read what refused. */
export function translate(error: unknown): SkepError {
  if (error instanceof SkepError) return error;
  const failure = classifyPostgresError(error);
  const words = error instanceof Error ? error.message : String(error);
  if (failure.code === "unavailable" || failure.connectionLost) {
    const message = `The database cannot be reached (${words}); try again when it is back.`;
    return new SkepError("unavailable", "DATABASE_UNAVAILABLE", message, { cause: error });
  }
  if (failure.code === "deadline_exceeded") {
    const message = "The database took too long to answer; try again, with less at once if it was a list.";
    return new SkepError("deadline_exceeded", "DATABASE_SLOW", message, { cause: error });
  }
  if (failure.sqlState !== undefined && NOT_MIGRATED.has(failure.sqlState)) {
    const message = "The database's tables are still being made; try again in a few seconds.";
    return new SkepError("unavailable", "DATABASE_NOT_READY", message, { cause: error });
  }
  return new SkepError(failure.code, "DATABASE_REFUSED", `The database refused: ${words}`, { cause: error });
}

/** Name of the constraint that refused, when the error came from one. */
export function constraintOf(error: unknown): string | undefined {
  return error instanceof SkepError ? classifyPostgresError(error.cause).constraint : undefined;
}

/** SQLSTATE of the error, when the database gave one. */
export function stateOf(error: unknown): string | undefined {
  return error instanceof SkepError ? classifyPostgresError(error.cause).sqlState : undefined;
}
