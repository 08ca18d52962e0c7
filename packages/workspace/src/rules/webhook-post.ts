import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";

/** One request of a webhook. */
export interface HttpPosting {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Posts, and answers the status; rejects where there is none. */
export interface Post {
  (posting: HttpPosting, signal: AbortSignal): Promise<number>;
}

/** Over HTTP, with connections that are kept for a while. */
export interface HttpPost {
  readonly post: Post;
  close(): void;
}

/** So much of an answer's body is read for the sake of the connection; none of it is kept. */
const MOST_READ = 64 * 1024;
const IDLE_MS = 10_000;

/**
 * Posts over HTTP. A redirect is an answer like any other: following it would lead to where nobody
 * has judged. No proxy is asked, so that it is this lookup that resolves the name.
 */
export function createHttpPost(lookup: LookupFunction): HttpPost {
  const kept = { keepAlive: true, keepAliveMsecs: IDLE_MS, maxFreeSockets: 1, timeout: IDLE_MS };
  const agents = { http: new HttpAgent(kept), https: new HttpsAgent(kept) };
  return {
    post: ({ url, headers, body }, signal) =>
      new Promise((resolve, reject) => {
        const isPlain = url.protocol === "http:";
        const options = { method: "POST", headers: { ...headers, "content-length": body.length }, lookup, signal };
        const asked = isPlain
          ? requestHttp(url, { ...options, agent: agents.http })
          : requestHttps(url, { ...options, agent: agents.https });
        let status: number | undefined;
        // What fails behind the status changes nothing about it.
        asked.on("error", error => (status === undefined ? reject(error) : resolve(status)));
        asked.on("response", response => {
          status = response.statusCode!;
          response.on("close", () => resolve(response.statusCode!));
          readAway(response);
        });
        asked.end(body);
      }),
    close: () => {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function readAway(response: IncomingMessage): void {
  let read = 0;
  response.on("data", (bytes: Buffer) => {
    read += bytes.length;
    if (read > MOST_READ) response.destroy();
  });
}
