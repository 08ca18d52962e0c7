import type { IncomingMessage, ServerResponse } from "node:http";
import { listenHttp1, type Listener } from "@skep/kit/http-listener.ts";
import type { Log } from "@skep/kit/log.ts";

/**
 * Serves `GET /routes` to the edges, and `/livez`. It listens apart from the API because it needs
 * no token: only the control network reaches it. While nothing is known it answers 503, and Traefik
 * keeps the routes that it has. @throws the listener's error.
 */
export function startEdgeServer(options: {
  readonly port: number;
  readonly host?: string;
  readonly log?: Log;
  readonly routes: () => string | undefined;
}): Promise<Listener> {
  return listenHttp1(options, (request, response) => answer(request, response, options.routes));
}

function answer(request: IncomingMessage, response: ServerResponse, routes: () => string | undefined): void {
  const path = request.url?.split("?")[0];
  if (request.method !== "GET") return say(response, 405, "Only GET is answered here.\n");
  if (path === "/livez") return say(response, 200, "ok\n");
  if (path !== "/routes") return say(response, 404, "Ask /routes or /livez.\n");
  const current = routes();
  // The connection is closed, so that the edge asks another scheduler next, which may know them.
  if (current === undefined) {
    response.setHeader("connection", "close");
    return say(response, 503, "The routes are not known here, or no longer: keep those that you have.\n");
  }
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" }).end(current);
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(text);
}
