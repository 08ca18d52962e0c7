import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { permissionOf } from "@skep/api/permissions.ts";
import { SERVICES } from "@skep/api/services.ts";
import { PLATFORM, anOperator } from "@skep/core/access/principal.ts";
import type { Principal } from "@skep/core/access/principal.ts";
import { SkepError } from "@skep/core/error.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { knowTokens, principalKey } from "../auth.ts";
import { startServer } from "../server.ts";
import type { ServerOptions } from "../server.ts";

/** The token that may do everything, and the one that may only read tenants. */
export const TOKEN = "a-token-for-tests";
export const READER = "a-token-that-reads";

const PRINCIPALS: ReadonlyMap<string, Principal> = new Map([
  [TOKEN, anOperator("ops")],
  [READER, { kind: "operator", name: "reader", grants: [{ permissions: ["tenants.read"], scope: PLATFORM }] }],
]);

/** An answer of the server, read. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** What a handler saw of a request. */
export interface Seen {
  readonly key: string;
  readonly actor: string;
}

/** A server on a real port, with two services in memory. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly log: ReturnType<typeof createRecordingLog>;
  readonly seen: Seen[];
  /** Streams without end that run, and the messages that they have made. */
  readonly floods: { running: number; made: number };
  /** Whether its store answers. */
  isReady: boolean;
  /** Sends a request with the token and reads the JSON of its answer. */
  send(path: string, init?: RequestInit): Promise<Answer>;
}

/** Starts one; `over` replaces options of the server. */
export async function startTestServer(over: Partial<ServerOptions> = {}): Promise<TestServer> {
  const log = createRecordingLog();
  const seen: Seen[] = [];
  const floods = { running: 0, made: 0 };
  const server = await startServer({
    port: 0,
    host: "127.0.0.1",
    services: SERVICES,
    // GetStatus plays a method that the table forgot.
    auth: {
      authenticate: knowTokens(PRINCIPALS),
      permissionOf: method => (method.name === "GetStatus" ? undefined : permissionOf(method)),
    },
    ready: { store: () => (test.isReady ? undefined : "the store is away") },
    readiness: { periodMs: 50 },
    origins: ["https://console.example"],
    openApi: "{}",
    log,
    pages: [
      (request, response) => {
        if (request.url !== "/page") return false;
        response.setHeader("content-security-policy", "default-src 'self'");
        response.end("a page");
        return true;
      },
    ],
    routes: router => registerServices(router, seen, floods),
    ...over,
  });
  const url = `http://127.0.0.1:${server.port}`;
  const test: TestServer = {
    url,
    port: server.port,
    log,
    seen,
    floods,
    isReady: true,
    send: async (path, init = {}) => {
      const authorized = { "content-type": "application/json", authorization: `Bearer ${TOKEN}` };
      const headers = { ...authorized, ...(init.headers as Record<string, string>) };
      const response = await fetch(`${url}${path}`, { ...init, headers });
      const body = (await response.json()) as Record<string, unknown>;
      return { status: response.status, body, headers: response.headers };
    },
    [Symbol.asyncDispose]: () => server.close(1_000),
  };
  return test;
}

/** Sends a token with each call of a client. */
export function withToken(token: string = TOKEN): Interceptor[] {
  return [
    next => async request => {
      request.header.set("authorization", `Bearer ${token}`);
      return await next(request);
    },
  ];
}

function registerServices(router: ConnectRouter, seen: Seen[], floods: TestServer["floods"]): void {
  router.service(TenantService, {
    createTenant: (request, context) => {
      seen.push({ key: request.idempotencyKey, actor: context.values.get(principalKey).name });
      if (request.tenantId === "taken")
        throw new SkepError("already_exists", "TENANT_EXISTS", "There is a tenant taken already.", {
          details: { tenant: "taken", advice: "choose another name" },
        });
      if (request.tenantId === "broken") throw new TypeError("the password is hunter2");
      return { tenant: { id: request.tenantId, ...(request.quota ? { quota: request.quota } : {}) } };
    },
    getTenant: ({ tenantId }) => ({ tenant: { id: tenantId } }),
    listTenants: ({ pageSize, pageToken }) => ({ tenants: [{ id: `size-${pageSize}` }], nextPageToken: pageToken }),
    deleteTenant: () => ({}),
  });
  router.service(PlatformService, {
    async *watchEvents({ nodeId }, context) {
      if (nodeId === "flood") return void (yield* flood(floods));
      yield { events: [{ kind: "first" }] };
      yield { events: [{ kind: "second" }] };
      await new Promise(resolve => context.signal.addEventListener("abort", resolve));
      throw new SkepError("unavailable", "GOING", "This scheduler is going away.");
    },
  });
}

/** Events as fast as they are taken, of 64 KiB each. */
async function* flood(floods: TestServer["floods"]): AsyncGenerator<{ events: { sentence: string }[] }> {
  const sentence = "x".repeat(64 * 1024);
  floods.running += 1;
  try {
    for (;;) {
      floods.made += 1;
      yield { events: [{ sentence }] };
    }
  } finally {
    floods.running -= 1;
  }
}
