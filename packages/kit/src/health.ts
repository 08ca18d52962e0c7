import type { IncomingMessage, ServerResponse } from "node:http";

/** One thing that must be well; throws, or answers a sentence, when it is not. */
export type Check = () => Promise<string | undefined> | string | undefined;

/** Checks by name. */
export type Checks = Readonly<Record<string, Check>>;

/** The latest results of checks; a request for them starts no check. */
export interface Readiness {
  /** What was found last, by name: `undefined` for what is well. */
  results(): ReadonlyMap<string, string | undefined>;
  isReady(): boolean;
  close(): void;
}

/** How checks are run. */
export interface ReadinessOptions {
  /** Pause between two rounds, in ms. */
  readonly periodMs?: number;
  /** Longest that a check may take, in ms. */
  readonly timeoutMs?: number;
}

/**
 * Runs checks in rounds and keeps their results, so that a page that anybody may ask costs nothing:
 * questions never reach the database behind a check.
 */
export function watchReadiness(checks: Checks, options: ReadinessOptions = {}): Readiness {
  const { periodMs = 1_000, timeoutMs = 2_000 } = options;
  const names = Object.keys(checks);
  let results = new Map<string, string | undefined>(names.map(name => [name, "not checked yet"]));
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const round = async (): Promise<void> => {
    const failures = await runChecks(checks, timeoutMs);
    results = new Map(names.map(name => [name, failures.get(name)]));
    if (!closed) timer = setTimeout(() => void round(), periodMs);
  };
  void round();
  return {
    results: () => results,
    isReady: () => [...results.values()].every(failure => failure === undefined),
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** What the health pages tell. */
export interface HealthOptions {
  /** Failing ones mean that a restart would help. Keep them few: a lost database is not one. */
  readonly alive?: Checks;
  /** Says whether traffic should come now; without it there is no /readyz. */
  readonly ready?: Readiness;
  /** Longest that a check of `alive` may take, in ms. */
  readonly timeoutMs?: number;
}

/**
 * Answers /livez and /readyz with 200, or 503 and what is wrong; answers whether the path was one
 * of these.
 */
export type HealthHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Makes the handler, for a server that has other pages too. */
export function createHealthHandler({ alive = {}, ready, timeoutMs = 2_000 }: HealthOptions): HealthHandler {
  const names = Object.keys(alive);
  return (request, response) => {
    const path = request.url?.split("?")[0];
    if (path === "/livez")
      void runChecks(alive, timeoutMs).then(failures =>
        answer(new Map(names.map(name => [name, failures.get(name)])), response),
      );
    else if (path === "/readyz" && ready !== undefined) answer(ready.results(), response);
    else return false;
    return true;
  };
}

/** Runs all checks at once; answers the sentences of those that failed, by name. */
export async function runChecks(checks: Checks, timeoutMs: number): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>();
  const each = Object.entries(checks).map(async ([name, check]) => {
    const failure = await withDeadline(check, timeoutMs);
    if (failure !== undefined) failures.set(name, failure);
  });
  await Promise.all(each);
  return failures;
}

async function withDeadline(check: Check, timeoutMs: number): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>(resolve => {
    timer = setTimeout(() => resolve(`no answer within ${timeoutMs} ms`), timeoutMs);
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

function answer(results: ReadonlyMap<string, string | undefined>, response: ServerResponse): void {
  const ok = [...results.values()].every(failure => failure === undefined);
  const checks = Object.fromEntries([...results].map(([name, failure]) => [name, failure ?? "ok"]));
  response.writeHead(ok ? 200 : 503, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify({ ok, checks })}\n`);
}
