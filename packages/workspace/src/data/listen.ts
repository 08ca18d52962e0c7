import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Code, ConnectError, createConnectRouter, createContextValues } from "@connectrpc/connect";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { toConnectError } from "@skep/api/codec/error.ts";
import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { readWorkspacePath, type ReachedPath } from "@skep/core/workspace/reach.ts";
import { createHttp1, HTTP_LIMITS } from "@skep/kit/http-listener.ts";
import type { Log } from "@skep/kit/log.ts";
import { createCallGate, namedKey, notHere } from "./call.ts";
import type { ServedWorkspaces } from "./served.ts";

/** What a host answers from outside: sockets and data of its workspaces, and nothing else. */
export interface DataListener {
  readonly port: number;
  /** Where Socket.IO takes its connections from. */
  readonly sockets: Server;
  /** The workspace whose path a connection came by. */
  readonly cameFor: (request: IncomingMessage) => WorkspaceId | undefined;
  close(): Promise<void>;
}

/** What it is made with. */
export interface DataListenerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly workspaces: ServedWorkspaces;
  /** Registers the services of the data plane. */
  readonly routes: (router: ConnectRouter) => void;
  readonly log: Log;
}

/** Bytes of a message of a call; a batch of documents that moves is the largest. */
const LARGEST_CALL = 20 * 1024 * 1024;
const SOCKET_IO = "/socket.io";

/**
 * Listens for `/ws/<workspace>/…`: Socket.IO, and Connect over HTTP/1.1. A path that names no
 * workspace of this host gets a sentence, whatever else it is.
 * @throws the system's error where the port cannot be had.
 */
export async function listenForWorkspaces(options: DataListenerOptions): Promise<DataListener> {
  const { workspaces, log } = options;
  const sockets = createServer();
  const came = new WeakMap<IncomingMessage, WorkspaceId>();
  const handlers = handlersOf(options);
  const http = createHttp1(HTTP_LIMITS, (request, response) => {
    const path = pathOf(request);
    const reached = readWorkspacePath(path);
    if (reached === undefined) return say(response, 404, NOTHING);
    const handler = handlers.get(reached.rest);
    if (handler === undefined) return say(response, 404, NOTHING);
    call(handler, reached, request, response).catch((error: unknown) => {
      if (response.destroyed || request.destroyed) return;
      log.error("request.broken", "A call of a workspace could not be answered.", { path, error });
      response.destroy();
    });
  });
  http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const reached = readWorkspacePath(pathOf(request));
    const isSocketIo = reached?.rest === SOCKET_IO || reached?.rest === `${SOCKET_IO}/`;
    if (reached === undefined || !isSocketIo) return refuseUpgrade(socket, "404 Not Found", NOTHING);
    const { workspaceId } = reached;
    if (workspaces.get(workspaceId) === undefined)
      return refuseUpgrade(socket, "503 Service Unavailable", notHere(workspaceId).message);
    came.set(request, workspaceId);
    request.url = `${SOCKET_IO}/${request.url!.slice(pathOf(request).length)}`;
    sockets.emit("upgrade", request, socket, head);
  });
  await listenOn(http, options.port);
  return {
    port: (http.address() as AddressInfo).port,
    sockets,
    cameFor: request => came.get(request),
    close: () => {
      http.closeAllConnections();
      return new Promise(resolve => void http.close(() => resolve()));
    },
  };
}

const NOTHING = "Nothing is here: a workspace is below /ws/<workspace>/.";

function handlersOf({ workspaces, routes, log }: DataListenerOptions): ReadonlyMap<string, UniversalHandler> {
  const router = createConnectRouter({
    readMaxBytes: LARGEST_CALL,
    requestGate: createCallGate(workspaces),
    interceptors: [inOurWords(log)],
    grpc: false,
    grpcWeb: false,
  });
  routes(router);
  return new Map(router.handlers.map(one => [one.requestPath, one]));
}

async function call(
  handler: UniversalHandler,
  { workspaceId }: ReachedPath,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const values = createContextValues().set(namedKey, workspaceId);
  const result = await handler(universalRequestFromNodeRequest(request, response, undefined, values));
  await universalResponseToNodeResponse(result, response);
}

/** An error of ours is told as it is; of any other one the log has what it was. */
function inOurWords(log: Log): Interceptor {
  const told = (error: unknown, method: string): ConnectError => {
    if (error instanceof SkepError) return toConnectError(error);
    if (error instanceof ConnectError) return error;
    log.error("call.failed", "A call of a workspace failed.", { method, error });
    return new ConnectError("Something went wrong at the host; see its log.", Code.Internal);
  };
  return next => async request => {
    const { name } = request.method;
    try {
      const answer = await next(request);
      if (!answer.stream) return answer;
      const { message } = answer;
      async function* all(): AsyncGenerator<typeof message extends AsyncIterable<infer T> ? T : never> {
        try {
          yield* message;
        } catch (error) {
          throw told(error, name);
        }
      }
      return { ...answer, message: all() };
    } catch (error) {
      throw told(error, name);
    }
  };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

function say(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(`${sentence}\n`);
}

function refuseUpgrade(socket: Duplex, status: string, sentence: string): void {
  socket.on("error", () => undefined);
  const length = Buffer.byteLength(sentence);
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ${length}\r\n\r\n${sentence}`,
  );
}

function listenOn(http: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once("error", reject).listen(port, () => {
      http.off("error", reject);
      resolve();
    });
  });
}
