import type { IncomingMessage, ServerResponse } from "node:http";
import type { Registry } from "@prometheus-io/client";

/** One thing that must be well; throws, or answers a sentence, when it is not. */
export type Check = () => Promise<string | undefined> | string | undefined;

/** What the health pages tell. */
export interface HealthOptions {
  /** Failing ones mean that a restart would help. Keep them few: a lost database is not one. */
  readonly alive?: Readonly<Record<string, Check>>;
  /** Failing ones mean that no traffic should come now. */
  readonly ready: Readonly<Record<string, Check>>;
  readonly metrics: Registry;
  /** Longest that a check may take, in ms. */
  readonly timeoutMs?: number;
}

/** Answers /livez, /readyz (200 or 503, with what is wrong) and /metrics (Prometheus); answers whether the path was one of these. */
export type HealthHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Makes the handler, for a server that has other pages too. */
export function createHealthHandler(options: HealthOptions): HealthHandler {
  const timeoutMs = options.timeoutMs ?? 2_000;
  return (request, response) => {
    const path = request.url?.split("?")[0];
    if (path === "/livez") void answerChecks(options.alive ?? {}, timeoutMs, response);
    else if (path === "/readyz") void answerChecks(options.ready, timeoutMs, response);
    else if (path === "/metrics") void answerMetrics(options.metrics, response);
    else return false;
    return true;
  };
}

/** Runs all checks at once; answers the sentences of those that failed, by name. */
export async function runChecks(
  checks: Readonly<Record<string, Check>>,
  timeoutMs: number,
): Promise<ReadonlyMap<string, string>> {
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

async function answerChecks(
  checks: Readonly<Record<string, Check>>,
  timeoutMs: number,
  response: ServerResponse,
): Promise<void> {
  const failures = await runChecks(checks, timeoutMs);
  const body = Object.fromEntries(Object.keys(checks).map(name => [name, failures.get(name) ?? "ok"]));
  response.writeHead(failures.size === 0 ? 200 : 503, {
    "content-type": "application/json",
    "cache-control": "no-store",
  });
  response.end(`${JSON.stringify({ ok: failures.size === 0, checks: body })}\n`);
}

async function answerMetrics(metrics: Registry, response: ServerResponse): Promise<void> {
  try {
    const text = await metrics.metrics();
    response.writeHead(200, { "content-type": metrics.contentType }).end(text);
  } catch (error) {
    response
      .writeHead(500)
      .end(`The metrics could not be read: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
