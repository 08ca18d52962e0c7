import { request } from "node:http";

/**
 * What came back from an edge; `status` 0 means that no answer came at all, and `body` then says
 * why.
 */
export interface EdgeAnswer {
  readonly status: number;
  readonly body: string;
  readonly ms: number;
}

/** Asks the Traefik at `address` for `path` of `host`, on a connection of its own; never throws. */
export function askEdge(address: string, host: string, path = "/", timeoutMs = 5_000, port = 80): Promise<EdgeAnswer> {
  const startedAt = performance.now();
  return new Promise(resolve => {
    const done = (status: number, body: string): void => resolve({ status, body, ms: performance.now() - startedAt });
    const call = request(
      { host: address, port, path, headers: { host }, agent: false, timeout: timeoutMs },
      response => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => done(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8")));
        response.on("error", error => done(0, error.message));
      },
    );
    call.on("timeout", () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.on("error", error => done(0, error.message));
    call.end();
  });
}

/** A client that asks all the time, one request after another, until it is told to stop. */
export interface SteadyClient {
  /** Ends it and answers what it saw. */
  stop(): Promise<{ readonly asked: number; readonly failures: readonly EdgeAnswer[] }>;
}

/** Starts a steady client; anything but a 200 is a failure that a user would have seen. */
export function askSteadily(address: string, host: string, path = "/"): SteadyClient {
  let running = true;
  let asked = 0;
  const failures: EdgeAnswer[] = [];
  const loop = (async () => {
    while (running) {
      const answer = await askEdge(address, host, path);
      asked += 1;
      if (answer.status !== 200) failures.push(answer);
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  })();
  return {
    async stop() {
      running = false;
      await loop;
      return { asked, failures };
    },
  };
}
