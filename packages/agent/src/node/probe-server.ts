import { createHealthHandler, type Checks } from "@skep/kit/health.ts";
import { listenHttp1, type Listener } from "@skep/kit/http-listener.ts";
import type { Log } from "@skep/kit/log.ts";

const CHECK_TIMEOUT_MS = 3_000;

/**
 * Serves `/livez`, by which peers and Swarm ask whether this agent is alive: 200 while all checks
 * pass, 503 with what is wrong otherwise. The checks are about this agent's own loop and engine
 * only: a lost bus or database is no reason to restart an agent. `port` 0 takes a free one.
 * @throws the listener's error, for example EADDRINUSE.
 */
export function serveProbe(port: number, checks: Checks, log: Log): Promise<Listener> {
  const answers = createHealthHandler({ alive: checks, timeoutMs: CHECK_TIMEOUT_MS });
  return listenHttp1({ port, log }, (request, response) => {
    if (!answers(request, response)) response.writeHead(404).end("Ask /livez.\n");
  });
}
