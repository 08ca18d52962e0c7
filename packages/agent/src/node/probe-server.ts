import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { runChecks, type Check } from "@skep/kit/health.ts";

/** The page by which peers and the container's health check ask whether this agent is alive. */
export interface ProbeServer {
  readonly port: number;
  close(): Promise<void>;
}

const CHECK_TIMEOUT_MS = 3_000;

/**
 * Serves `/livez`: 200 while all checks pass, 503 with what is wrong otherwise. The checks speak of this agent's own
 * loop and engine only: a lost bus or database is no reason to restart an agent. `port` 0 takes a free one.
 * @throws the listener's error, for example EADDRINUSE.
 */
export async function serveProbe(port: number, checks: Readonly<Record<string, Check>>): Promise<ProbeServer> {
  const server = createServer((request, response) => {
    if (request.url !== "/livez") return void response.writeHead(404).end("Ask /livez.\n");
    void runChecks(checks, CHECK_TIMEOUT_MS).then(failures => {
      const ok = failures.size === 0;
      response.writeHead(ok ? 200 : 503, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(`${JSON.stringify({ ok, failures: Object.fromEntries(failures) })}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
